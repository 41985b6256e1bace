"""One pure function for each guard: why the batch should not be closed, None if nothing speaks against it.

What a batch doesn't tell is no objection, but where the run was told a bound it can't be compared with.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from worker.rules.age import created
from worker.rules.guards.record import Bounds, Facts
from worker.rules.period import period_of
from worker.rules.summary.forms import WIDE, printable, two_places
from worker.words.model import Batch, BatchState

_LONGEST_NAME: Final = 40


def pending(facts: Facts, _bounds: Bounds) -> str | None:
    """A pending batch is mostly a failed import that waits for a person."""
    return "the batch is pending" if facts.batch.state is BatchState.PENDING else None


def analyzing(facts: Facts, _bounds: Bounds) -> str | None:
    """Analysis may still raise flags."""
    return _some(
        facts.batch.analyzing_count, "bill is still being analysed", "bills are still being analysed"
    )


def kickouts(facts: Facts, _bounds: Bounds) -> str | None:
    """Bills that the import put aside are missing from the batch."""
    return "an import into the batch had kickouts" if facts.batch.has_imports_with_kickout else None


def flags(facts: Facts, _bounds: Bounds) -> str | None:
    """Flags are what someone should look at before a bill is paid."""
    return _some(facts.batch.flag_count, "flag is unresolved", "flags are unresolved")


def empty(facts: Facts, _bounds: Bounds) -> str | None:
    """An empty batch may be one that is yet to be filled."""
    return "the batch has no bills" if facts.batch.bill_count == 0 else None


def owner(facts: Facts, bounds: Bounds) -> str | None:
    """Closing another user's batch needs the right to manage (documented)."""
    person = facts.batch.created_by
    if bounds.may_manage is not False or bounds.user_id is None or person is None:
        return None
    if person.user_id is None or person.user_id == bounds.user_id:
        return None
    return (
        f"user {person.user_id}{_named(person.full_name)} created the batch, and the key's user"
        f" {bounds.user_id} may not close others' batches"
    )


def period(facts: Facts, bounds: Bounds) -> str | None:
    """Only batches of the account period that was asked for."""
    found = period_of(facts.batch)
    if bounds.period is None or found == bounds.period:
        return None
    name = facts.batch.account_period_name
    if found is None:
        return f"its account period{_named(name)} can't be told, and {bounds.period} is asked for"
    shown = "" if name == str(found) else _named(name)
    return f"its account period is {found}{shown}, and {bounds.period} is asked for"


def total(facts: Facts, bounds: Bounds) -> str | None:
    """No batch of more money than was asked for, nor of less than its negative."""
    if bounds.max_total is None:
        return None
    found = two_places(facts.batch.running_total)
    if found is None:
        return f"its running total is not known, and at most {bounds.max_total:f} is asked for"
    if found.copy_abs() > bounds.max_total:
        return f"its running total is {_money(found)}, and at most {bounds.max_total:f} is asked for"
    return None


def changed(facts: Facts, bounds: Bounds) -> str | None:
    """Nothing that matters has moved since the batch was seen before, nor was it created just now."""
    if facts.before is not None and (moved := _moved(facts.before, facts.batch)):
        return f"it changed: {', '.join(moved)}"
    return _too_young(facts, bounds.quiet_for_s) if bounds.quiet_for_s is not None else None


def control(facts: Facts, _bounds: Bounds) -> str | None:
    """Bill count and total are what the input says they must be."""
    wrong = []
    bills = facts.batch.bill_count
    if facts.expected_bills is not None and bills != facts.expected_bills:
        wrong.append(f"bill count is {_known(bills)}, expected {facts.expected_bills}")
    if facts.expected_total is not None:
        found, expected = two_places(facts.batch.running_total), two_places(facts.expected_total)
        if found is None or found != expected:
            wrong.append(f"running total is {_money(found)}, expected {_money(expected)}")
    return f"control totals differ: {'; '.join(wrong)}" if wrong else None


def _moved(before: Batch, after: Batch) -> list[str]:
    pairs = (
        ("state", _state(before), _state(after)),
        ("bill count", before.bill_count, after.bill_count),
        ("running total", two_places(before.running_total), two_places(after.running_total)),
        ("flag count", before.flag_count, after.flag_count),
    )
    return [
        f"{name} from {_known(old)} to {_known(new)}"
        for name, old, new in pairs
        if old is not None and new is not None and old != new
    ]


def _too_young(facts: Facts, quiet_for_s: float) -> str | None:
    """Being created is a change too; where ``startDate`` has no zone, two looks alone can tell."""
    span = created(facts.batch)
    if span is None or span.earliest != span.latest or facts.now - span.latest >= quiet_for_s:
        return None
    age_s = max(facts.now - span.latest, 0.0)
    return f"it was created {age_s:.0f} s ago, and {quiet_for_s:g} s without a change are asked for"


def _some(count: int | None, one: str, many: str) -> str | None:
    if count is None or count <= 0:
        return None
    return f"{count} {one if count == 1 else many}"


def _state(batch: Batch) -> str | None:
    """A word that the documentation does not know is compared as it is; a missing one is not known."""
    if batch.state is not BatchState.UNCLEAR:
        return batch.state.value
    return printable(batch.batch_status or "", _LONGEST_NAME).casefold() or None


def _named(name: str | None) -> str:
    shown = printable(name or "", _LONGEST_NAME)
    return f" ({shown})" if shown else ""


def _money(value: Decimal | None) -> str:
    return "not known" if value is None else str(WIDE.plus(value))  # plus: no negative zero


def _known(value: object) -> str:
    if isinstance(value, Decimal):
        return _money(value)
    return "not known" if value is None else str(value)
