"""From bytes to text, and from text to numbered lines, in memory that does not grow with the input."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from worker.sources.place import Source
from worker.sources.stream import CHUNK, Peeked, reading

MAX_LINE = 1 << 20
"""The most characters of a line that are kept; also the limit for a table's row and a JSON element."""

_BOMS = (  # the 32-bit ones first: a UTF-16 LE mark begins a UTF-32 LE one
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Line(NamedTuple):
    """A physical line without its end. ``cut`` says that only its first MAX_LINE characters are here."""

    number: int
    text: str
    cut: bool = False


def detect_encoding(head: bytes) -> tuple[str | None, int]:
    """Say how the text is encoded and how many bytes its mark takes; None if it looks binary."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding, len(mark)
    if b"\0" not in head:
        return "utf-8", 0
    even, odd = head[0::2], head[1::2]
    if b"\0" not in even and odd and odd.count(0) * 2 >= len(odd):
        return "utf-16-le", 0
    if b"\0" not in odd and odd and even.count(0) * 2 >= len(even):
        return "utf-16-be", 0
    return None, 0


def decode(peeked: Peeked, source: Source) -> Iterator[str]:
    """Give the text in pieces, every line end as a line feed. Raises InputError for what is no text."""
    encoding, mark = detect_encoding(peeked.head)
    if encoding is None:
        raise source.error("looks like a binary file; export it as CSV and give that file")
    peeked.read(mark)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    ended = 0
    final = False
    while not final:
        with reading(source):
            data = peeked.read(CHUNK)
        final = not data
        try:
            text = decoder.decode(data, final=final)
        except UnicodeDecodeError as error:
            raise source.error(
                f"not valid {encoding.upper()}; save it as UTF-8 (in Excel: 'CSV UTF-8') and try again",
                line=ended + _lines_before(error) + 1,
            ) from None
        ended += text.count("\n")
        if text:
            yield text


def _lines_before(error: UnicodeDecodeError) -> int:
    good = error.object[: error.start].decode(error.encoding, "replace")
    return good.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def split_lines(pieces: Iterable[str], first: int = 1) -> Iterator[Line]:
    """Number the lines, from ``first``, and keep at most MAX_LINE characters of each."""
    number, kept, cut = first, "", False
    for piece in pieces:
        *ended, rest = piece.split("\n")
        for text in ended:
            yield _line(number, kept + text, cut=cut)
            number, kept, cut = number + 1, "", False
        if not cut:  # of a line that never ends, no more than this is ever held
            kept += rest
            cut = len(kept) > MAX_LINE
    if kept:
        yield _line(number, kept, cut=cut)


def _line(number: int, text: str, *, cut: bool) -> Line:
    return Line(number, text[:MAX_LINE], cut or len(text) > MAX_LINE)
