"""Standard input, output and error as the program can rely on them, whatever its caller left of them."""

from __future__ import annotations

import os
import sys


def fill_missing() -> None:
    """Put the null device in the place of each standard stream that is closed.

    A file opened later would get its number, and whatever is written to the stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is the stream's own
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
