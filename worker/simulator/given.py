"""Options from what a command line was given: texts, numbers and switches by the names of its flags."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from worker.simulator.options import (
    Block,
    EndDate,
    ErrorBody,
    FilterCase,
    LetterCase,
    Nulls,
    Options,
    Pace,
    Population,
    RetryAfter,
    Unknowns,
)
from worker.simulator.scripts import fault_plan
from worker.words.errors import ConfigurationError

_Word = TypeVar("_Word", bound=StrEnum)


def options_from(given: Mapping[str, Any]) -> Options:
    """Everything the simulator is told. Raises ConfigurationError naming the flag that can't be used."""
    return Options(
        key=_header_value(given["key"]),
        population=_population(given),
        unknowns=_unknowns(given),
        pace=_pace(given),
        faults=fault_plan(shares=given["fault"], at=given["fault_at"], seed=given["seed"]),
    )


def _population(given: Mapping[str, Any]) -> Population:
    shares = ("closed", "missing", "pending", "flagged", "analyzing", "kickouts", "empty", "foreign")
    return Population(
        batches=given["batches"],
        first_id=given["first_id"],
        seed=given["seed"],
        **{name: _share(name, given[name]) for name in shares},
    )


def _pace(given: Mapping[str, Any]) -> Pace:
    low, dash, high = given["latency"].partition("-")
    return Pace(
        latency_s=(_number("--latency", low), _number("--latency", high if dash else low)),
        rate_per_s=given["rate_limit"],
        burst=given["rate_burst"],
        retry_after=_word(RetryAfter, "--retry-after", given["retry_after"]),
    )


def _unknowns(given: Mapping[str, Any]) -> Unknowns:
    return Unknowns(
        already_closed=given["already_closed"],
        refusal=given["refusal"],
        foreign=given["foreign_answer"],
        me=given["me_answer"],
        pending_closes=given["pending_closes"],
        pending_is_open=given["pending_is_open"],
        blocked_by=frozenset(_word(Block, "--blocked-by", word) for word in given["blocked_by"]),
        error_body=_word(ErrorBody, "--error-body", given["error_body"]),
        end_date=_word(EndDate, "--end-date", given["end_date"]),
        utc_offset_minutes=given["utc_offset"],
        status_case=_word(LetterCase, "--status-case", given["status_case"]),
        filter_case=_word(FilterCase, "--filter-case", given["filter_case"]),
        nulls=_word(Nulls, "--nulls", given["nulls"]),
        listing=not given["no_listing"],
        paging_headers=not given["no_paging_headers"],
        clock_offset_s=given["clock_offset"],
    )


def _word(words: type[_Word], flag: str, text: str) -> _Word:
    try:
        return words(text.lower())
    except ValueError:
        raise ConfigurationError(f"{flag} must be one of {', '.join(words)}, not {text!r}") from None


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{flag} must be a number, not {text!r}") from None


def _share(name: str, text: str) -> float:
    return _number(f"--{name}", text.removesuffix("%")) / (100 if text.endswith("%") else 1)


def _header_value(key: str) -> str:
    if not key or not key.isascii() or not key.isprintable() or key != key.strip():
        raise ConfigurationError("--key must be printable ASCII without spaces around it")
    return key
