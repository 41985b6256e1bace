"""The program as a process forked from one that has loaded it: most of a short run is loading.

What is forked is a process like any other, with its own signals, files and end. The tests of the README's
commands, of the shell and of the terminal start the program as users do.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from worker.cli.main import VERBS, main

_AT_START: Final = ("PYTHON", "LANG", "LC_", "TZ")
"""What the interpreter heeds only when it starts."""
_LOADED: Final = (
    __name__,
    *(verb.module for verb in VERBS.values()),
    "worker.report.page",
    "anyio._backends._asyncio",
)


def can_fork(environ: Mapping[str, str]) -> bool:
    """Whether the program would be the same: not in another locale, and not on Windows."""

    def at_start(names: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in names.items() if name.startswith(_AT_START)}

    return "forkserver" in multiprocessing.get_all_start_methods() and at_start(environ) == at_start(
        os.environ
    )


class Forked:
    """The program under way; to be used as a ``subprocess.Popen``."""

    stdin = None

    def __init__(
        self, arguments: Sequence[str], environ: Mapping[str, str], stdout: Path, stderr: Path
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_LOADED))
        self._process = context.Process(
            target=_become, args=(tuple(arguments), dict(environ), Path.cwd(), (stdout, stderr))
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, less than 0 for a signal; None while it goes on."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it exits. Raises TimeoutExpired where that takes too long."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("batch-closer", timeout or 0.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it is still there."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it with no chance to say a word."""
        self._process.kill()


def _become(
    arguments: Sequence[str], environ: Mapping[str, str], folder: Path, outputs: tuple[Path, Path]
) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    for number, path in enumerate((Path(os.devnull), *outputs)):
        opened = os.open(path, os.O_WRONLY if number else os.O_RDONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout = _text(0, "r"), _text(1, "w")
    sys.stderr = _text(2, "w")
    sys.argv = ["batch-closer", *arguments]
    main()


def _text(number: int, mode: str) -> io.TextIOWrapper:
    """A standard stream as the interpreter makes it."""
    stream = os.fdopen(number, mode, buffering=1 if number == 2 else -1, encoding="utf-8", closefd=False)
    assert isinstance(stream, io.TextIOWrapper)
    return stream
