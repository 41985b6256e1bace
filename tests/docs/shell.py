"""A shell as the README's reader has it: the program on the PATH, a home of its own, nothing else."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.docs.support import commands, fences, masked


def program_in(folder: Path) -> Path:
    """A folder with ``batch-closer`` in it, of the very code under test."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "batch-closer"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m worker "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return folder


class Shell:
    """Runs commands one after another; ``export`` lasts, and a simulator runs until the block ends."""

    def __init__(self, folder: Path, replaced: Mapping[str, str]) -> None:
        self._folder = folder
        self._replaced = dict(replaced)
        self._simulator: subprocess.Popen[str] | None = None
        path = f"{program_in(folder / 'bin')}{os.pathsep}{os.environ['PATH']}"
        self._environ = {"PATH": path, "HOME": str(folder / "home"), "COLUMNS": "80", "LANG": "C.UTF-8"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._simulator is not None:
            with self._simulator as simulator:
                simulator.terminate()

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; its exit code, and all that it printed."""
        for shown, real in self._replaced.items():
            command = command.replace(shown, real)
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self._environ[name] = value
            return 0, ""
        if command.startswith("batch-closer simulate "):
            return 0, self._simulate(command)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self._folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
        )
        return done.returncode, done.stdout

    def _simulate(self, command: str) -> str:
        port = re.search(r"--port (\d+)", command)
        assert port is not None, command
        words = shlex.split(command.replace(port[0], "--port 0"))
        self._simulator = subprocess.Popen(
            [sys.executable, "-m", "worker", *words[1:]],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        assert self._simulator.stdout is not None
        greeting = [self._simulator.stdout.readline() for _ in range(4)]
        self._replaced[f"http://127.0.0.1:{port[1]}"] = greeting[0].split()[1]
        return "".join(greeting)


def follow(shell: Shell, text: str, *, exact: str | None = None) -> None:
    """Run each command of the ``console`` blocks: what is shown under it comes out, in that order.

    Numbers may differ, but for the command ``exact``.
    """
    for block in fences(text, "console"):
        for shown in commands(block):
            code, output = shell.run(shown.command)
            stopped = any("Stopped early" in line for line in shown.output)
            assert code in ({4} if stopped else {0, 3}), f"{shown.command}: {code}\n{output}"
            is_exact = shown.command == exact
            rest = masked(output, exact=is_exact)
            for part in shown.parts(exact=is_exact):
                assert part in rest, f"{shown.command}: {part!r} is not in\n{output}"
                rest = rest.split(part, 1)[1]
