"""The grammar of ``filter=`` as documented: ``<field> <operator> '<value>'`` joined by ``and``.

Every value stands in single quotes, numbers too; a quote in a value is doubled. Lists are ``('a'|'b')``.
How ``between`` writes its two values is not documented: ``'a' and 'b'`` and ``('a'|'b')`` are both taken.
Fields and operators are read without regard to letter case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from worker.simulator.options import FilterCase, LetterCase, Unknowns
from worker.simulator.view import OWNERS
from worker.simulator.world import SimBatch, State

Value = str | float | bool | None
Predicate = Callable[[SimBatch], bool]
_DAY_S = 86400.0


class FilterError(ValueError):
    """The filter can't be read; the text says where."""


_FIELDS: dict[str, tuple[type, Callable[[SimBatch], Value]]] = {
    "accountperiod": (str, lambda b: f"{b.year}-{b.month:02d}"),
    "batchcode": (str, lambda b: b.code),
    "batchstatus": (str, lambda b: b.state.value),
    "billcount": (float, lambda b: float(b.bill_count)),
    "controlcode": (str, lambda b: b.control_code),
    "duedate": (datetime, lambda b: b.created_at + 30 * _DAY_S),
    "enddate": (datetime, lambda b: b.closed_at),
    "fullname": (str, lambda b: str(OWNERS[b.owner]["fullName"])),
    "hasimportswithkickout": (bool, lambda b: b.kickouts),
    "invoicenumber": (str, lambda b: b.invoice_number),
    "isopen": (bool, lambda b: b.state is State.OPEN),
    "nextreading": (datetime, lambda _: None),
    "runningtotal": (float, lambda b: b.total_cents / 100),
}
_OPERATORS = (
    "not one of|one of|not equals|equals|less than equal|less than|greater than equal|greater than"
    "|between|not like|like|today|yesterday|last (?:7|14|30|60|90) days"
)
_HEAD = re.compile(rf"\s*([A-Za-z]+)\s+({_OPERATORS})(?![A-Za-z])\s*", re.IGNORECASE)
_QUOTED = r"'((?:[^']|'')*)'"
_ONE = re.compile(_QUOTED)
_PAIR = re.compile(rf"{_QUOTED}\s+and\s+{_QUOTED}", re.IGNORECASE)
_LIST = re.compile(rf"\(?\s*({_QUOTED}(?:\s*\|\s*{_QUOTED})*)\s*\)?")
_AND = re.compile(r"\s+and\s+(?=\S)", re.IGNORECASE)


def predicate(text: str, unknowns: Unknowns, now: float) -> Predicate:
    """Whether a batch passes the filter at that instant. Raises FilterError."""
    conditions: list[Predicate] = []
    position = 0
    while True:
        condition, position = _condition(text, position, unknowns, now)
        conditions.append(condition)
        if not text[position:].strip():
            return lambda batch: all(condition(batch) for condition in conditions)
        joined = _AND.match(text, position)
        if joined is None:
            raise FilterError(f"expected 'and' at character {position + 1}")
        position = joined.end()


def _condition(text: str, position: int, unknowns: Unknowns, now: float) -> tuple[Predicate, int]:
    head = _HEAD.match(text, position)
    if head is None or head[1].lower() not in _FIELDS:
        raise FilterError(f"expected a field and an operator at character {position + 1}")
    name, operator = head[1].lower(), " ".join(head[2].lower().split())
    kind, read = _FIELDS[name]
    if operator in {"today", "yesterday"} or operator.startswith("last"):
        if kind is not datetime:
            raise FilterError(f"{operator} is for dates, and {head[1]} is none")
        # An optional value, for those who write one after every operator.
        end = _ONE.match(text, head.end())
        first, last = _days(operator, now)
        return _between(read, first, last), end.end() if end else len(text[: head.end()].rstrip())
    words, end_at = _values(text, head.end(), operator)
    values = [_typed(word, kind) for word in words]
    test = _test(operator, values)
    if name == "batchstatus" and unknowns.filter_case is not FilterCase.ANY:
        case = LetterCase(unknowns.filter_case.value)
        test = _test(operator, list(words))
        return lambda batch: test(case.write(batch.state.value)), end_at
    return lambda batch: test(_folded(read(batch))), end_at


def _values(text: str, position: int, operator: str) -> tuple[list[str], int]:
    if operator == "between" and (pair := _PAIR.match(text, position)):
        return [word.replace("''", "'") for word in pair.groups()], pair.end()
    if operator == "between" or operator.endswith("one of"):
        found = _LIST.match(text, position)
        words = [word.replace("''", "'") for word in _ONE.findall(found[1])] if found else []
        if found is None or (operator == "between" and len(words) != 2):
            raise FilterError(f"{operator} needs its values in quotes at character {position + 1}")
        return words, found.end()
    one = _ONE.match(text, position)
    if one is None:
        raise FilterError(f"expected a value in single quotes at character {position + 1}")
    return [one[1].replace("''", "'")], one.end()


def _typed(word: str, kind: type) -> Value:
    try:
        if kind is float:
            return float(word)
        if kind is datetime:
            moment = datetime.fromisoformat(word)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[word.lower()]
    except (ValueError, KeyError, OverflowError):
        raise FilterError(f"{word!r} is no value for this field") from None
    return word.casefold()


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _test(operator: str, values: list[Value]) -> Callable[[Value], bool]:
    first, last = values[0], values[-1]
    tests: dict[str, Callable[[Value], bool]] = {
        "equals": lambda value: value == first,
        "one of": lambda value: value in values,
        "like": lambda value: _like(value, first),
        "less than": lambda value: _compare(value, first) < 0,
        "less than equal": lambda value: _compare(value, first) <= 0,
        "greater than": lambda value: _compare(value, first) > 0,
        "greater than equal": lambda value: _compare(value, first) >= 0,
        "between": lambda value: _compare(value, first) >= 0 and _compare(value, last) <= 0,
    }
    if operator.startswith("not "):
        test = tests[operator.removeprefix("not ")]
        return lambda value: value is None or not test(value)
    test = tests[operator]
    return lambda value: value is not None and test(value)


def _compare(left: Value, right: Value) -> int:
    if isinstance(left, str) or isinstance(right, str):
        return (str(left) > str(right)) - (str(left) < str(right))
    return ((left or 0.0) > (right or 0.0)) - ((left or 0.0) < (right or 0.0))


def _like(value: Value, pattern: Value) -> bool:
    """Contains; a per cent sign stands for any text."""
    parts = ".*".join(re.escape(part) for part in str(pattern).split("%"))
    return re.search(parts, str(value), re.DOTALL) is not None


def _days(operator: str, now: float) -> tuple[float, float]:
    midnight = now - now % _DAY_S
    if operator == "today":
        return midnight, midnight + _DAY_S
    if operator == "yesterday":
        return midnight - _DAY_S, midnight
    return now - int(operator.split()[1]) * _DAY_S, now


def _between(read: Callable[[SimBatch], Value], first: float, last: float) -> Predicate:
    def test(batch: SimBatch) -> bool:
        value = read(batch)
        return isinstance(value, float) and first <= value <= last

    return test
