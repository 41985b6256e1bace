"""What a message of a queue asks for: a batch and what is expected of it, or why it can't be used."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from worker.rules.summary.forms import printable
from worker.words.model import MAX_BATCH_ID, MIN_BATCH_ID, Control

LARGEST: Final = 65_536
"""Bytes of a message that is looked at; nothing that asks for a batch is anywhere near."""
STANDING: Final = "standing-"
_RUN_ID: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?", re.ASCII)
_ID: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_BILLS: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_MONEY: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,2})?", re.ASCII)
_CENT: Final = Decimal("0.01")
_SHOWN: Final = 200


class Message(NamedTuple):
    """A message that asks for a batch to be closed."""

    batch_id: int
    run_id: str | None = None  # None: the standing run of its day
    controls: tuple[Control, ...] = ()
    source: str = "queue"  # where the input named it, for messages that `enqueue` made
    line: int = 0
    seq: int | None = None  # its place in the run's input; None for a stranger's message


class Unfit(NamedTuple):
    """A message that asks for nothing that could be done: ``invalid``, with a dead letter."""

    reason: str  # a stable snake_case word
    text: str  # what stood there: shortened, printable
    run_id: str | None = None  # the run that it named, if it named one that can be


def standing_run(at: float) -> str:
    """The run, of the day in UTC, that messages without one belong to."""
    return f"{STANDING}{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def is_run_id(name: str) -> bool:
    """Whether the name will do as a folder's name anywhere."""
    return _RUN_ID.fullmatch(name) is not None


def of_fields(fields: Mapping[str, str]) -> Message | Unfit:
    """Read a message of flat text fields: ``batch_id``, and if need be ``run_id``, ``expected_...``.

    ``source``, ``line``, ``seq`` and ``controls`` are for messages that this program makes itself.
    """
    shown = printable(" ".join(f"{name}={value}" for name, value in fields.items()), _SHOWN)
    found = _read(fields, shown)
    if isinstance(found, Unfit):
        return found
    try:
        more = _own_controls(fields.get("controls", ""))
        line, seq = int(fields.get("line") or 0), fields.get("seq")
        return found._replace(
            controls=found.controls + more,
            source=printable(fields.get("source") or "queue", _SHOWN),
            line=line,
            seq=None if not seq else int(seq),
        )
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        return Unfit("not_understood", shown, found.run_id)


def of_json(body: bytes) -> Message | Unfit:
    """Read a message whose body is a JSON object; here an id is a number, not text."""
    if len(body) > LARGEST:
        return Unfit("too_large", printable(body[:_SHOWN].decode("utf-8", "replace"), _SHOWN))
    shown = printable(body.decode("utf-8", "replace"), _SHOWN)
    try:
        data: Any = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return Unfit("not_json", shown)
    if not isinstance(data, dict):
        return Unfit("not_an_object", shown)
    batch_id = data.get("batch_id")
    if isinstance(batch_id, str | bool | float | Decimal) or not isinstance(batch_id, int | None):
        return Unfit("not_a_batch_id", shown, _run_of(data.get("run_id")))
    return _read(data, shown)


def _read(fields: Mapping[str, object], shown: str) -> Message | Unfit:
    name = fields.get("run_id")
    run_id = _run_of(name)
    if name is not None and name != "" and run_id is None:
        return Unfit("not_a_run_id", shown)
    text = _plain(fields.get("batch_id"))
    if not text:
        return Unfit("no_batch_id", shown, run_id)
    if _ID.fullmatch(text) is None or not MIN_BATCH_ID <= int(text) <= MAX_BATCH_ID:
        return Unfit("not_a_batch_id", shown, run_id)
    bills, total = _plain(fields.get("expected_bills")), _plain(fields.get("expected_total"))
    if (bills and _BILLS.fullmatch(bills) is None) or (total and _MONEY.fullmatch(total) is None):
        # Ignored, it would let through what it was meant to hold.
        return Unfit("not_a_control_total", shown, run_id)
    control = Control(int(bills) if bills else None, Decimal(total).quantize(_CENT) if total else None)
    return Message(int(text), run_id, () if control == Control() else (control,))


def _run_of(name: object) -> str | None:
    return name if isinstance(name, str) and is_run_id(name) else None


def _plain(value: object) -> str:
    """A value as text; for what can stand for no number, words that are none."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return "no number"
    try:
        return str(value).strip(" \t")
    except ValueError:  # an integer of very many digits
        return "no number"


def _own_controls(text: str) -> tuple[Control, ...]:
    """Several expectations of one batch, as ``own_controls`` writes them."""
    pairs: list[tuple[int | None, str | None]] = json.loads(text) if text else []
    return tuple(Control(bills, None if total is None else Decimal(total)) for bills, total in pairs)


def own_controls(controls: tuple[Control, ...]) -> dict[str, str]:
    """What is expected of a batch, as fields of a message."""
    if not controls:
        return {}
    if len(controls) == 1:
        bills, total = controls[0]
        fields = {} if bills is None else {"expected_bills": str(bills)}
        return fields if total is None else fields | {"expected_total": str(total)}
    pairs = [(bills, None if total is None else str(total)) for bills, total in controls]
    return {"controls": json.dumps(pairs)}
