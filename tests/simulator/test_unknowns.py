"""Where the API's answer is not documented, each of the possible ones can be had."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import orjson
import pytest

from worker.simulator.options import (
    Block,
    EndDate,
    ErrorBody,
    FilterCase,
    LetterCase,
    Nulls,
    Options,
    Population,
    Unknowns,
)
from worker.simulator.running import simulate
from worker.simulator.world import State

from .talking import FIRST, NOW, close, look_up, open_batches, say


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
async def test_a_closed_batch_answers_the_status_chosen(status: int) -> None:
    """Closing it again gives that status and changes nothing."""
    async with simulate(open_batches(unknowns=Unknowns(already_closed=status))) as simulator:
        await close(simulator)
        assert (await close(simulator)).status == status


async def test_a_closed_batch_may_answer_with_itself() -> None:
    """200 shows the batch with the end date of its first close."""
    async with simulate(open_batches(unknowns=Unknowns(already_closed=200))) as simulator:
        first = await close(simulator)
        second = await close(simulator)
        assert (second.status, second.json) == (200, first.json)


@pytest.mark.parametrize("closes", [True, False])
async def test_a_pending_batch_closes_or_not(closes: bool) -> None:
    """A pending batch is closed, or refused and left alone."""
    options = Options(
        population=Population(batches=1, pending=1, closed=0, missing=0, foreign=0),
        unknowns=Unknowns(pending_closes=closes, pending_is_open=closes, refusal=409),
    )
    async with simulate(options) as simulator:
        assert (await look_up(simulator)).json["isOpen"] is closes
        assert (await close(simulator)).status == (200 if closes else 409)
        assert simulator.world.batches[FIRST].state is (State.CLOSED if closes else State.PENDING)


@pytest.mark.parametrize("block", list(Block))
@pytest.mark.parametrize("trouble", list(Block))
async def test_trouble_blocks_a_close_when_told_so(block: Block, trouble: Block) -> None:
    """Flags, bills in analysis and kickouts refuse a close only if just they are to."""
    none = dict.fromkeys(("closed", "missing", "pending", "foreign", "flagged", "analyzing", "kickouts"), 0.0)
    share = {"flagged" if trouble is Block.FLAGS else trouble.value: 1.0}
    options = Options(
        population=Population(batches=1, **(none | share)),  # type: ignore[arg-type] # shares, by name
        unknowns=Unknowns(blocked_by=frozenset({block})),
    )
    async with simulate(options) as simulator:
        refused = block is trouble
        assert (await close(simulator)).status == (400 if refused else 200)
        assert (simulator.world.batches[FIRST].state is State.OPEN) is refused


@pytest.mark.parametrize("status", [401, 403])
async def test_another_users_batch_may_be_forbidden(status: int) -> None:
    """The key works, this batch is refused."""
    options = Options(
        population=Population(batches=1, closed=0, missing=0, pending=0, foreign=1),
        unknowns=Unknowns(foreign=status),
    )
    async with simulate(options) as simulator:
        assert (await close(simulator)).status == status
        assert (await say(simulator, "GET", "/api/v3/me")).status == 200
        assert simulator.world.batches[FIRST].state is State.OPEN


@pytest.mark.parametrize(
    ("shape", "content_type", "start"),
    [
        (ErrorBody.OBJECT, "application/json; charset=utf-8", b"{"),
        (ErrorBody.ODD, "application/json; charset=utf-8", b"["),
        (ErrorBody.PROBLEM, "application/problem+json", b"{"),
        (ErrorBody.TEXT, "text/plain; charset=utf-8", b"Batch"),
        (ErrorBody.HTML, "text/html; charset=utf-8", b"<html>"),
        (ErrorBody.EMPTY, None, b""),
    ],
)
async def test_an_error_has_the_shape_chosen(
    shape: ErrorBody, content_type: str | None, start: bytes
) -> None:
    """The same refusal as JSON, text, HTML or nothing."""
    async with simulate(open_batches(unknowns=Unknowns(error_body=shape))) as simulator:
        heard = await close(simulator, 5)
        assert heard.status == 404
        assert heard.body.startswith(start)
        if content_type is None:
            assert heard.body == b""
        else:
            assert heard.headers["content-type"] == content_type
            assert b"Batch 5 was not found" in heard.body


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        (EndDate.UTC, "2026-09-21T14:13:20.000Z"),
        (EndDate.OFFSET, "2026-09-21T09:13:20.000-05:00"),
        (EndDate.NAIVE_UTC, "2026-09-21T14:13:20.000"),
        (EndDate.NAIVE_LOCAL, "2026-09-21T09:13:20.000"),
        (EndDate.DATE, "2026-09-21"),
        (EndDate.NULL, None),
    ],
)
async def test_end_date_has_the_form_chosen(form: EndDate, shown: str | None) -> None:
    """One instant in each of its forms."""
    async with simulate(open_batches(unknowns=Unknowns(end_date=form)), clock=lambda: NOW) as simulator:
        assert (await close(simulator)).json["endDate"] == shown
        assert (await look_up(simulator)).json["endDate"] == shown


async def test_the_servers_clock_may_be_off() -> None:
    """Date and endDate are shifted alike; the truth is kept in our time."""
    async with simulate(open_batches(unknowns=Unknowns(clock_offset_s=3600)), clock=lambda: NOW) as simulator:
        heard = await close(simulator)
        assert heard.json["endDate"] == "2026-09-21T15:13:20.000Z"
        assert parsedate_to_datetime(heard.headers["date"]).timestamp() == NOW + 3600
        assert simulator.world.batches[FIRST].closed_at == NOW


@pytest.mark.parametrize(("case", "word"), [("lower", "open"), ("title", "Open"), ("upper", "OPEN")])
async def test_the_status_is_written_in_the_case_chosen(case: str, word: str) -> None:
    """batchStatus comes in any letter case, and a filter may want one of its own."""
    unknowns = Unknowns(status_case=LetterCase(case), filter_case=FilterCase.TITLE)
    async with simulate(open_batches(unknowns=unknowns)) as simulator:
        assert (await look_up(simulator)).json["batchStatus"] == word
        found = await say(simulator, "GET", "/api/v3/batch?filter=batchStatus equals 'Open'")
        lost = await say(simulator, "GET", "/api/v3/batch?filter=batchStatus equals 'open'")
        assert (len(found.json), lost.json) == (5, [])


async def test_keys_without_a_value_are_null_or_missing() -> None:
    """Three ways to say nothing."""
    keys = {}
    for nulls in Nulls:
        async with simulate(open_batches(unknowns=Unknowns(nulls=nulls))) as simulator:
            keys[nulls] = orjson.loads((await look_up(simulator)).body)
    assert keys[Nulls.NULL]["endDate"] is None
    assert "endDate" not in keys[Nulls.MISSING]
    assert keys[Nulls.BARE] == {"batchId": FIRST, "batchStatus": "open"}


async def test_listing_may_be_forbidden_and_headers_may_be_missing() -> None:
    """A list of 403, and a page that does not say how many there are."""
    async with simulate(open_batches(unknowns=Unknowns(listing=False))) as simulator:
        assert (await say(simulator, "GET", "/api/v3/batch")).status == 403
    async with simulate(open_batches(unknowns=Unknowns(paging_headers=False))) as simulator:
        heard = await say(simulator, "GET", "/api/v3/batch")
        assert len(heard.json) == 5
        assert "totalpages" not in heard.headers


@pytest.mark.parametrize("status", [403, 404])
async def test_me_may_not_be_there(status: int) -> None:
    """The question who the key is may go unanswered."""
    async with simulate(open_batches(unknowns=Unknowns(me=status))) as simulator:
        assert (await say(simulator, "GET", "/api/v3/me")).status == status
