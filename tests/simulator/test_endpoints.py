"""Each endpoint over a real socket, without faults."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from worker.simulator.options import Options, Pace, Population, RetryAfter
from worker.simulator.running import Simulator, simulate
from worker.simulator.world import State

from .talking import FIRST, close, look_up, open_batches, say, say_on


async def test_a_close_answers_with_the_closed_batch_and_is_remembered() -> None:
    """200 with the BatchResponse, and the world says closed by us."""
    async with simulate(open_batches()) as simulator:
        heard = await close(simulator)
        assert (heard.status, heard.json["batchId"], heard.json["batchStatus"]) == (200, FIRST, "closed")
        assert heard.json["endDate"]
        assert heard.json["isOpen"] is False
        batch = simulator.world.batches[FIRST]
        assert (batch.state, batch.closed_by, batch.puts, batch.gets) == (State.CLOSED, "us", 1, 0)
        assert simulator.requests[0].status == 200


async def test_a_second_close_and_an_unknown_id_are_refused() -> None:
    """400 for the closed one, 404 for the one that is not there."""
    async with simulate(open_batches()) as simulator:
        await close(simulator)
        assert (await close(simulator)).status == 400
        assert (await close(simulator, 77)).status == 404
        assert (await look_up(simulator, 77)).status == 404
        assert (await close(simulator, 2**31)).status == 400
        assert simulator.world.truth()[77] | {"puts": 1, "gets": 1} == simulator.world.truth()[77]


async def test_a_read_shows_the_batch_and_can_be_narrowed() -> None:
    """GET answers with every documented key, or those of field=."""
    async with simulate(open_batches()) as simulator:
        whole = (await look_up(simulator)).json
        assert len(whole) == 23
        assert whole["batchStatus"] == "open"
        narrowed = await say(simulator, "GET", f"/api/v3/batch/{FIRST}?field=batchId,batchstatus")
        assert narrowed.json == {"batchId": FIRST, "batchStatus": "open"}
        assert simulator.world.batches[FIRST].gets == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"ECI-ApiKey": "wrong"}, 401),
        ({"ECI-ApiKey": ""}, 401),
        ({"Content-Type": ""}, 400),
        ({"Content-Type": "text/plain"}, 400),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
    ],
)
async def test_key_and_content_type_are_required(headers: dict[str, str], status: int) -> None:
    """401 without the right key, 400 without the documented content type, and nothing is done."""
    async with simulate(open_batches()) as simulator:
        heard = await say(simulator, "PUT", f"/api/v3/batch/close/{FIRST}", headers=headers)
        assert heard.status == status
        assert (simulator.world.batches[FIRST].state is State.CLOSED) == (status == 200)


async def test_pages_add_up_to_all_batches() -> None:
    """Default 250, at most 1000, counted in the documented headers."""
    options = Options(population=Population(batches=1100, missing=0))
    async with simulate(options) as simulator:
        first = await say(simulator, "GET", "/api/v3/batch")
        assert len(first.json) == 250
        paging = {name: first.headers[name] for name in ("pagenumber", "pagesize", "totalpages")}
        assert paging == {"pagenumber": "1", "pagesize": "250", "totalpages": "5"}
        assert first.headers["totalnumberofrecords"] == "1100"
        pages = [
            await say(simulator, "GET", f"/api/v3/batch?pageSize=5000&pageNumber={n}") for n in (1, 2, 3)
        ]
        assert [len(page.json) for page in pages] == [1000, 100, 0]
        assert [row["batchId"] for page in pages for row in page.json] == list(range(1001, 2101))
        assert (await say(simulator, "GET", "/api/v3/batch?pageSize=0")).status == 400


async def test_the_list_is_filtered_and_narrowed() -> None:
    """filter= picks batches, field= keys; a filter that can't be read is 400."""
    async with simulate(Options(population=Population(batches=50))) as simulator:
        query = "filter=batchStatus equals 'open' and runningTotal greater than '0'&field=batchId"
        rows = (await say(simulator, "GET", f"/api/v3/batch?{query}")).json
        opened = [i for i in simulator.world.ids(State.OPEN) if simulator.world.batches[i].total_cents]
        assert rows == [{"batchId": batch_id} for batch_id in opened]
        assert (await say(simulator, "GET", "/api/v3/batch?filter=batchId equals '1'")).status == 400


async def test_me_and_export_say_what_is_known() -> None:
    """Who the key is, and what a close releases."""
    async with simulate(open_batches()) as simulator:
        me = (await say(simulator, "GET", "/api/v3/me")).json
        assert me["permissions"]["billsAndBatches"]["create"] is True
        export = (await say(simulator, "GET", "/api/v3/workflow/export?exportMode=AP")).json
        assert export == {"exportModeEnabled": True, "canExport": "after batch"}
        assert (await say(simulator, "GET", "/api/v3/workflow/export")).status == 400


async def _set(simulator: Simulator, **body: Any) -> int | None:
    path = f"/api/v202206/batch/{FIRST}/status"
    return (await say(simulator, "PUT", path, body=orjson.dumps(body))).status


async def test_the_status_call_keeps_its_rules() -> None:
    """Open needs Pending, Pending needs Open, Closed needs either; words in their letter case."""
    async with simulate(open_batches()) as simulator:
        batch = simulator.world.batches[FIRST]
        assert await _set(simulator, batchStatus="Open") == 400
        assert await _set(simulator, batchStatus="pending") == 400
        assert await _set(simulator, batchStatus="Pending", note="x" * 256) == 400
        assert await _set(simulator, batchStatus="Pending", leaveOpenBatchesAsIs=True, note="wait") == 204
        assert (batch.state, batch.voided, batch.note) == (State.PENDING, True, "wait")
        assert await _set(simulator, batchStatus="Pending") == 400
        assert await _set(simulator, batchStatus="Open") == 204
        assert await _set(simulator, batchStatus="Closed") == 204
        assert (batch.state, batch.closed_by, batch.voided, batch.puts) == (State.CLOSED, "us", False, 0)
        assert await _set(simulator, batchStatus="Closed") == 400
        broken = await say(simulator, "PUT", f"/api/v202206/batch/{FIRST}/status", body=b"[")
        assert broken.status == 400


async def test_anything_else_is_not_found() -> None:
    """Paths and methods beyond the documented ones change nothing."""
    async with simulate(open_batches()) as simulator:
        for method, path in (
            ("GET", f"/api/v3/batch/close/{FIRST}"),
            ("PUT", f"/api/v3/batch/{FIRST}"),
            ("PUT", "/api/v3/batch/close/x"),
            ("POST", f"/api/v3/batch/close/{FIRST}"),
            ("GET", "/"),
        ):
            assert (await say(simulator, method, path)).status == 404
        assert simulator.world.counts() == {State.OPEN: 5}


async def test_control_endpoints_tell_the_truth_without_a_key() -> None:
    """truth, requests and ids for whoever runs the simulator as a process."""
    async with simulate(open_batches()) as simulator, aiohttp.ClientSession() as session:
        await close(simulator)
        async with session.get(f"{simulator.url}/simulator/truth") as answer:
            truth = await answer.json()
        assert {key: truth[str(FIRST)][key] for key in ("state", "closed_by_us", "puts", "gets")} == {
            "state": "closed",
            "closed_by_us": True,
            "puts": 1,
            "gets": 0,
        }
        async with session.get(f"{simulator.url}/simulator/requests?limit=5") as answer:
            requests = await answer.json()
        assert (requests["count"], requests["requests"][0]["batch_id"]) == (1, FIRST)
        async with session.get(f"{simulator.url}/simulator/ids?kind=open") as answer:
            assert (await answer.text()).split() == [str(FIRST + i) for i in range(1, 5)]
        for path in ("ids?kind=some", "requests?limit=x", "other"):
            async with session.get(f"{simulator.url}/simulator/{path}") as answer:
                assert answer.status in {400, 404}
        assert len(simulator.requests) == 1


@pytest.mark.parametrize("form", list(RetryAfter))
async def test_the_rate_limit_answers_429(form: RetryAfter) -> None:
    """More than the rate in a second is refused with Retry-After, and nothing is done."""
    now = [1_790_000_000.0]
    options = open_batches(pace=Pace(rate_per_s=2, burst=1, retry_after=form))
    async with simulate(options, clock=lambda: now[0]) as simulator:
        heard = [await close(simulator, FIRST + i) for i in range(4)]
        assert [h.status for h in heard] == [200, 200, 200, 429]
        expected = {"seconds": "1", "date": "Mon, 21 Sep 2026 14:13:21 GMT", "none": None}[form]
        assert heard[3].headers.get("retry-after") == expected
        now[0] += 1.0
        assert (await close(simulator, FIRST + 3)).status == 200
        assert simulator.max_seen_per_second() == 4


async def test_latency_comes_before_the_answer() -> None:
    """An answer takes at least the latency."""
    async with simulate(open_batches(pace=Pace(latency_s=(0.05, 0.06)))) as simulator:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await close(simulator)
        assert loop.time() - before >= 0.05


async def test_a_connection_carries_many_requests() -> None:
    """Kept-alive connections work, as a pool needs them."""
    async with simulate(open_batches()) as simulator:
        host, port = simulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for i in range(5):
            heard = await say_on(reader, writer, simulator, "PUT", f"/api/v3/batch/close/{FIRST + i}")
            assert heard.status == 200
        writer.close()
        assert simulator.world.counts() == {State.CLOSED: 5}
