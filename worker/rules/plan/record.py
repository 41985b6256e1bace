"""A plan: what a close of some input would do, batch by batch, as it was seen at one time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from worker.rules.plan.entry import Owner, PlanDecision, PlanEntry
from worker.rules.plan.fields import InstantText, PerSecond, Whole, dumps
from worker.rules.summary.forms import instant, printable
from worker.words.errors import ConfigurationError

PLAN_KIND: Final = "batch-closer plan"
PLAN_VERSION: Final = 1
_REMEDY: Final = "make it again with batch-closer plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was seen, decided and told at one time. Entries stand in input order, a batch only once."""

    version: Whole = PLAN_VERSION
    created_at: InstantText  # Unix time
    base_url: str
    environment: str | None = None  # of the key
    key_owner: Owner | None = None
    rate_per_s: PerSecond
    can_export: Mapping[str, str | None] = field(default_factory=dict)
    """By export mode (AP, GL) when bills are released (``workflow/export``); None: not known."""
    entries: tuple[PlanEntry, ...] = ()

    def to_json_dict(self) -> dict[str, Any]:
        """What plan.json holds, in its order."""
        return self._head() | {"entries": [entry.to_json_dict() for entry in self.entries]}

    def to_json(self, entries: Iterable[PlanEntry] | None = None) -> Iterator[bytes]:
        """plan.json piece by piece, a line for each entry; ``entries`` stand in for those of the plan."""
        head = dumps(self._head(), orjson.OPT_INDENT_2)
        yield head.removesuffix(b"\n}") + b',\n  "entries": ['
        comma = b"\n"
        for entry in self.entries if entries is None else entries:
            yield comma + dumps(entry.to_json_dict())
            comma = b",\n"
        yield b"\n  ]\n}\n"

    @classmethod
    def from_json(cls, body: bytes, name: str = "the plan") -> Plan:
        """What ``to_json`` wrote; ``name`` is the file's.

        Raises ConfigurationError, in one line, for anything else.
        """
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise _not_a_plan(name) from None
        return cls.from_json_dict(data, name)

    @classmethod
    def from_json_dict(cls, data: object, name: str = "the plan") -> Plan:
        """What ``to_json_dict`` wrote; ``name`` is the file's.

        Raises ConfigurationError, in one line, for anything malformed, another version's, another program's.
        """
        if not isinstance(data, dict) or data.get("kind") != PLAN_KIND:
            raise _not_a_plan(name)
        version = data.get("version")
        if version != PLAN_VERSION or isinstance(version, bool):
            shown = repr(version) if isinstance(version, int | str) else "of another kind"
            raise _unusable(name, f"it has version {shown}, and this program reads version {PLAN_VERSION}")
        if "entries" not in data:
            raise _unusable(name, "it has no entries")
        try:
            plan = _adapter().validate_python(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _unusable(name, f"{place}: {first['msg']}") from None
        _check_ids(plan.entries, name)
        return plan

    def _head(self) -> dict[str, Any]:
        return {
            "kind": PLAN_KIND,
            "version": self.version,
            "created_at": instant(self.created_at),
            "base_url": self.base_url,
            "environment": self.environment,
            "key_owner": self.key_owner.to_json_dict() if self.key_owner else None,
            "rate_per_s": float(self.rate_per_s),
            "can_export": dict(self.can_export),
        }


@cache
def _adapter() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


def _check_ids(entries: Iterable[PlanEntry], name: str) -> None:
    """A batch that is decided in two ways must not be closed by the one and held by the other."""
    decided: set[int] = set()
    for number, entry in enumerate(entries):
        if (entry.batch_id is None) is not (entry.decision is PlanDecision.INVALID):
            raise _unusable(name, f"entries.{number}: only an invalid line has no batch_id")
        if entry.batch_id in decided:
            raise _unusable(name, f"entries.{number}: batch {entry.batch_id} stands in it twice")
        if entry.batch_id is not None:
            decided.add(entry.batch_id)


def _not_a_plan(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"{printable(name)} is no plan: give the plan.json that batch-closer plan wrote"
    )


def _unusable(name: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{printable(name)} can't be used: {printable(why)}; {_REMEDY}")
