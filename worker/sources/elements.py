"""A JSON array, read element by element."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any

import ijson

from worker.sources.control import control_of
from worker.sources.decode import MAX_LINE
from worker.sources.ids import in_range
from worker.sources.lines import check_keyed, id_of
from worker.sources.place import Entry, Source

Event = tuple[str, Any]

_KEPT_EVENTS = 1000  # each gives a character or more of the text that is shown
_OPEN = {"start_map": "{", "start_array": "["}
_CLOSE = {"end_map": "}", "end_array": "]"}


def read_array(pieces: Iterable[str], source: Source) -> Iterator[Entry]:
    """Read integers and objects; ``line`` is the element's number, from 1.

    With a column asked for, only objects count. Raises InputError for broken JSON, for an element longer
    than MAX_LINE characters or an integer of thousands of digits, and if no object has the column's key.
    """
    number, keyed = 0, False
    for number, element in enumerate(_elements(pieces, source), start=1):
        pairs = list(_pairs(element))
        has_key, batch_id = _id_of(element, pairs, source.column)
        keyed = keyed or has_key
        text = _text(element) if batch_id is None else ""
        yield source.entry(number, batch_id, text, control_of(pairs))
    if number and not keyed:
        check_keyed(source)


def _elements(pieces: Iterable[str], source: Source) -> Iterator[Sequence[Event]]:
    group = _Group()
    number = pending = 0
    with _parser() as (parser, events):
        for piece in chain(pieces, ("",)):  # nothing at all tells the parser that it is the end
            well = _send(parser, piece.encode(), source, number)
            for event in events:
                element = group.add(event)
                if element:
                    number, pending = number + 1, 0
                    yield element
            events.clear()
            if not well:
                raise source.error(
                    f"not valid JSON after element {number}, or cut short; make the file again"
                )
            pending += len(piece)
            if pending > MAX_LINE:
                raise source.error(f"element {number + 1} is longer than {MAX_LINE} characters; shorten it")


@contextmanager
def _parser() -> Iterator[tuple[Any, Any]]:
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events)
    try:
        yield parser, events
    finally:
        with suppress(ijson.JSONError, RuntimeError):  # left early, it complains of what it did not get
            parser.close()


def _send(parser: Any, data: bytes, source: Source, number: int) -> bool:
    """Give bytes to the parser; tell whether they were well-formed."""
    try:
        parser.send(data)
    except StopIteration:  # the end, as it should be
        return True
    except ijson.JSONError:
        return False
    except (SystemError, ValueError, RecursionError):
        # The events must stay unread: the C parser may have left one without its value.
        raise source.error(f"a value after element {number} is too big to be read; remove it") from None
    return True


class _Group:
    """Gathers parse events until they make up an element of the outer array."""

    def __init__(self) -> None:
        self._depth = 0  # 1 inside the outer array, 2 inside an element
        self._events: list[Event] = []

    def add(self, event: Event) -> Sequence[Event] | None:
        """Take an event; give the element that it completes.

        Of a large element only the beginning and what stands directly in it are kept.
        """
        kind = event[0]
        if kind in _CLOSE:
            self._depth -= 1
        if self._depth > 0 and (self._depth <= 2 or len(self._events) < _KEPT_EVENTS):
            self._events.append(event)
        if kind in _OPEN:
            self._depth += 1
        if self._depth != 1 or not self._events:
            return None
        element, self._events = self._events, []
        return element


def _id_of(
    element: Sequence[Event], pairs: Sequence[tuple[str, object]], column: str | None
) -> tuple[bool, int | None]:
    kind, value = element[0]
    if kind == "start_map":
        return id_of(pairs, column)
    plain = column is None and kind == "number" and isinstance(value, int) and in_range(value)
    return False, value if plain else None


def _pairs(element: Sequence[Event]) -> Iterator[tuple[str, object]]:
    """Give an object's keys and values, none for anything else; a list or an object in it comes out empty."""
    if element[0][0] != "start_map":
        return
    depth = 0
    key: str | None = None
    for kind, value in element[1:-1]:
        depth -= kind in _CLOSE
        if depth == 0 and kind == "map_key":
            key = value
        elif depth == 0 and key is not None:
            yield key, [] if kind in _OPEN else value
            key = None
        depth += kind in _OPEN


def _text(element: Sequence[Event]) -> str:
    """Write an element's beginning as compact JSON, to be shown."""
    parts: list[str] = []
    comma = False
    for kind, value in element[:_KEPT_EVENTS]:
        if kind in _CLOSE:
            parts.append(_CLOSE[kind])
        else:
            word = _OPEN.get(kind) or _scalar(value)
            parts.append("," * comma + word + ":" * (kind == "map_key"))
        comma = kind not in _OPEN and kind != "map_key"
    return "".join(parts)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)
