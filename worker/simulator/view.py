"""A batch as the API shows it: a BatchResponse, in the forms that the unknowns choose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from worker.simulator.options import EndDate, Nulls, Unknowns
from worker.simulator.world import SimBatch, State

OWNERS: tuple[dict[str, object], ...] = (
    {"fullName": "Batch Closer", "userCode": "batch.closer", "userId": 11},
    {"fullName": "Bill Import", "userCode": "bill.import", "userId": 12},
    {"fullName": "Accounts Payable", "userCode": "accounts.payable", "userId": 13},
)
_ALWAYS = frozenset({"batchId", "batchStatus"})
_DUE_S = 30 * 86400.0


def batch_response(
    batch: SimBatch, unknowns: Unknowns, *, state: State | None = None, batch_id: int | None = None
) -> dict[str, object]:
    """The documented record; ``state`` and ``batch_id`` put a lie in place of the truth."""
    state = state or batch.state
    closed_at = batch.closed_at if state is State.CLOSED else None
    shift = unknowns.clock_offset_s
    shown: dict[str, object] = {
        "accountPeriodName": f"{batch.year}-{batch.month:02d}",
        "accountPeriodNumber": batch.month,
        "accountPeriodYear": batch.year,
        "analyzingCount": batch.analyzing,
        "batchCode": batch.code,
        "batchId": batch.batch_id if batch_id is None else batch_id,
        "batchStatus": unknowns.status_case.write(state.value),
        "billCount": batch.bill_count,
        "controlCode": batch.control_code,
        "createdBy": OWNERS[batch.owner],
        "dueDate": utc_date(batch.created_at + _DUE_S),
        "endDate": None if closed_at is None else end_date(closed_at + shift, unknowns),
        "flagCount": batch.flags,
        "hasImportedBills": batch.imported,
        "hasImportsWithKickout": batch.kickouts,
        "hasLogs": batch.imported,
        "invoiceNumber": batch.invoice_number,
        "isOpen": state is State.OPEN or (state is State.PENDING and unknowns.pending_is_open),
        "nextReading": None,
        "note": batch.note,
        "runningTotal": batch.total_cents / 100,
        "startDate": _instant(batch.created_at + shift, UTC) + "Z",
        "statementDate": None,
    }
    match unknowns.nulls:
        case Nulls.NULL:
            return shown
        case Nulls.MISSING:
            return {key: value for key, value in shown.items() if value is not None}
        case Nulls.BARE:
            return {key: shown[key] for key in shown if key in _ALWAYS}


def end_date(at: float, unknowns: Unknowns) -> str | None:
    """The instant (Unix time) in the form chosen for ``endDate``."""
    local = timezone(timedelta(minutes=unknowns.utc_offset_minutes))
    match unknowns.end_date:
        case EndDate.UTC:
            return _instant(at, UTC) + "Z"
        case EndDate.OFFSET:
            return datetime.fromtimestamp(at, local).isoformat(timespec="milliseconds")
        case EndDate.NAIVE_UTC:
            return _instant(at, UTC)
        case EndDate.NAIVE_LOCAL:
            return _instant(at, local)
        case EndDate.DATE:
            return datetime.fromtimestamp(at, local).date().isoformat()
        case EndDate.NULL:
            return None


def utc_date(at: float) -> str:
    """The UTC date of an instant (Unix time)."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _instant(at: float, zone: timezone) -> str:
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None).isoformat(timespec="milliseconds")
