"""A result as a line of results.jsonl, and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import orjson

from worker.rules.summary import at_of, instant, two_places
from worker.words.errors import BatchCloserError
from worker.words.model import ConfirmedBy, Outcome, Result

KEYS: Final = (
    *("run_id", "batch_id", "outcome", "confirmed_by", "reason", "message", "http_status", "attempts"),
    *("batch_code", "bill_count", "running_total", "end_date", "first_attempt_at", "settled_at", "elapsed_s"),
    *("source", "line", "warnings", "account_period"),
)
"""The keys of a line, in order; a line about an input line that is no batch id also has ``input``."""

_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
_WAYS: Final = {None: None} | {way.value: way for way in ConfirmedBy}
_MAX_INT: Final = 2**63 - 1  # what orjson and most readers of JSON can hold


def fields_of(result: Result) -> dict[str, Any]:
    """A result as it is written in results.jsonl and in the ``batch.settled`` log event."""
    total, first = result.running_total, result.first_attempt_at
    total = None if total is None else two_places(total)
    fields = {
        "run_id": result.run_id,
        "batch_id": result.batch_id,
        "outcome": result.outcome,
        "confirmed_by": result.confirmed_by,
        "reason": result.reason,
        "message": result.message,
        "http_status": result.http_status,
        "attempts": result.attempts,
        "batch_code": result.batch_code,
        "bill_count": result.bill_count,
        "running_total": None if total is None else str(total),
        "end_date": result.end_date,
        "first_attempt_at": None if first is None else instant(first),
        "settled_at": instant(result.settled_at),
        "elapsed_s": round(result.elapsed_s, 3),
        "source": result.source,
        "line": result.line,
        "warnings": result.warnings,
        "account_period": result.account_period,
    }
    if result.outcome is Outcome.INVALID:
        fields["input"] = result.input
    return fields


def line_of(result: Result) -> bytes:
    """The result's line, with its newline. Text that is not valid Unicode is mended rather than refused."""
    fields = fields_of(result)
    try:
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate or a number beyond 64 bits
        mended = {key: mend(value) for key, value in fields.items()}
        return orjson.dumps(mended, option=orjson.OPT_APPEND_NEWLINE)


def mend(value: Any) -> Any:
    """``value`` as any reader of JSON can hold it: lone surrogates become ``?``, huge numbers null."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return value if abs(value) <= _MAX_INT else None
    if isinstance(value, dict):
        return {key: mend(each) for key, each in value.items()}
    return [mend(each) for each in value] if isinstance(value, list | tuple) else value


def parse_line(line: bytes) -> Result:
    """The result that a line tells of.

    Raises BatchCloserError if the line is none; what the line lost (parts of a millisecond) is not restored.
    """
    try:
        fields = orjson.loads(line)
        total, first = fields["running_total"], fields["first_attempt_at"]
        return Result(
            run_id=fields["run_id"],
            batch_id=fields["batch_id"],
            outcome=_OUTCOMES[fields["outcome"]],
            settled_at=at_of(fields["settled_at"]),
            source=fields["source"],
            line=fields["line"],
            confirmed_by=_WAYS[fields["confirmed_by"]],
            reason=fields["reason"],
            message=fields["message"],
            http_status=fields["http_status"],
            attempts=fields["attempts"],
            first_attempt_at=None if first is None else at_of(first),
            elapsed_s=fields["elapsed_s"],
            warnings=tuple(fields.get("warnings", ())),  # this and the period earlier versions did not write
            batch_code=fields["batch_code"],
            bill_count=fields["bill_count"],
            running_total=None if total is None else Decimal(total),
            end_date=fields["end_date"],
            account_period=fields.get("account_period"),
            input=fields.get("input"),
        )
    except (ValueError, KeyError, TypeError, ArithmeticError):
        raise BatchCloserError(
            "a recorded result can't be read: it is damaged or from another version of this program"
        ) from None
