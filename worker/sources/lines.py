"""One id a line, and JSON lines: integers or objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain

from worker.sources.control import NO_CONTROL, control_of
from worker.sources.decode import Line
from worker.sources.ids import BLANKS, find_column, in_range, parse_id, wanted_names
from worker.sources.place import Entry, Source

Pairs = tuple[tuple[str, object], ...]

_EXPECTED = (
    "a single JSON object is no list of batches; expected an array of numbers, "
    "an array of objects with batchId, or one compact object a line"
)


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


_JSON = json.JSONDecoder(object_pairs_hook=tuple, parse_float=str, parse_constant=_refuse)


def is_skipped(text: str) -> bool:
    """Tell whether a line is blank or a comment."""
    body = text.strip(BLANKS)
    return not body or body.startswith("#")


def read_lines(lines: Iterable[Line], source: Source) -> Iterator[Entry]:
    """Read a line as an id or, if it begins with a brace, as a JSON object.

    A line that is neither, that is broken, or that is longer than MAX_LINE is Rejected, and the reading
    goes on. With a column asked for, only objects count. Raises InputError if none of them has that key.
    """
    seen = keyed = False
    for line in lines:
        text = line.text.strip(BLANKS)
        if not text or text.startswith("#"):
            continue
        seen = True
        batch_id, control = None, NO_CONTROL
        if text.startswith("{"):
            pairs = parse_object(line) or ()
            has_key, batch_id = id_of(pairs, source.column)
            control = control_of(pairs)
            keyed = keyed or has_key
        elif source.column is None and not line.cut:
            batch_id = parse_id(text)
        yield source.entry(line.number, batch_id, text, control)
    if seen and not keyed:
        check_keyed(source)


def read_json_lines(first: Line, lines: Iterator[Line], source: Source) -> Iterator[Entry]:
    """Read lines of which the first begins with a brace.

    Raises InputError if they are one object instead: pretty-printed, or around the real list.
    """
    pairs = parse_object(first)
    second = next((line for line in lines if not is_skipped(line.text)), None)
    if second is None:
        if pairs is None or not id_of(pairs, source.column)[0]:
            raise source.error(_EXPECTED, first.number)
        return read_lines([first], source)
    goes_on = first.text.rstrip(BLANKS).endswith(("{", "[", ",", ":"))
    if pairs is None and (goes_on or not second.text.strip(BLANKS).startswith("{")):
        raise source.error(_EXPECTED, first.number)
    return read_lines(chain((first, second), lines), source)


def check_keyed(source: Source) -> None:
    """Raise InputError if a column was asked for, in a source that turned out to have none of it."""
    if source.column is not None:
        raise source.error(f"no object has the key {wanted_names(source.column)}; check --column")


def parse_object(line: Line) -> Pairs | None:
    """Give the pairs of the JSON object on a line, repeated keys included; None if it is broken.

    A number with a point or an exponent comes as it is written: a sum of money is not to be rounded.
    """
    if line.cut:
        return None
    try:
        found = _JSON.decode(line.text)
    except (ValueError, RecursionError):  # broken, NaN, a number of thousands of digits; nested too deep
        return None
    return found if isinstance(found, tuple) else None


def id_of(pairs: Iterable[tuple[str, object]], column: str | None) -> tuple[bool, int | None]:
    """Say whether an object has the key, and the id under it.

    Only a JSON integer counts, and only if a single key can be meant.
    """
    keys, values = zip(*pairs, strict=True) if pairs else ((), ())
    found = find_column(keys, column)
    value = values[found[0]] if len(found) == 1 else None
    return bool(found), value if type(value) is int and in_range(value) else None
