"""The file that node_exporter reads: there as a whole or not at all, and readable for another user."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from worker.words.errors import ConfigurationError

SUFFIX: Final = ".prom"
_READABLE: Final = 0o644
"""Unlike the files of a run it holds counts and sums alone, and node_exporter is another user."""


def check_place(path: Path) -> None:
    """Raise ConfigurationError where a metrics file can't be written, or would never be read."""
    if path.suffix != SUFFIX:
        raise ConfigurationError(
            f"output.metrics_file {path} can't be used: its name must end with {SUFFIX}, "
            "for node_exporter reads no other"
        )
    try:
        if path.is_dir():
            raise ConfigurationError(f"output.metrics_file {path} can't be written: it is a folder")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"output.metrics_file {path} can't be written: {error.strerror or type(error).__name__}; "
            "make its folder writable for this user, or choose another file"
        ) from None


def write(path: Path, text: bytes) -> None:
    """Put ``text`` into the place of the file. Raises OSError; then the old file stands."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_READABLE)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
