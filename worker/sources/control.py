"""Control totals beside an id: how many bills, and how much money, a batch is meant to hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from worker.sources.ids import BLANKS

_BILLS, _TOTAL = "expected_bills", "expected_total"
_KINDS = {_BILLS: _BILLS, "expectedbills": _BILLS, _TOTAL: _TOTAL, "expectedtotal": _TOTAL}
_COUNT = re.compile(r"([0-9]{1,10})(?:\.0{1,2})?")  # a column of numbers with gaps is often written as 12.0
_MONEY = re.compile(r"(-?[0-9]{1,15}(?:\.[0-9]{1,2})?)")
_CENT = Decimal("0.01")


class Read(NamedTuple):
    """What the input says of a batch beside its id."""

    bills: int | None = None
    total: Decimal | None = None
    unreadable: str | None = None  # the name, and what stood there instead of a number


NO_CONTROL = Read()


def control_columns(names: Sequence[str]) -> list[int]:
    """Say where control totals stand among the names, whatever their letter case."""
    return [at for at, name in enumerate(names) if _kind(name)]


def named_twice(names: Iterable[str]) -> str | None:
    """Give the name of a control total that another one came before; None if there is none."""
    seen: set[str] = set()
    for name in names:
        kind = _kind(name)
        if kind in seen:
            return name.strip()
        if kind:
            seen.add(kind)
    return None


def control_of(pairs: Sequence[tuple[str, object]]) -> Read:
    """Read the control totals among names and values: a table's cells, or what stands in an object.

    A total is written plain: a minus if need be, digits, a point and at most two places. Thousands
    separators and decimal commas are not guessed at. Null and blank are as if nothing were there.
    """
    named = [(kind, name, value) for name, value in pairs if (kind := _kind(name))]
    if not named:
        return NO_CONTROL
    if again := named_twice(name for _, name, _ in named):
        return Read(unreadable=f"{again}: there twice")
    control = NO_CONTROL
    for kind, name, value in named:
        text = _plain(value)
        if not text:
            continue
        found = (_COUNT if kind == _BILLS else _MONEY).fullmatch(text)
        if found is None:
            return Read(unreadable=f"{name.strip()}: {text}")
        if kind == _BILLS:
            control = control._replace(bills=int(found[1]))
        else:
            control = control._replace(total=Decimal(found[1]).quantize(_CENT))
    return control


def _kind(name: str) -> str | None:
    return _KINDS.get(name.strip().casefold())


def _plain(value: object) -> str:
    """The value as a cell would hold it; for what no cell could hold, words that are no number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip(BLANKS) if isinstance(value, str | int | Decimal) else "a list or an object"
