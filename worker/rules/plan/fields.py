"""The types of a plan's fields as JSON holds them: what is read is checked, what is written can be read."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import orjson
from pydantic import Field, PlainValidator

from worker.rules.period import Period, read_period
from worker.rules.summary.forms import at_of, two_places
from worker.words.model import MAX_BATCH_ID, MIN_BATCH_ID

_MAX_INT: Final = 2**63 - 1  # what orjson and most readers of JSON can hold


def _money(value: object) -> Decimal:
    if isinstance(value, str):
        try:
            money = two_places(Decimal(value))
        except ArithmeticError:
            money = None
        if money is not None:
            return money
    raise ValueError("write a sum of money as text, as '1234.50'")


def _period(value: object) -> Period:
    period = read_period(value) if isinstance(value, str) else None
    if period is None:
        raise ValueError("write an account period as text, as '2026-10'")
    return period


def _instant(value: object) -> float:
    if isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None:
        return at_of(value)
    raise ValueError("write an instant with its zone as text, as '2026-11-03T02:00:00Z'")


# Strict, because true and "12" must not become ids.
BatchId = Annotated[int, Field(strict=True, ge=MIN_BATCH_ID, le=MAX_BATCH_ID)]
Whole = Annotated[int, Field(strict=True)]
PerSecond = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
MoneyText = Annotated[Decimal, PlainValidator(_money)]
PeriodText = Annotated[Period, PlainValidator(_period)]
InstantText = Annotated[float, PlainValidator(_instant)]


def dumps(fields: dict[str, Any], option: int = 0) -> bytes:
    """``fields`` as JSON; what JSON can't hold (see ``mend``) is mended rather than refused."""
    try:
        return orjson.dumps(fields, option=option)
    except TypeError:
        return orjson.dumps(mend(fields), option=option)


def mend(value: Any) -> Any:
    """``value`` as JSON can hold it: lone surrogates (of a file's name) become ``?``, huge numbers null."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return value if abs(value) <= _MAX_INT else None
    if isinstance(value, dict):
        return {key: mend(each) for key, each in value.items()}
    return [mend(each) for each in value] if isinstance(value, list | tuple) else value
