"""What the tests of this folder share."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, cast

from worker.sources import Entry, Listed, read_targets


def read(data: str | bytes, column: str | None = None, redact: Callable[[str], str] = str) -> list[Entry]:
    """Read standard input to its end."""
    raw = data.encode() if isinstance(data, str) else data
    return list(read_targets(["-"], column=column, stdin=io.BytesIO(raw), redact=redact))


def brief(entries: Iterable[Entry]) -> list[tuple[int, int | str]]:
    """Shorten entries to line and id, or line and text."""
    return [(e.line, e.batch_id if isinstance(e, Listed) else e.text) for e in entries]


def packed(data: bytes) -> bytes:
    """Gzip without the time of day, which would get into the names of tests."""
    return gzip.compress(data, mtime=0)


class _Made(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._kept = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the buffer that io hands in
        data = self._kept or next(self._pieces, b"")
        data, self._kept = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def stream_of(pieces: Iterable[bytes]) -> BinaryIO:
    """Make a stream, not seekable and not buffered, of pieces that need not exist at once."""
    return cast("BinaryIO", _Made(iter(pieces)))
