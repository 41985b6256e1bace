"""News of an end: to whom, when, in which form, and that nothing about them can harm a run."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.docs.support import ROOT, fences
from tests.e2e.support import FIRST, Program, a_world
from tests.operators.support import Receiver, news, receiving, told
from tests.process.program import Bench, until
from worker.cli.settings.resolve import resolve
from worker.cli.telling.call import Call, Telling
from worker.energycap.client import EnergyCap
from worker.ledger import Holder, RunLock
from worker.simulator.running import Simulator, simulator_thread
from worker.telemetry import open_log
from worker.words.errors import ConfigurationError

SECRET = "s3cret-of-the-webhook-0123456789"
KEPT = ("t0ken-in-a-url", SECRET, "uuid-of-the-switch")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Four open batches; any other id is not found."""
    with simulator_thread(world=a_world(4)) as running:
        yield running


@pytest.fixture
def outside() -> Iterator[Receiver]:
    """Somewhere to send to."""
    with receiving() as receiver:
        yield receiver


def assert_kept(program: Program, *texts: str) -> None:
    """No secret stands in any file of the state folder, nor in the texts."""
    files = [path.read_bytes() for path in program.state.rglob("*") if path.is_file()]
    everything = b"\0".join([*files, *(text.encode() for text in texts)])
    assert not [secret for secret in KEPT if secret.encode() in everything]


def example() -> Callable[[Mapping[str, str], bytes, str], bool]:
    """The verify example of the docs, as a function."""
    (code,) = fences((ROOT / "deploy" / "notify" / "README.md").read_text(encoding="utf-8"), "python")
    names: dict[str, Any] = {}
    exec(code, names)
    verify: Callable[[Mapping[str, str], bytes, str], bool] = names["verify"]
    return verify


class TestServices:
    """What people get, through Apprise."""

    def test_a_failure_is_told_with_subject_and_summary(
        self, program: Program, simulator: Simulator, outside: Receiver
    ) -> None:
        """Markdown where the service takes it, plain text elsewhere; a success is not told by default."""
        url = f"json://user:t0ken-in-a-url@{outside.place}"
        told(program, urls=f"{url}/a {url}/b?format=text")
        assert program.close(simulator, ids=[FIRST]).code == 0
        assert outside.paths == []
        ran = program.close(simulator, ids=[FIRST + 1, FIRST + 90])
        assert ran.code == 3
        messages = {each.path: each.json for each in outside.got}
        subject = f"batch-closer at {simulator.url[7:]}: 1 closed, 1 not fine, exit code 3 (run run-2)"
        assert {each["title"] for each in messages.values()} == {subject}
        assert {each["type"] for each in messages.values()} == {"failure"}
        markdown = (ran.folder / "summary.md").read_text(encoding="utf-8")
        assert messages["/a"]["message"] == markdown.strip()
        assert messages["/b"]["message"] == ran.out.strip()
        assert news(ran) == [("notify.sent", "urls[1] json", None), ("notify.sent", "urls[2] json", None)]
        assert_kept(program, ran.out, ran.err)

    def test_on_change(self, program: Program, simulator: Simulator, outside: Receiver) -> None:
        """When the exit code or the outcomes are others than those of the run before, as the ledger knows."""
        told(program, urls=f"json://{outside.place}", when="change")
        for ids in (
            [FIRST],
            [FIRST + 1],
            [FIRST + 90],
            [FIRST + 91, FIRST + 92],
            [FIRST, FIRST + 93],
            [FIRST + 2],
        ):
            program.close(simulator, ids=ids)
        titles = [each.json["title"].partition(": ")[2] for each in outside.got]
        assert titles == [
            "1 closed, exit code 0 (run run-1)",
            "0 closed, 1 not fine, exit code 3 (run run-3)",
            "0 closed, 1 closed before, 1 not fine, exit code 3 (run run-5)",
            "1 closed, exit code 0 (run run-6)",
        ]

    def test_a_call_that_could_not_begin(
        self, program: Program, simulator: Simulator, outside: Receiver
    ) -> None:
        """A missing list is told too, in the words that are on standard error."""
        told(program, urls=f"json://{outside.place}", webhook_url=outside.url, webhook_secret=SECRET)
        ran = program.close(simulator, str(program.folder / "missing.csv"))
        assert ran.code == 2
        posted, message = sorted((each.json for each in outside.got), key=lambda each: "title" in each)
        assert message["title"].endswith("could not begin, exit code 2")
        why = ran.err.splitlines()[-1].removeprefix("batch-closer: ")
        assert "no such file" in why
        assert posted["exit_code"] == 2
        assert posted["error"] == why

    def test_what_they_refuse_is_said_and_changes_nothing(
        self, program: Program, simulator: Simulator
    ) -> None:
        """Neither the exit code nor the files; the log names the service by its place in the list alone."""
        told(program, urls="json://t0ken-in-a-url@127.0.0.1:9", when="always")
        ran = program.close(simulator, ids=[FIRST])
        assert (ran.code, ran.summary["exit_code"]) == (0, 0)
        assert news(ran) == [("notify.failed", "urls[1] json", "not_sent")]
        assert_kept(program, ran.out, ran.err)

    def test_a_missing_extra_is_one_line(
        self, program: Program, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The command that installs it; exit 2, and nothing is sent."""
        monkeypatch.setitem(sys.modules, "apprise", None)
        told(program, urls="json://t0ken-in-a-url@127.0.0.1:9")
        ran = program.close(simulator, ids=[FIRST])
        assert (ran.code, len(ran.err.splitlines())) == (2, 1)
        assert "pip install 'energycap-batch-closer[notify]'" in ran.err
        assert not simulator.requests.by_route()


class TestPing:
    """Dead-man's switches."""

    def test_start_success_and_failure(
        self, program: Program, simulator: Simulator, outside: Receiver
    ) -> None:
        """Bare on success, ``/fail`` on failure, each with a line without money; a query stays in place."""
        told(program, ping_url=f"{outside.url}/uuid-of-the-switch?create=1")
        good = program.close(simulator, ids=[FIRST])
        bad = program.close(simulator, ids=[FIRST + 90])
        assert outside.paths == [
            "POST /uuid-of-the-switch/start?create=1",
            "POST /uuid-of-the-switch?create=1",
            "POST /uuid-of-the-switch/start?create=1",
            "POST /uuid-of-the-switch/fail?create=1",
        ]
        assert outside.got[1].body == b"1 closed, exit code 0 (run run-1)"
        assert_kept(program, good.out, good.err, bad.out, bad.err)

    def test_a_service_that_knows_get_alone(
        self, program: Program, simulator: Simulator, outside: Receiver
    ) -> None:
        """It gets that."""
        outside.statuses = [405, 200, 405, 200]
        told(program, ping_url=f"{outside.url}/p")
        ran = program.close(simulator, ids=[FIRST])
        assert outside.paths == ["POST /p/start", "GET /p/start", "POST /p", "GET /p"]
        assert news(ran) == [("notify.sent", "ping start", None), ("notify.sent", "ping", None)]

    def test_a_run_that_is_locked_out_or_stopped_before_it_began_fails(
        self, program: Program, simulator: Simulator, outside: Receiver
    ) -> None:
        """A dead key, found while the open batches are looked for, never gets as far as a run."""
        told(program, ping_url=f"{outside.url}/p")
        simulator.kill_key()
        ran = program.close(simulator, "--snapshot", "--open")
        assert ran.code == 5
        assert outside.paths == ["POST /p/fail"]
        assert b"stopped before it began: key" in outside.got[0].body


class TestWebhook:
    """The summary for programs."""

    def test_the_summary_is_posted_and_signed(
        self, program: Program, simulator: Simulator, outside: Receiver
    ) -> None:
        """Byte for byte summary.json, after every run, as the verify example of the docs wants it."""
        told(program, webhook_url=f"{outside.url}/hook?t=t0ken-in-a-url", webhook_secret=SECRET)
        ran = program.close(simulator, ids=[FIRST])
        (got,) = outside.got
        assert got.body == (ran.folder / "summary.json").read_bytes()
        verify = example()
        assert verify(got.headers, got.body, SECRET)
        assert not verify(got.headers, got.body + b" ", SECRET)
        assert not verify(got.headers, got.body, SECRET + "x")
        late = {**got.headers, "webhook-timestamp": str(int(got.headers["webhook-timestamp"]) - 301)}
        assert not verify(late, got.body, SECRET)
        assert_kept(program, ran.out, ran.err)


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C can't be sent to a process of its own there")
def test_ctrl_c_ends_the_waiting_alone(tmp_path: Path, simulator: Simulator, outside: Receiver) -> None:
    """The summary is there already, the lock is free, and the exit code stays that of the run."""
    outside.hangs.set()
    bench = Bench(tmp_path, simulator)
    bench.environ |= {
        "BATCH_CLOSER_NOTIFY_WEBHOOK_URL": f"{outside.url}/hook",
        "BATCH_CLOSER_NOTIFY_WEBHOOK_SECRET": SECRET,
    }
    with bench.start("close", FIRST, "--yes", "--run-id", "one") as program:
        until(lambda: outside.paths, "the webhook")
        assert program.stdout.startswith("Closed 1 batch")
        with RunLock(bench.state, simulator.url[7:], Holder(pid=1, host="here", run="next", since=0)):
            program.signal(signal.SIGINT)
            assert program.exit_code() == 0
    (failed,) = program.events("notify.failed")
    assert (failed["to"], failed["reason"]) == ("webhook", "interrupted")
    assert not program.complaints


def test_a_fault_of_the_program(
    program: Program, simulator: Simulator, outside: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told that the run broke off, and how to go on; for the metrics it is under way no more."""

    async def broken(self: EnergyCap, batch_id: int) -> None:
        raise RuntimeError(f"headers were {self._exchange._key_bytes.decode()}")

    monkeypatch.setattr(EnergyCap, "close", broken)
    metrics = program.folder / "m.prom"
    told(program, urls=f"json://{outside.place}")
    assert program.close(simulator, "--metrics-file", str(metrics), ids=[FIRST]).code == 1
    (message,) = (each.json for each in outside.got)
    assert message["title"].endswith("broke off, exit code 1")
    assert "batch-closer resume run-1" in message["message"]
    assert simulator.key not in message["message"]
    text = metrics.read_text(encoding="utf-8")
    assert re.search(r"^batch_closer_run_in_progress\{.*\} 0.0$", text, flags=re.MULTILINE)
    assert re.search(r"^batch_closer_last_exit_code\{.*\} 1.0$", text, flags=re.MULTILINE)


@pytest.mark.parametrize("agreed", [True, False])
def test_who_has_not_agreed_yet_is_at_the_terminal(agreed: bool, program: Program, outside: Receiver) -> None:
    """So nobody else is told that nothing was begun."""
    told(program, urls=f"json://{outside.place}")
    settings = resolve({"api__base_url": "https://example.com"}, os.environ, None)
    call = Call(settings=settings, key=SecretStr("k"), api_host="example.com", run_id="one", agreed=agreed)
    with pytest.raises(ConfigurationError), Telling(call, open_log(io.StringIO())):
        raise ConfigurationError("not agreed to")
    assert len(outside.got) == agreed


def test_check_finds_what_a_close_would_stumble_over(program: Program, simulator: Simulator) -> None:
    """In the same words."""
    told(program, urls="nonsense")
    program.environment(ENERGYCAP_API_KEY=simulator.key)
    ran = program.raw("check", "--base-url", simulator.url, "--state", str(program.state))
    assert ran.code == 2
    assert "notify.urls, number 1 can't be used" in ran.err


MISTAKES = [
    ({"urls": "nonsense"}, "notify.urls, number 1 can't be used"),
    ({"urls": "json://127.0.0.1 nope://t0ken-in-a-url"}, "notify.urls, number 2 can't be used"),
    ({"urls_file": "missing.txt"}, "notify.urls_file missing.txt can't be read"),
    ({"when": "sometimes"}, "setting notify.when = 'sometimes'"),
    ({"ping_url": "http://example.com/uuid-of-the-switch"}, "it must be https"),
    ({"ping_url": "uuid-of-the-switch"}, "it must be a URL that begins with https://"),
    ({"webhook_url": "https://[t0ken-in-a-url"}, "it is no URL"),
    ({"webhook_url": "https://example.com/t0ken-in-a-url"}, "notify.webhook_url needs a secret"),
    ({"webhook_url": "https://example.com", "webhook_secret": SECRET[:23]}, "is too short"),
    ({"webhook_url": "https://example.com", "webhook_secret": f"whsec_{SECRET}"}, "must be base64"),
]


@pytest.mark.parametrize(("names", "line"), MISTAKES, ids=[line for _, line in MISTAKES])
def test_mistakes_are_one_line_without_the_secret(
    names: dict[str, str], line: str, program: Program, simulator: Simulator
) -> None:
    """From the environment and from TOML; exit 2, and nothing is sent."""
    told(program, **names)
    by_environment = program.close(simulator, ids=[FIRST])
    told(program, **dict.fromkeys(names))
    config = program.folder / "notify.toml"
    lines = [
        f"{name} = {json.dumps(value.split() if name == 'urls' else value)}" for name, value in names.items()
    ]
    config.write_text("\n".join(["[notify]", *lines]), encoding="utf-8")
    by_file = program.close(simulator, "--config", str(config), ids=[FIRST])
    for ran in (by_environment, by_file):
        assert (ran.code, len(ran.err.splitlines())) == (2, 1)
        assert line in ran.err
        assert_kept(program, ran.err)
        assert SECRET[:23] not in ran.err
    assert not simulator.requests.by_route()


def test_urls_from_a_file(program: Program, simulator: Simulator, outside: Receiver) -> None:
    """One a line, beside those given; blank lines and comments are skipped. The ledger keeps none of it."""
    file = program.folder / "urls.txt"
    file.write_text(f"# the team\n\njson://user:t0ken-in-a-url@{outside.place}/team\n", encoding="utf-8")
    told(program, urls_file=str(file), urls=f"json://{outside.place}/me", when="always")
    ran = program.close(simulator, ids=[FIRST])
    assert sorted(outside.paths) == ["POST /me", "POST /team"]
    assert "notify" not in ran.events("run.started")[0]["settings"]
    assert_kept(program, ran.out, ran.err)
