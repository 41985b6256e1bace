"""From targets to entries: what each target is, and which format its text has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from worker.sources.decode import Line, decode, split_lines
from worker.sources.elements import read_array
from worker.sources.ids import BLANKS, parse_id
from worker.sources.lines import is_skipped, read_json_lines, read_lines
from worker.sources.place import Entry, Source
from worker.sources.stream import Readable, open_file, unpack
from worker.sources.table import (
    has_delimiter,
    header_delimiter,
    is_numbered_header,
    named_delimiter,
    no_header,
    read_table,
    whole_header,
)
from worker.words.errors import InputError

STDIN = "-"
_BLANK = BLANKS + "\n"
_MARKUP = ("<!doctype", "<html", "<?xml")


def read_targets(
    targets: Sequence[str], *, column: str | None, stdin: BinaryIO, redact: Callable[[str], str] = str
) -> Iterator[Entry]:
    """Read batch ids from arguments (digits), files, and standard input (``-``), in the order given.

    ``column`` names the column or key that holds the ids in tables and JSON objects. ``redact`` hides a
    secret in whatever text is handed out. Text that is no id comes out as Rejected. Memory does not grow
    with the input. Raises InputError, possibly after entries were given, for an input that can't be read
    or understood: act on nothing before the end.
    """
    if column is not None and not column.strip():
        raise InputError("--column is empty; give the name of the column that holds the ids")
    if targets.count(STDIN) > 1:
        raise InputError("standard input (-) is named twice, but can be read only once; name it once")
    arguments = Source.of("arguments", column, redact)
    for position, target in enumerate(targets, start=1):
        if target.isascii() and target.isdigit():
            yield arguments.entry(position, parse_id(target), target)
        elif target == STDIN:
            yield from _read_stream(stdin, Source.of("stdin", column, redact))
        else:
            source = Source.of(target, column, redact)
            if not target:
                raise arguments.error("a target is empty; give a batch id, a file, or - for stdin", position)
            with open_file(target, source) as file:
                yield from _read_stream(file, source)


def _read_stream(stream: Readable, source: Source) -> Iterator[Entry]:
    skipped, pieces = _skip_blank(decode(unpack(stream, source), source))
    first = next(pieces, "")
    if first.lstrip(_BLANK).startswith("["):
        return read_array(chain((first,), pieces), source)
    return _read_text(split_lines(chain((first,), pieces), first=skipped + 1), source)


def _skip_blank(pieces: Iterator[str]) -> tuple[int, Iterator[str]]:
    """Drop blank lines at the start; give their number and the rest."""
    skipped = 0
    for piece in pieces:
        blank = len(piece) - len(piece.lstrip(_BLANK))
        start = piece.rfind("\n", 0, blank) + 1
        skipped += piece.count("\n", 0, start)
        if blank < len(piece):
            return skipped, chain((piece[start:],), pieces)
    return skipped, iter(())


def _read_text(lines: Iterator[Line], source: Source) -> Iterator[Entry]:
    first = _first_line(lines, source)
    if first is None:
        return iter(())
    text = first.text.strip()
    if text.casefold().startswith(_MARKUP):
        raise source.error("looks like a web page or XML; export CSV and give that file", first.number)
    if text.startswith("{"):
        return read_json_lines(first, lines, source)
    named = named_delimiter(first.text)
    if named is not None:
        header = _first_line(lines, source)
        return iter(()) if header is None else _table(header, lines, named, source)
    delimiter = header_delimiter(first.text, source.column)
    if delimiter is not None or has_delimiter(first.text):
        return _table(first, lines, delimiter, source)
    if source.column is not None:
        raise source.error(
            f"has no columns, so there is no '{source.column}'; leave --column out", first.number
        )
    return read_lines(chain((first,), lines), source)


def _first_line(lines: Iterator[Line], source: Source) -> Line | None:
    for line in lines:
        if not is_skipped(line.text) or is_numbered_header(line.text, source.column):
            return line
    return None


def _table(first: Line, lines: Iterator[Line], delimiter: str | None, source: Source) -> Iterator[Entry]:
    header = whole_header(first, lines, source)
    delimiter = delimiter or header_delimiter(header.text, source.column)
    if delimiter is None:
        raise no_header(header, source)
    return read_table(header, lines, delimiter, source)
