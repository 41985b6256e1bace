"""The log: JSON lines in the file, readable lines on the terminal, and never a failure of the run."""

from __future__ import annotations

import io
import json
import logging
import os
import stat
import string
from decimal import Decimal
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from worker.telemetry import Format, Level, Log, open_log

from .support import Clock, Terminal

texts = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["\x1b[2J", "\x9b31m", "\ud800", "\u202e", "a\nb"]
)
names = st.text(string.ascii_lowercase, min_size=1, max_size=8).filter(
    lambda name: name not in {"event", "level", "timestamp", "exception", "stack", "self"}
)
values = (
    texts
    | st.integers()
    | st.booleans()
    | st.none()
    | st.floats()
    | st.decimals()
    | st.lists(texts, max_size=2)
    | st.dictionaries(texts, texts | st.integers(), max_size=2)
)


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_form(tmp_path: Path) -> None:
    """A line has timestamp, level and event first, then the fields; the file is 0600."""
    path = tmp_path / "log.jsonl"
    log = open_log(io.StringIO(), path, clock=Clock(1.7e9 + 0.25))
    log.info("run.started", run_id="r1", total=Decimal("1.50"))
    log.close()
    assert path.read_text() == (
        '{"timestamp":"2023-11-14T22:13:20.250Z","level":"info","event":"run.started","run_id":"r1","total":"1.50"}\n'
    )
    assert os.name != "posix" or stat.S_IMODE(path.stat().st_mode) == 0o600
    assert log.broken == ()


@pytest.mark.parametrize(
    ("level", "shown", "kept"),
    [
        ("debug", ["debug", "info", "warning", "error"], ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"], ["info", "warning", "error"]),
        ("error", ["error"], ["info", "warning", "error"]),
    ],
)
def test_levels(tmp_path: Path, level: Level, shown: list[str], kept: list[str]) -> None:
    """Standard error follows the level; the file always has info at least."""
    stderr, path = io.StringIO(), tmp_path / "log.jsonl"
    log = open_log(stderr, path, level, "json")
    for say in (log.debug, log.info, log.warning, log.error):
        say("x.y")
    log.close()
    assert [json.loads(line)["level"] for line in stderr.getvalue().splitlines()] == shown
    assert [line["level"] for line in lines_of(path)] == kept


def test_file_later(tmp_path: Path) -> None:
    """A file added later begins with what was logged before; beyond a bound it says how much it lost."""
    path = tmp_path / "log.jsonl"
    log = open_log(io.StringIO())
    for number in range(1003):
        log.info("input.line_rejected", line=number)
    log.add_file(path)
    log.info("run.started")
    log.close()
    lines = lines_of(path)
    assert [line.get("line") for line in lines[:1000]] == list(range(1000))
    assert [line["event"] for line in lines[1000:]] == ["log.lines_lost", "run.started"]
    assert lines[1000]["count"] == 3


@given(st.dictionaries(names, values, max_size=5), texts, st.sampled_from(["console", "json"]))
def test_untrusted_text(fields: dict[str, object], message: str, fmt: Format) -> None:
    """Whatever the fields hold, one printable line reaches the terminal, and JSON means what was logged."""
    stderr = io.StringIO()
    log = open_log(stderr, fmt=fmt)
    log.warning("batch.settled", **{**fields, "message": message})
    (line,) = stderr.getvalue().split("\n")[:-1]
    assert line.isprintable()
    assert fmt == "console" or json.loads(line)["message"] == message.encode("utf-8", "replace").decode()
    assert log.broken == ()


def test_foreign_objects() -> None:
    """A foreign object is named by its type: its text might hold the key."""
    for fmt in ("console", "json"):
        stderr = io.StringIO()
        open_log(stderr, fmt="console" if fmt == "console" else "json").error("x.y", cause=OSError("secret"))
        assert "secret" not in stderr.getvalue()
        assert "<OSError>" in stderr.getvalue()


def test_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is colour on a terminal alone, and none if NO_COLOR is set."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    streams = [io.StringIO(), Terminal()]
    for stream in streams:
        open_log(stream, fmt="console").info("x.y")
    assert ["\x1b" in stream.getvalue() for stream in streams] == [False, os.name != "nt"]
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    open_log(terminal, fmt="console").info("x.y")
    assert "\x1b" not in terminal.getvalue()


def test_beside_a_bar(tmp_path: Path) -> None:
    """While a bar is shown, lines go above it and fine batches are left to it; the file has them all."""
    stderr, path = Terminal(), tmp_path / "log.jsonl"
    log = open_log(stderr, path, fmt="console")
    above: list[str] = []
    log.above_bar(above.append)
    log.settled(b'{"batch_id":1}\n', fine=True)
    log.settled(b'{"batch_id":2}\n', fine=False)
    log.info("run.paused")
    log.above_bar(None)
    log.settled(b'{"batch_id":3}\n', fine=True)
    log.close()
    assert [("batch 2" in line, "paused" in line) for line in above] == [(True, False), (False, True)]
    assert stderr.getvalue().count("\n") == 1
    assert len(lines_of(path)) == 4


class Gone(io.StringIO):
    """A stream whose reader went away."""

    def write(self, text: str) -> int:
        """Fail."""
        raise BrokenPipeError(32, "Broken pipe")


def noisy(log: Log) -> tuple[str, ...]:
    for _ in range(3):
        log.info("x.y")
    log.close()
    return log.broken


def test_broken_streams(tmp_path: Path) -> None:
    """A sink that fails is noted once, nothing is raised, and the other sink goes on."""
    closed = io.StringIO()
    closed.close()
    for stream in (Gone(), closed):
        path = tmp_path / f"{type(stream).__name__}.jsonl"
        assert len(noisy(open_log(stream, path))) == 1
        assert len(lines_of(path)) == 3
    stderr = io.StringIO()
    (note,) = noisy(open_log(stderr, tmp_path / "missing" / "log.jsonl"))
    assert note.startswith(str(tmp_path))
    assert stderr.getvalue().count("\n") == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk() -> None:
    """A full disk breaks the file alone."""
    (note,) = noisy(open_log(io.StringIO(), Path("/dev/full")))
    assert "No space left" in note


def test_nothing_global() -> None:
    """Opening a log leaves structlog's defaults and the standard library's loggers as they were."""
    before = structlog.get_config()["processors"][:], logging.getLogger().handlers[:]
    open_log(io.StringIO()).info("x.y")
    assert (structlog.get_config()["processors"], logging.getLogger().handlers) == before
    assert not structlog.is_configured()
