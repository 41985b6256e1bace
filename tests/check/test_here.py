"""What may be wrong on this machine."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.check.support import KEY, Checker, serving
from tests.ledger.support import listed, new_run
from tests.ledger.test_lock import contending
from worker.ledger import Holder, RunEnd, RunLock, open_ledger

ALL_OF_STATE = ["state_folder", "ledger", "lock", "unfinished_runs"]


def _host(url: str) -> str:
    return url.partition("//")[2]


def test_no_key(checker: Checker) -> None:
    """Exit 2, nothing is sent, and what needs no key is checked."""
    with serving({}) as server:
        checked = checker(server.url, key=None)
        assert not server.seen
    assert checked.code == 2
    assert checked.named("failed") == ["key"]
    assert "ENERGYCAP_API_KEY" in checked.found("key")
    assert [name for name in checked.named("ok") if name != "settings"] == ALL_OF_STATE


def test_a_key_file(checker: Checker) -> None:
    """The file is named, or what is wrong with it is said."""
    file = checker.program.folder / "key"
    checker.program.environment(ENERGYCAP_API_KEY_FILE=str(file))
    with serving({}) as server:
        missing = checker(server.url, key=None)
        file.write_text(KEY)
        present = checker(server.url, key=None)
    assert (missing.code, present.code) == (2, 0)
    assert "No such file" in missing.found("key")
    assert str(file) in present.found("key")


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--rate", "0"), "limits.rate_per_s"),
        (("--config", "none.toml"), "none.toml"),
        (("--ca-file", "no.pem"), "no.pem"),
    ],
)
def test_bad_configuration(checker: Checker, flags: tuple[str, ...], word: str) -> None:
    """One line, exit 2, nothing sent: without settings there is nothing to check."""
    with serving({}) as server:
        ran = checker.raw(server.url, *flags)
        assert not server.seen
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert word in ran.err


def test_where_the_settings_come_from(checker: Checker) -> None:
    """The config file is named, and a rate that nobody set is said to be the default."""
    file = checker.program.folder / "my.toml"
    file.write_text("limits.burst = 50\n")
    told = ["--state", str(checker.state), "--config", str(file)]
    with serving({}) as server:
        checker.program.environment(ENERGYCAP_API_KEY=KEY, BATCH_CLOSER_BASE_URL=server.url)
        by_default = checker.program.raw("check", *told)
        file.write_text("limits.rate_per_s = 500\n")
        given = checker.program.raw("check", *told)
    assert "5 a second, the default" in " ".join(by_default.out.split())
    assert "500 a second;" in " ".join(given.out.split())
    assert str(file.name) in given.out


def test_a_state_folder_that_cannot_be(checker: Checker) -> None:
    """A file in its place: exit 1; what is in the folder is skipped, the API is checked all the same."""
    checker.state.write_text("")
    with serving({}) as server:
        checked = checker(server.url)
    assert checked.code == 1
    assert checked.named("failed") == ["state_folder"]
    assert "--state" in checked.found("state_folder")
    assert checked.named("skipped")[-3:] == ALL_OF_STATE[1:]
    assert checked.state("list") == "ok"


def _garbage(ledger: Path) -> None:
    ledger.write_bytes(b"no database " * 100)


def _newer(ledger: Path) -> None:
    with open_ledger(ledger.parent):
        pass
    connection = sqlite3.connect(ledger)
    connection.execute("PRAGMA user_version = 999")
    connection.close()


@pytest.mark.parametrize(("spoil", "word"), [(_garbage, "not a ledger"), (_newer, "schema 999")])
def test_a_ledger_that_cannot_be_used(checker: Checker, spoil: object, word: str) -> None:
    """Exit 1 with the remedy; the lock is checked all the same."""
    assert callable(spoil)
    checker.state.mkdir()
    spoil(checker.state / "ledger.db")
    with serving({}) as server:
        checked = checker(server.url)
    assert checked.code == 1
    assert checked.named("failed") == ["ledger"]
    assert word in checked.found("ledger")
    assert checked.state("lock") == "ok"
    assert checked.state("unfinished_runs") == "skipped"


def test_a_lock_that_another_process_holds(checker: Checker) -> None:
    """Exit 75, naming the holder; another host's lock doesn't matter, and none is left behind."""
    checker.state.mkdir()
    with serving({}) as server:
        host = _host(server.url)
        with contending(checker.state, "first", host=host) as (holder,):
            holder.go()
            assert holder.hear() == "held"
            held = checker(server.url)
            assert f"pid {holder.process.pid} on server, run first" in held.found("lock")
        with RunLock(checker.state, "other.example.com", Holder(pid=1, host="x", run="other", since=0.0)):
            free = checker(server.url)
        with RunLock(checker.state, host, Holder(pid=1, host="x", run="next", since=0.0), patience_s=0.0):
            pass
    assert held.code == 75
    assert held.named("failed") == ["lock"]
    assert held.state("unfinished_runs") == "skipped"
    assert free.code == 0


def test_an_unfinished_run(checker: Checker) -> None:
    """A warning with the command for the last one on this host; finished ones and others' don't count."""
    with serving({}) as server:
        with open_ledger(checker.state) as store:
            for run_id, host in (
                ("old", _host(server.url)),
                ("mine", _host(server.url)),
                ("theirs", "other"),
            ):
                run = store.plan(new_run(run_id, host), listed([1, 2, 3]))
                store.start_session(run, started_at=1_760_000_000.0, pid=1, who="ops@server")
            done = store.plan(new_run("done", _host(server.url)), [])
            store.start_session(done, started_at=1.0, pid=1, who="ops@server")
            store.finish_run(done, RunEnd(finished_at=2.0, exit_code=0, summary="{}"))
            store.plan(new_run("unbegun", _host(server.url)), listed([4]))
        checked = checker(server.url)
    assert checked.code == 0
    assert checked.named("warning") == ["unfinished_runs"]
    found = checked.found("unfinished_runs")
    assert "2 runs, the last mine of 2025-10-09T08:53:20.000Z with 3 batches left" in found
    assert f"`batch-closer resume mine --state {checker.state}`" in found
    assert "5 runs" in checked.found("ledger")
