"""A pseudo-terminal: the program at its keyboard, and what is seen on its screen."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.process.program import PATIENCE_S, Bench

COLUMNS, ROWS = 80, 24
# The terminal must become the process's own, so that ctrl-C is a signal.
_ADOPT = (
    "import fcntl, os, sys, termios; "
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
_PIECE = re.compile(r"\x1b\[(?P<args>[?\d;]*)(?P<act>[A-Za-z])|(?P<text>[^\x00-\x1f]+)|(?P<move>[\r\n])")


class Terminal:
    """The program with keyboard and screen; killed by its pid when the block ends."""

    def __init__(
        self, bench: Bench, *arguments: object, columns: int = COLUMNS, term: str = "xterm-256color"
    ) -> None:
        self._columns = columns
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        command = [sys.executable, "-m", "worker", *map(str, arguments), "--state", str(bench.state)]
        kept = {name: value for name, value in bench.environ.items() if name not in {"COLUMNS", "LINES"}}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ADOPT, *command],
            env=kept | {"TERM": term},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._raw = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    @property
    def raw(self) -> str:
        """Everything that was written to it so far."""
        while select.select([self._master], [], [], 0.002)[0]:
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            self._raw += piece
        return self._raw.decode(errors="replace")

    def until(self, condition: Callable[[str], object], what: str) -> None:
        """Read until something is so."""
        give_up_at = time.monotonic() + PATIENCE_S
        while not condition(self.raw):
            assert time.monotonic() < give_up_at, f"waited in vain for {what}: {self.raw[-500:]!r}"

    def exit_code(self) -> int:
        """Read on until the program exits."""
        self.until(lambda _: self.process.poll() is not None, "the program to end")
        assert "Traceback" not in self.raw
        return self.process.wait()

    @property
    def lines(self) -> list[str]:
        """What a person sees after everything that was written."""
        return screen(self.raw, self._columns)


def screen(raw: str, columns: int = COLUMNS) -> list[str]:
    """The lines that a terminal shows, without trailing blanks; an unknown sequence fails."""
    lines: list[str] = [""]
    row = column = at = 0
    while at < len(raw):
        piece = _PIECE.match(raw, at)
        assert piece is not None, f"garbage: {raw[at : at + 20]!r}"
        at = piece.end()
        if piece["move"]:
            column = 0 if piece["move"] == "\r" else column
            row += piece["move"] == "\n"
        elif piece["text"]:
            for character in piece["text"]:
                if column == columns:
                    row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
                lines[row] = lines[row][:column].ljust(column) + character + lines[row][column + 1 :]
                column += 1
        elif piece["act"] == "A":
            row = max(0, row - int(piece["args"] or 1))
        elif piece["act"] == "K":
            lines += [""] * (row + 1 - len(lines))
            lines[row] = "" if piece["args"] == "2" else lines[row][:column]
        else:
            assert piece["act"] in {"m", "h", "l"}, f"garbage: {piece[0]!r}"
    return [line.rstrip() for line in lines]
