"""Bytes of a file or of standard input: opened, unpacked if gzipped, and refused if they are no text.

Everything is recognised from the first bytes, read once and handed on, so pipes work.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from worker.sources.place import Source

CHUNK = 1 << 16
_HEAD = 4096
_GZIP = b"\x1f\x8b"
_EXPORT = "export it as CSV and give that file"
_LOOKS_LIKE = (
    (_GZIP, "gzip inside gzip; unpack it once"),
    (b"PK\x03\x04", f"an Excel workbook (.xlsx) or another zip archive; {_EXPORT}"),
    (b"PK\x05\x06", "an empty zip archive; give the file that should be in it"),
    (b"\xd0\xcf\x11\xe0", f"an old Excel or Word file; {_EXPORT}"),
    (b"%PDF-", f"a PDF; {_EXPORT}"),
    (b"{\\rtf", "a rich text document; save it as plain text or CSV"),
    (b"BZh91AY&SY", "a bzip2 archive; unpack it or pack it with gzip"),
    (b"\xfd7zXZ", "an xz archive; unpack it or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it or pack it with gzip"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it or pack it with gzip"),
    (b"Rar!\x1a", "a rar archive; unpack it or pack it with gzip"),
    (b"SQLite format 3\0", f"a SQLite database; {_EXPORT}"),
    (b"PAR1\x15", f"a Parquet file; {_EXPORT}"),
    (b"\x89PNG", f"a picture; {_EXPORT}"),
    (b"\xff\xd8\xff", f"a picture; {_EXPORT}"),
)


class Readable(Protocol):
    """A stream of bytes: ``read(n)`` gives at most n, and none at the end."""

    def read(self, n: int, /) -> bytes:
        """Give up to n bytes."""
        ...


class Peeked(io.RawIOBase):
    """A stream whose first bytes are known before they are read."""

    def __init__(self, stream: Readable) -> None:
        super().__init__()
        self._stream = stream
        self.head = b""
        while len(self.head) < _HEAD and (more := self._more(_HEAD - len(self.head))):
            self.head += more
        self._kept = self.head

    def read(self, n: int = CHUNK, /) -> bytes:
        """Give up to n bytes, the known ones first."""
        if not self._kept:
            return self._more(n)
        data, self._kept = self._kept[:n], self._kept[n:]
        return data

    def _more(self, n: int) -> bytes:
        data: bytes | None = self._stream.read(n)
        if data is None:  # a non-blocking stream with nothing to give yet: not its end
            raise BlockingIOError("the stream is in non-blocking mode")
        return data


@contextmanager
def open_file(name: str, source: Source) -> Iterator[BinaryIO]:
    """Open a file for reading. Raises InputError if that can't be done."""
    path = Path(name)
    try:
        if path.is_dir():
            raise source.error("is a folder; name the file in it")
        file = path.open("rb")
    except FileNotFoundError:
        raise source.error("no such file; check the name (a batch id is digits alone)") from None
    except (OSError, ValueError) as error:
        raise source.error(
            f"can't be opened ({_reason(error)}); check the name and its permissions"
        ) from None
    with file:
        yield file


def unpack(stream: Readable, source: Source) -> Peeked:
    """Peek into a stream, through gzip where there is any. Raises InputError if it is not text."""
    with reading(source):
        peeked = Peeked(stream)
        if peeked.head.startswith(_GZIP):
            peeked = Peeked(gzip.GzipFile(fileobj=peeked, mode="rb"))
    for magic, what in _LOOKS_LIKE:
        if peeked.head.startswith(magic):
            raise source.error(f"looks like {what}")
    return peeked


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """Turn what may go wrong while bytes are read into InputError."""
    try:
        yield
    except EOFError:
        raise source.error("the gzip file ends too early; fetch or make it again") from None
    except (zlib.error, gzip.BadGzipFile):
        raise source.error("the gzip file is damaged; fetch or make it again") from None
    except (OSError, ValueError) as error:
        raise source.error(f"can't be read ({_reason(error)}); check it and try again") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
