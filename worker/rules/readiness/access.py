"""What the key opens: whose it is, which batches it may close, what it can read, what a close releases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from worker.rules.readiness.record import Check, failed, ok, skipped, warning
from worker.rules.selection import filter_is_wrong
from worker.rules.verdict import asks_to_wait, of_key
from worker.words.answer import Answer, Heard, Identity, KeyState, Page

_REFUSED: Final = 5
_GIVE_A_KEY: Final = "give a key that is valid for this base URL (ENERGYCAP_API_KEY or the key file)"
_LOOK_AT_USER: Final = "look in EnergyCAP at the user whose key it is"
_LISTING_WORKS_WITHOUT: Final = "none needed for a list of ids; batches can't be picked by their state"


class BatchesAsked(NamedTuple):
    """A page of batches that was asked for, by a filter or by none, and what came."""

    filter: str | None
    answer: Answer
    page: Page | None

    @property
    def understood(self) -> bool:
        """Whether the filter did what it says."""
        return self.filter is not None and self.page is not None and not filter_is_wrong(self.page.batches)


def _said(answer: Answer) -> str:
    """An answer in a few words."""
    told = answer.error or ""
    if answer.status is None:
        return f"no answer ({answer.reason})"
    words = f": {answer.message}" if answer.message else ""
    return f"HTTP {answer.status}{f' ({told})' if told else ''}{words}"


def key_accepted(me: Answer, identity: Identity | None, listed: Sequence[BatchesAsked] = ()) -> Check:
    """The check ``key_accepted``: by ``GET /api/v3/me``, and by the list where that one does not tell."""
    name, state = "key_accepted", of_key(me)
    if state is KeyState.DEAD:
        return failed(name, f"the API refuses the key ({_said(me)})", _GIVE_A_KEY, _REFUSED)
    if identity is not None or me.status == 403:
        return ok(name, f"HTTP {me.status}")
    if any(each.page is not None for each in listed):
        return ok(name, "batches can be listed with it")
    if any(each.answer.status == 401 for each in listed):
        found = f"the API refuses it for the list of batches (HTTP 401), and /me does not tell: {_said(me)}"
        return failed(name, found, _GIVE_A_KEY, _REFUSED)
    return warning(
        name, f"unknown: {_said(me)}", "check again later; if it stays so, is this base URL EnergyCAP's?"
    )


def rights(me: Answer, identity: Identity | None) -> list[Check]:
    """The checks ``user``, ``environment``, ``close_own`` and ``close_others``. Unknown is said as unknown.

    Closing an own batch takes BillsAndBatches (Create) (documented), another user's Manage (documented for
    the status call, inferred for the close).
    """
    why = f"unknown: {_said(me)}" if identity is None else "unknown: the API does not say"
    who = identity or Identity()
    named = [each for each in (who.full_name, f"({who.user_code})" if who.user_code else None) if each]
    if who.user_id is not None:
        named.append(f"id {who.user_id}")
    in_environment = who.environment
    return [
        ok("user", " ".join(named)) if named else warning("user", why, _LOOK_AT_USER),
        ok("environment", in_environment)
        if in_environment
        else warning("environment", why, "check that base URL and key belong to the environment you mean"),
        _may_close_own(who.may_create, why),
        _may_close_others(who.may_manage, why),
    ]


def _may_close_own(may: bool | None, why: str) -> Check:
    remedy = "give the key's user the permission BillsAndBatches (Create)"
    if may is None:
        return warning("close_own", why, f"if closes are refused, {remedy}")
    if may:
        return ok("close_own", "the key's user may close own batches (Create)")
    return failed("close_own", "the key's user may close no batch: Create is missing", remedy)


def _may_close_others(may: bool | None, why: str) -> Check:
    remedy = "for batches of others give the key's user the permission BillsAndBatches (Manage)"
    if may is None:
        return warning("close_others", why, remedy)
    if may:
        return ok("close_others", "the key's user may close batches of others (Manage)")
    return warning("close_others", "the key's user may close own batches alone: Manage is missing", remedy)


def goes_on(filter_text: str | None, asked: Sequence[BatchesAsked]) -> bool:
    """Whether the list is to be asked for once more, by this filter or by none.

    None of them understood may be for the filters or for the list: without one it shows.
    """
    if not asked:
        return True
    last = asked[-1]
    if last.understood or _is_final(last.answer):
        return False
    return filter_text is not None or all(each.page is None for each in asked)


def _is_final(answer: Answer) -> bool:
    """Whether another filter would fare no better."""
    return answer.heard is not Heard.ANSWER or answer.status in {401, 403} or asks_to_wait(answer)


def listing(asked: Sequence[BatchesAsked]) -> list[Check]:
    """The checks ``list`` and ``filter``."""
    pages = [each.page for each in asked if each.page is not None]
    if not pages:
        answer = asked[-1].answer
        remedy = (
            "give the key's user the permission BillsAndBatches (View)"
            if answer.status in {401, 403}
            else "check again later; without reading, a close can't be made sure of"
        )
        return [
            failed("list", f"batches can't be listed: {_said(answer)}", remedy),
            skipped("filter", "list failed"),
        ]
    return [_list(pages[-1]), _filter(asked)]


def _list(page: Page) -> Check:
    if page.skipped:
        found = f"{page.skipped:,} of {page.skipped + len(page.batches):,} rows are no batches"
        return warning("list", found, "is this base URL EnergyCAP's own API?")
    return ok("list", "batches can be listed")


def _filter(asked: Sequence[BatchesAsked]) -> Check:
    right = asked[-1] if asked[-1].understood else None
    if right is None or right.page is None:
        return warning(
            "filter", "the API does not filter by batchStatus as documented", _LISTING_WORKS_WITHOUT
        )
    shown, total = len(right.page.batches), right.page.total_records
    if not shown and not total:
        return ok("filter", f"{right.filter}: no batch is open or pending")
    many = f"{total:,} batches" if total is not None else f"{shown:,} or more batches"
    return ok("filter", f"{right.filter}: {many}, none of the {shown:,} shown is closed")


_RELEASES: Final = {
    "never": "never exports bills, so closing releases none",
    "after entry": "exports bills once they are entered, closed or not",
    "after batch": "exports bills once their batch is closed: closing RELEASES them",
    "after approval": "exports bills once they are approved; closing alone releases none",
    "after batch approval": "exports bills once their batch is approved; closing alone releases none",
}
"""The settings are the SDK's; what each means for a close is inferred from its name."""


def export_setting(mode: str, answer: Answer, can_export: str | None) -> Check:
    """The check ``export_ap`` or ``export_gl``: what closing releases."""
    name = f"export_{mode.lower()}"
    if can_export is None:
        return warning(
            name,
            f"unknown: {_said(answer)}",
            f"find out in EnergyCAP what closing releases to {mode}, before it does",
        )
    means = _RELEASES.get(" ".join(can_export.lower().split()))
    return ok(name, f"{mode} {means} (setting: {can_export})" if means else f"{mode} setting: {can_export}")
