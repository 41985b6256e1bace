"""Standard input, output and error as the program can rely on them, whatever its caller left of them."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from worker.words.errors import OutputError


def fill_missing() -> None:
    """Put the null device in the place of each standard stream that is closed.

    A file opened later would get its number, and whatever is written to the stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)  # the lowest that is free, which is the stream's own
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def tell_unwritable() -> None:
    """Have standard output raise OutputError, once, where it can't be written.

    Whoever read it may be gone: what is written then is lost without a word, and changes nothing.
    """
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper) and type(getattr(out.buffer, "raw", out.buffer)) is io.FileIO:
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Output(out.fileno(), "w", closefd=False)),
            encoding=out.encoding,
            errors=out.errors,
            line_buffering=out.line_buffering,
        )


class _Output(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            # What is still buffered must not raise again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if isinstance(error, BrokenPipeError):
                return memoryview(data).nbytes
            raise OutputError(error.strerror or type(error).__name__) from None
