"""What the reading calls give back, made of bodies of any shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import FailFast, TypeAdapter, ValidationError

from worker.energycap.bodies import decode_json, to_batch_of
from worker.words.answer import Identity, Page
from worker.words.model import MAX_BATCH_ID, MIN_BATCH_ID, Batch

Shown = Callable[[str], str | None]
"""Makes a server's text fit to be shown; None where nothing is left of it."""

_MOST_ROWS = 50_000
_ROWS = TypeAdapter(Annotated[list[Batch], FailFast()])


def to_page(body: bytes, headers: Mapping[str, str], number: int) -> Page | None:
    """A page from a bare JSON array (documented); None for anything else. Rows that are no batch are counted.

    ``number`` is what was asked for, and stands where the header is missing or can't be read.
    """
    rows = _rows(body)
    if rows is None:
        return None
    batches = tuple(row for row in rows if row and MIN_BATCH_ID <= row.batch_id <= MAX_BATCH_ID)
    given = _whole(headers.get("PageNumber"))
    return Page(
        batches=batches,
        number=number if given is None else given,
        total_pages=_whole(headers.get("TotalPages")),
        total_records=_whole(headers.get("TotalNumberOfRecords")),
        skipped=len(rows) - len(batches),
    )


def _rows(body: bytes) -> list[Batch] | list[Batch | None] | None:
    try:
        return _ROWS.validate_json(body)
    except ValidationError:
        data = decode_json(body)
    if not isinstance(data, list) or len(data) > _MOST_ROWS:
        return None
    return [to_batch_of(row) for row in data]


def to_identity(body: bytes, shown: Shown) -> Identity | None:
    """A user from the body of ``me``; None where it says nothing of one. A field that is odd is left out."""
    data = decode_json(body)
    if not isinstance(data, dict):
        return None
    permissions = data.get("permissions")
    bills = permissions.get("billsAndBatches") if isinstance(permissions, dict) else None
    may = bills if isinstance(bills, dict) else {}
    user_id = data.get("systemUserId")
    identity = Identity(
        user_id=user_id if type(user_id) is int else None,
        user_code=_text(data.get("systemUserCode"), shown),
        full_name=_text(data.get("fullName"), shown),
        environment=_text(data.get("environment"), shown),
        may_create=_flag(may.get("create")),
        may_manage=_flag(may.get("manage")),
        may_view=_flag(may.get("view")),
    )
    return None if identity == Identity() else identity


def to_can_export(body: bytes, shown: Shown) -> str | None:
    """``canExport`` from the body of ``workflow/export``; None where it is not there."""
    data = decode_json(body)
    return _text(data.get("canExport"), shown) if isinstance(data, dict) else None


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def _text(value: object, shown: Shown) -> str | None:
    return shown(value) if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
