"""The key appears in no file, no output, no log and no message, whatever happens."""

from __future__ import annotations

import base64
import html
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tests.e2e.support import FIRST, QUICK, Program, Ran, a_world
from worker.energycap.client import EnergyCap
from worker.simulator.options import Options
from worker.simulator.running import simulator_thread
from worker.simulator.scripts import script, scripted

KEY = "K3y/of+a=Made&Up<User>-4f2a1c"
FORMS = {
    form
    for text in (KEY, KEY + "\n")
    for form in (
        text.strip(),
        quote(KEY, safe=""),
        quote_plus(KEY),
        html.escape(KEY),
        json.dumps(KEY)[1:-1],
        base64.b64encode(text.encode()).decode(),
        base64.urlsafe_b64encode(text.encode()).decode(),
        text.encode().hex(),
    )
}


def assert_hidden(program: Program, *texts: str) -> None:
    """Scan every name and every byte below the state folder, and the texts."""
    parts = [text.encode() for text in texts]
    for path in program.state.rglob("*"):
        parts.append(str(path.relative_to(program.state)).encode())
        if path.is_file():
            parts.append(path.read_bytes())
    everything = b"\0".join(parts)
    found = [form for form in FORMS if form.encode() in everything]
    assert not found
    assert b"Traceback" not in b"\0".join(text.encode() for text in texts)


def hidden(program: Program, ran: Ran) -> None:
    assert_hidden(program, ran.out, ran.err)


@pytest.mark.parametrize("level", ["debug", "info"])
def test_a_server_that_echoes_the_request(program: Program, level: str) -> None:
    """A 400 that repeats every header, a dead key, lost answers: nothing of it shows the key."""
    ids = range(FIRST, FIRST + 8)
    kinds = ["echo_key", "500", "drop_after", "truncated", "redirect", "bad_http", "401", "huge"]
    faults = scripted(
        by_id={
            i: script(put=[kind], get=["echo_key"] if i % 2 else [])
            for i, kind in zip(ids, kinds, strict=True)
        },
        me=["echo_key"],
    )
    options = Options(faults=faults, key=KEY, huge_bytes=1_500_000)
    with simulator_thread(options, world=a_world(8)) as simulator:
        ran = program.close(simulator, "--abort", "none", "--log-level", level, ids=ids)
    assert ran.code == 3
    hidden(program, ran)


@pytest.mark.parametrize("shape", ["json", "escaped", "text", "html", "list", "batch"])
def test_a_server_that_says_the_key(program: Program, shape: str) -> None:
    """The key within the words of an error, or of a batch, in any shape: it is blotted out."""
    with saying(shape) as url:
        program.environment(ENERGYCAP_API_KEY=KEY)
        ran = program.raw(
            *("close", "7", "--base-url", url, "--state", str(program.state), "--yes", *QUICK),
            *("--log-level", "debug", "--max-attempts", "2"),
        )
    assert ran.code in {0, 3}
    assert "***" in ran.out or shape == "batch"
    hidden(program, ran)


@contextmanager
def saying(shape: str) -> Iterator[str]:
    """A server that says the key it was sent."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            key = self.headers["ECI-ApiKey"]
            bodies: dict[str, Any] = {
                "json": json.dumps({"message": f"bad key {key}"}),
                "escaped": json.dumps({"message": f"bad key {key}"})
                .replace("/", "\\/")
                .replace("+", "\\u002B"),
                "text": f"bad key {key}",
                "html": f"<html><title>bad key {html.escape(key)}</title></html>",
                "list": json.dumps([{"errors": [key]}]),
                "batch": json.dumps(
                    {"batchId": 7, "batchStatus": "closed", "batchCode": key, "endDate": key, "note": key}
                ),
            }
            body = bodies[shape].encode()
            self.send_response(200 if shape == "batch" else 400, f"Bad {key}")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", f"/{key}")
            self.send_header("Retry-After", key)
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_GET = answer  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rate", KEY],
        ["--key", KEY],
        [f"--api-key={KEY}"],
        ["--abort", KEY],
        ["--run-id", KEY],
        ["--base-url", KEY],
        ["--base-url", f"http://127.0.0.1:9/?key={KEY}"],
        ["--config", KEY],
        [KEY],
        ["--column", KEY],
        ["--ok", KEY],
    ],
)
def test_a_key_in_the_wrong_place(program: Program, arguments: list[str]) -> None:
    """Given as a flag or as a target by mistake, it isn't repeated in the error."""
    (program.folder / "ids.csv").write_text("batchId\n1\n")
    program.environment(ENERGYCAP_API_KEY=KEY)
    told = ["--base-url", "http://127.0.0.1:9", "--state", str(program.state), "--yes"]
    ran = program.raw("close", str(program.folder / "ids.csv"), *told, *arguments)
    assert ran.code == 2
    hidden(program, ran)


def test_a_key_in_the_config_file(program: Program) -> None:
    """A TOML file that holds the key under a name that isn't known, or as the wrong value."""
    program.environment(ENERGYCAP_API_KEY=KEY)
    for text in (f'api.key = "{KEY}"', f'limits.rate_per_s = "{KEY}"', f'"{KEY}" = 1', f'api."{KEY}" = 1'):
        config = program.folder / "settings.toml"
        config.write_text(text)
        ran = program.raw("close", "1", "--config", str(config), "--state", str(program.state), "--yes")
        assert ran.code == 2
        hidden(program, ran)


@pytest.mark.parametrize("text", [f"{KEY}\n", f"1001\n{KEY}\n1002\n", f"batchId\n{KEY}\n", f'["{KEY}", 5]'])
def test_the_key_file_as_a_target(program: Program, text: str) -> None:
    """The file that holds the key is given as input: its line is invalid, and not shown."""
    file = program.folder / "secret.txt"
    file.write_text(text)
    with simulator_thread(Options(key=KEY), world=a_world(3)) as simulator:
        program.environment(ENERGYCAP_API_KEY_FILE=str(file))
        ran = program.close(simulator, str(file), "--log-level", "debug")
    assert ran.code == 3
    assert ran.summary["outcomes"]["invalid"] >= 1
    hidden(program, ran)


def test_a_crash(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the program itself, with the key in its text and in its frames, is one line without it."""

    async def broken(self: EnergyCap, batch_id: int) -> None:
        raise RuntimeError(f"headers were {self._exchange._key_bytes.decode()}")

    monkeypatch.setattr(EnergyCap, "close", broken)
    with simulator_thread(Options(key=KEY), world=a_world(3)) as simulator:
        ran = program.close(simulator, "--log-level", "debug", ids=range(FIRST, FIRST + 3))
    assert ran.code == 1
    assert "internal error" in ran.err
    assert ran.err.strip().count("\n") == 0 or "batch-closer: internal error" in ran.err.splitlines()[-1]
    hidden(program, ran)


def test_a_process_of_its_own(program: Program, tmp_path: Path) -> None:
    """The same through ``python -m worker``: nothing of it on a stream or in a file."""
    faults = scripted(by_id={FIRST: script(put=["echo_key"]), FIRST + 1: script(put=["500"])})
    with simulator_thread(Options(key=KEY, faults=faults), world=a_world(5)) as simulator:
        told = ("--base-url", simulator.url, "--state", str(program.state), "--yes", "--log-level", "debug")
        ended = subprocess.run(
            [sys.executable, "-m", "worker", "close", str(FIRST), str(FIRST + 1), *told],
            env={**os.environ, "ENERGYCAP_API_KEY": KEY},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 3
    assert_hidden(program, ended.stdout, ended.stderr)
    assert not [path for path in tmp_path.iterdir() if path != program.state]


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_key_in_the_place_of_its_file_is_not_shown(program: Program, where: str) -> None:
    """An easy slip: the setting that names the key's file is given the key."""
    config = program.folder / "settings.toml"
    config.write_text(
        'api.base_url = "http://127.0.0.1:9"\n' + f'api.key_file = "{KEY}"\n' * (where == "file")
    )
    given = {"ENERGYCAP_API_KEY": None, "ENERGYCAP_API_KEY_FILE": KEY if where == "environment" else None}
    program.environment(**given)
    for verb in (("close", "1", "--yes"), ("plan", "1"), ("check",)):
        ran = program.raw(*verb, "--config", str(config), "--state", str(program.state))
        assert ran.code == 2
        assert "ENERGYCAP_API_KEY" in ran.err + ran.out
        hidden(program, ran)
