"""A run as the store knows it, and what a worker makes of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from worker.engine.terms import Care
from worker.rules.abort import AbortRule
from worker.words.model import Outcome, Stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a run is to do, and how far it has come."""

    run_id: str
    is_standing: bool  # of messages that name no run
    base_url: str
    settings: str  # JSON, without secrets
    who: str
    input_hash: str
    created_at: float
    session_at: float  # when it was last begun or taken up again
    spent_s: float  # in sessions before that
    deadline_at: float | None  # on the store's clock
    session: int
    entries: int  # lines of its input that are batches or no batch ids
    added: int  # of those, in the queue by now
    lines: int
    ids: int
    duplicates: int
    invalid: int
    stopped: Stopped | None
    stopped_by: str | None
    stopped_by_ids: tuple[int, ...]
    finished_at: float | None

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Header:
        """The hash of a run. Raises ValueError if it is none."""
        try:
            kind = fields.get("stop_kind")
            return cls(
                run_id=fields["run_id"],
                is_standing=fields["kind"] == "standing",
                base_url=fields["base_url"],
                settings=fields["settings"],
                who=fields.get("who", ""),
                input_hash=fields.get("input_hash", ""),
                created_at=int(fields["created_at"]) / 1000,
                session_at=int(fields["session_at"]) / 1000,
                spent_s=int(fields.get("spent_ms", 0)) / 1000,
                deadline_at=_instant(fields.get("deadline_at")),
                **{name: int(fields[name]) for name in _COUNTS},
                stopped=Stopped(kind) if kind else None,
                stopped_by=fields.get("stop_by"),
                stopped_by_ids=tuple(int(each) for each in fields.get("stop_ids", "").split()),
                finished_at=_instant(fields.get("finished_at")),
            )
        except KeyError as error:
            raise ValueError(f"a run's header lacks {error}") from None


_COUNTS = ("session", "entries", "added", "lines", "ids", "duplicates", "invalid")


def _instant(ms: str | None) -> float | None:
    return int(ms) / 1000 if ms else None


class Lesson(NamedTuple):
    """What a worker has to know of a run, read from its settings."""

    care: Care | None
    rules: tuple[AbortRule, ...]
    ok: frozenset[Outcome]
    refusal: str | None = None  # why this worker must close nothing of it


def text_of(reply: Mapping[bytes, bytes]) -> dict[str, str]:
    """A hash as text."""
    return {name.decode(): value.decode("utf-8", "replace") for name, value in reply.items()}


def fields_of(flat: list[Any]) -> dict[str, str]:
    """Names and values in turn, as text; of a name that is there twice the last value."""
    parts = [part.decode("utf-8", "replace") for part in flat]
    return dict(zip(parts[::2], parts[1::2], strict=False))
