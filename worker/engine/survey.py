"""The snapshot: every batch that is not closed, in a few requests, instead of one read for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import anyio

from worker.engine.asking import Asking
from worker.rules.selection import filter_is_wrong, not_closed_filters
from worker.rules.verdict import is_trouble
from worker.words.answer import Answer, Page
from worker.words.model import Batch

FEW = 3
"""Fewer batches than this are read one by one: a list is no cheaper."""
PAGE_SIZE = 1000
"""The most the API gives (documented)."""
SMALL_PAGE = 250
"""What it gives where the size that was asked for is not heeded (documented as the default)."""

Show = Callable[[Sequence[Batch]], int | None]
"""Takes batches in, and says how many are still looked for; None where all there are are wanted."""


class Snapshot(NamedTuple):
    """What a snapshot told."""

    whole: bool  # every batch that is not closed has been shown
    reason: str | None = None  # why there is no list to be had; None where it was only not worth reading on
    trouble: bool = False  # the reason is an outage rather than a refusal
    batches: int = 0
    pages: int = 0  # of the last filter
    untold: int = 0  # batches that the list counts and did not show: it changed meanwhile, or rows are broken


class Survey:
    """Reads the states of batches, by the list or one by one."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def snapshot(self, show: Show) -> Snapshot:
        """Show every batch that is not closed, page by page, as long as that costs less than single reads.

        The API doesn't document which letter case its filter wants. A filter for what is *not* closed
        proves itself: a right one never shows a closed batch.
        """
        refused: Answer | None = None
        for text in not_closed_filters():
            found = await self._all(text, show)
            if isinstance(found, Snapshot):
                return found
            refused = found or refused
            if refused is not None and refused.status != 400:  # a 400 may be for the filter's letter case
                return Snapshot(whole=False, reason=refused.reason, trouble=is_trouble(refused))
        return Snapshot(whole=False, reason=refused.reason if refused else "filter_not_understood")

    async def _all(self, text: str, show: Show) -> Snapshot | Answer | None:
        """Every page of a filter; the answer where there is no page, None where the filter is wrong."""
        seen: set[int] = set()
        number = broken = 0
        while True:
            number += 1
            answer, page = await self._asking.page(number, PAGE_SIZE, text)
            if page is None:
                return answer
            if filter_is_wrong(page.batches):
                return None
            new = [batch for batch in page.batches if batch.batch_id not in seen]
            seen.update(batch.batch_id for batch in new)
            broken += page.skipped
            left = show(new)
            if fault := _fault(page, number, new):
                return Snapshot(whole=False, reason=fault, batches=len(seen), pages=number)
            if _is_last(page, number, new):
                untold = max(broken, (page.total_records or 0) - len(seen))
                return Snapshot(whole=True, batches=len(seen), pages=number, untold=untold)
            if left is not None and _pages_left(page, number) >= left:
                return Snapshot(whole=False, batches=len(seen), pages=number)

    async def read_each(
        self, batch_ids: Iterable[int], at_once: int, show: Callable[[int, Answer, Batch | None], None]
    ) -> None:
        """Read batches one by one, so many at once, and show each with its answer."""
        left = iter(batch_ids)

        async def read() -> None:
            for batch_id in left:
                show(batch_id, *await self._asking.look_up(batch_id))

        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(read)


def _fault(page: Page, number: int, new: Sequence[Batch]) -> str | None:
    """Why a page can't be part of the list that was asked for."""
    if page.skipped and not page.batches:
        return "no_batches_in_list"
    repeats = number > 1 and page.batches and not new
    # Fewer than the least page the API is known to give may be all there are, however often they come.
    if repeats and (number < (page.total_pages or 0) or len(page.batches) >= SMALL_PAGE):
        return "pages_repeat"
    return None


def _is_last(page: Page, number: int, new: Sequence[Batch]) -> bool:
    """The last page by the headers; without them only a page with nothing new is surely the end."""
    return not new or (page.total_pages is not None and number >= page.total_pages)


def _pages_left(page: Page, number: int) -> int:
    """As the headers say; without them as many again as there were, so that it ends before it is dear."""
    return number if page.total_pages is None else page.total_pages - number
