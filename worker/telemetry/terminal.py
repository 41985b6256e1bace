"""What a stream can show: a terminal may be none, too dumb for moving about, or asked to be plain."""

from __future__ import annotations

import os
import shutil
from typing import Final, TextIO

_DUMB: Final = {"dumb", "unknown"}
_WIDEST: Final = 100
_ELSEWHERE: Final = 80


def draws(stream: TextIO) -> bool:
    """Whether lines that were written can be drawn over."""
    return stream.isatty() and os.environ.get("TERM", "") not in _DUMB


def colours(stream: TextIO) -> bool:
    """Whether text may be coloured: on a terminal that can, unless NO_COLOR is set."""
    return draws(stream) and not os.environ.get("NO_COLOR")


def width_of(stream: TextIO) -> int:
    """Cells in a line, no more than are read with ease; 80 where there is no terminal."""
    return min(shutil.get_terminal_size().columns, _WIDEST) if stream.isatty() else _ELSEWHERE
