"""The program within this process: for a step whose death or signals are not what a test is about."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple
from unittest.mock import patch

from tests.process.program import Bench
from worker.cli.main import run


class Said(NamedTuple):
    """How it ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """Its lines on standard error that are no log events."""
        return [line for line in self.err.splitlines() if line and not line.startswith("{")]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log events of that name."""
        events = [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]
        return [event for event in events if event["event"] == name]


def call(bench: Bench, *arguments: object) -> Said:
    """Run the program to its end, with the bench's environment and state folder."""
    return called(bench.environ, *arguments, "--state", bench.state)


def called(environ: Mapping[str, str], *arguments: object) -> Said:
    """Run the program to its end, with this environment."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    with (
        patch.dict(os.environ, dict(environ), clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = run([str(each) for each in arguments])
    return Said(code, *(_text_of(each) for each in (out, err)))


def _text_of(written: io.TextIOWrapper) -> str:
    written.flush()
    buffer = written.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
