"""Each fault shows on the wire what it promises, and leaves the truth it promises."""

from __future__ import annotations

import asyncio
import gzip
import time
from email.utils import parsedate_to_datetime

import aiohttp
import orjson
import pytest

from worker.simulator.faults import BY_NAME
from worker.simulator.options import Unknowns
from worker.simulator.running import Simulator, simulate
from worker.simulator.scripts import fault_plan, script, scripted
from worker.simulator.world import State

from .talking import FIRST, NOW, Heard, close, look_up, open_batches, say, say_on

HUGE = 300_000


def closed_by(simulator: Simulator) -> str | None:
    """Who closed the first batch."""
    return simulator.world.batches[FIRST].closed_by


async def one_close(kind: str) -> tuple[Heard, Simulator]:
    """A close that gets this fault."""
    options = open_batches(faults=scripted(by_id={FIRST: script(put=[kind])}), huge_bytes=HUGE)
    async with simulate(options) as simulator:
        async with asyncio.timeout(10):
            return await close(simulator), simulator


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [
        ("ok", 200, True),
        ("500", 500, False),
        ("408", 408, False),
        ("401", 401, False),
        ("599", 599, False),
        ("close_then_500", 500, True),
        ("close_then_408", 408, True),
        ("html", 200, False),
        ("html_after", 200, True),
        ("garbage", 200, False),
        ("garbage_after", 200, True),
        ("empty", 200, False),
        ("empty_after", 200, True),
        ("not_closed", 200, False),
        ("wrong_id", 200, False),
        ("huge", 200, True),
        ("gzip_bomb", 200, True),
        ("redirect", 302, False),
        ("redirect_after", 302, True),
        ("key_dead", 401, False),
        ("echo_key", 400, False),
        ("slow:0.01", 200, True),
        ("drop_reused", 200, True),  # of a connection's first request nothing is dropped
    ],
)
async def test_a_whole_answer_has_its_status_and_leaves_its_truth(kind: str, status: int, done: bool) -> None:
    """Faults that are answers: complete, with the status promised, done or not."""
    heard, simulator = await one_close(kind)
    assert (heard.status, heard.complete) == (status, True)
    assert (closed_by(simulator) == "us") is done
    assert simulator.requests[0].status == status
    assert simulator.requests[0].fault == ("ok" if kind in {"ok", "drop_reused"} else kind)


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        ("drop_before", False),
        ("drop_after", True),
        ("reset_before", False),
        ("reset_after", True),
        ("drop_headers", True),
        ("bad_http", False),
        ("bad_http_after", True),
    ],
)
async def test_no_answer_comes_and_the_truth_is_left(kind: str, done: bool) -> None:
    """Faults that end the connection: no status, done or not, seen once."""
    heard, simulator = await one_close(kind)
    assert heard.status is None
    assert heard.reset is kind.startswith("reset")
    assert heard.raw.startswith(b"HTTP/1.1 200") is (kind == "drop_headers")
    assert bool(heard.raw) is (kind in {"drop_headers", "bad_http", "bad_http_after"})
    assert (closed_by(simulator) == "us") is done
    assert simulator.world.batches[FIRST].puts == 1
    assert simulator.requests[0].status is None


@pytest.mark.parametrize(("kind", "done"), [("truncated", True), ("truncated_before", False)])
async def test_a_truncated_body_is_shorter_than_promised(kind: str, done: bool) -> None:
    """A good start of the answer, then nothing."""
    heard, simulator = await one_close(kind)
    assert (heard.status, heard.complete) == (200, False)
    assert 0 < len(heard.body) < int(heard.headers["content-length"])
    assert (closed_by(simulator) == "us") is done


@pytest.mark.parametrize(("kind", "done"), [("hang", False), ("hang_after", True)])
async def test_a_hanging_request_is_never_answered(kind: str, done: bool) -> None:
    """Nothing comes until the server stops, and stopping does not wait for it."""
    options = open_batches(faults=scripted(by_id={FIRST: script(put=[kind])}))
    async with simulate(options) as simulator:
        waiting = asyncio.create_task(close(simulator))
        while not simulator.requests:
            await asyncio.sleep(0)
        assert (await look_up(simulator)).json["batchStatus"] == ("closed" if done else "open")
        assert not waiting.done()
    async with asyncio.timeout(5):
        assert (await waiting).status is None


async def test_slow_is_done_before_it_is_answered() -> None:
    """A read meanwhile finds the batch closed."""
    options = open_batches(faults=scripted(by_id={FIRST: script(put=["slow:60"])}))
    async with simulate(options) as simulator:
        waiting = asyncio.create_task(close(simulator))
        while not simulator.requests:
            await asyncio.sleep(0)
        assert (await look_up(simulator)).json["batchStatus"] == "closed"
        assert not waiting.done()
    assert (await waiting).status is None


async def test_a_late_close_happens_after_the_connection_is_gone() -> None:
    """A read right after finds the batch open, later it is closed by us."""
    options = open_batches(faults=scripted(by_id={FIRST: script(put=["drop_late:0.05"])}))
    async with simulate(options) as simulator:
        assert (await close(simulator)).status is None
        assert closed_by(simulator) is None
        async with asyncio.timeout(5):
            while closed_by(simulator) is None:
                await asyncio.sleep(0.005)
        assert closed_by(simulator) == "us"


async def test_bodies_that_are_not_the_batch() -> None:
    """HTML is a page, garbage no JSON, not_closed open, wrong_id another batch."""
    assert b"<!DOCTYPE html>" in (await one_close("html"))[0].body
    with pytest.raises(orjson.JSONDecodeError):
        (await one_close("garbage"))[0].json  # noqa: B018 # reading it is what fails
    assert (await one_close("empty"))[0].body == b""
    not_closed = (await one_close("not_closed"))[0].json
    assert (not_closed["batchId"], not_closed["batchStatus"], not_closed["endDate"]) == (FIRST, "open", None)
    wrong = (await one_close("wrong_id"))[0].json
    assert (wrong["batchId"], wrong["batchStatus"]) == (FIRST + 1, "closed")
    assert wrong["endDate"]


async def test_large_bodies_are_json_of_the_closed_batch() -> None:
    """Huge comes in chunks, the bomb is small until inflated; both are the true answer, padded."""
    huge = (await one_close("huge"))[0]
    assert huge.headers["transfer-encoding"] == "chunked"
    bomb = (await one_close("gzip_bomb"))[0]
    assert bomb.headers["content-encoding"] == "gzip"
    assert len(bomb.body) < HUGE / 100
    for body in (huge.body, gzip.decompress(bomb.body)):
        assert len(body) > HUGE
        assert orjson.loads(body)["batchStatus"] == "closed"


async def test_a_huge_body_stops_when_the_peer_goes() -> None:
    """The server gives up sending and serves the next."""
    options = open_batches(faults=scripted(by_id={FIRST: script(put=["huge"])}), huge_bytes=50_000_000)
    async with simulate(options) as simulator:
        headers = {"ECI-ApiKey": simulator.key, "Content-Type": "application/json"}
        url = f"{simulator.url}/api/v3/batch/close/{FIRST}"
        async with aiohttp.ClientSession(headers=headers) as session, session.put(url) as answer:
            assert len(await answer.content.readexactly(1000)) == 1000
        assert (await close(simulator, FIRST + 1)).status == 200


async def test_a_redirect_names_another_origin() -> None:
    """Location is the other origin with the same path."""
    options = open_batches(
        faults=scripted(by_id={FIRST: script(put=["redirect"])}), redirect_to="http://127.0.0.1:1/"
    )
    async with simulate(options) as simulator:
        heard = await close(simulator)
        assert heard.headers["location"] == f"http://127.0.0.1:1/api/v3/batch/close/{FIRST}"


async def test_the_echo_holds_the_key() -> None:
    """The body repeats every request header, so that a client that shows it shows its key."""
    heard, simulator = await one_close("echo_key")
    assert simulator.key.encode() in heard.body


async def test_a_dead_key_stays_dead() -> None:
    """From then on 401 for everything, /me included, until it is revived."""
    options = open_batches(faults=scripted(by_id={FIRST: script(put=["key_dead"])}))
    async with simulate(options) as simulator:
        assert (await close(simulator)).status == 401
        assert (await say(simulator, "GET", "/api/v3/me")).status == 401
        assert (await close(simulator, FIRST + 1)).status == 401
        simulator.revive_key()
        assert (await close(simulator)).status == 200
        simulator.kill_key()
        assert (await look_up(simulator)).status == 401


async def test_me_has_faults_of_its_own() -> None:
    """A script for /me is followed like any other."""
    async with simulate(open_batches(faults=scripted(by_id={}, me=["401", "500"]))) as simulator:
        assert [(await say(simulator, "GET", "/api/v3/me")).status for _ in range(3)] == [401, 500, 200]


@pytest.mark.parametrize(
    ("kind", "shown"), [("429:2", "2"), ("503:soon", "soon"), ("close_then_503:1", "1"), ("429", None)]
)
async def test_retry_after_is_sent_as_written(kind: str, shown: str | None) -> None:
    """Seconds, or a word that is neither seconds nor date, or nothing."""
    assert (await one_close(kind))[0].headers.get("retry-after") == shown


async def test_a_retry_after_date_is_in_the_servers_time() -> None:
    """One to two seconds ahead of the server's own clock."""
    faults = scripted(by_id={FIRST: script(put=["429:date"])})
    options = open_batches(faults=faults, unknowns=Unknowns(clock_offset_s=-100))
    async with simulate(options, clock=lambda: NOW) as simulator:
        heard = await close(simulator)
        until = parsedate_to_datetime(heard.headers["retry-after"])
        assert (until - parsedate_to_datetime(heard.headers["date"])).total_seconds() == 1


@pytest.mark.parametrize(("kind", "before_s"), [("rival", 0), ("rival:3", 3)])
async def test_a_rival_closes_first(kind: str, before_s: int) -> None:
    """The answer is that of a closed batch, and it was not us."""
    began = time.time()
    heard, simulator = await one_close(kind)
    assert (heard.status, closed_by(simulator)) == (400, "them")
    closed_at = simulator.world.batches[FIRST].closed_at
    assert closed_at is not None
    assert began - before_s <= closed_at <= time.time() - before_s


@pytest.mark.parametrize(("kind", "closed_after"), [("drop_reused", False), ("drop_reused_after", True)])
async def test_the_second_request_of_a_connection_is_dropped(kind: str, closed_after: bool) -> None:
    """It is seen and not answered; on a new connection all is well."""
    async with simulate(open_batches(faults=fault_plan(shares=[f"put:{kind}=1"]))) as simulator:
        host, port = simulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        first = await say_on(reader, writer, simulator, "PUT", f"/api/v3/batch/close/{FIRST}")
        second = await say_on(reader, writer, simulator, "PUT", f"/api/v3/batch/close/{FIRST + 1}")
        writer.close()
        assert (first.status, second.status) == (200, None)
        batch = simulator.world.batches[FIRST + 1]
        assert (batch.puts, batch.state is State.CLOSED) == (1, closed_after)


async def test_a_hidden_second_put_is_seen() -> None:
    """aiohttp alone re-sends a PUT dropped on a reused connection: two PUTs for one call (aiohttp#10790)."""
    async with simulate(open_batches(faults=fault_plan(shares=["put:drop_reused=1"]))) as simulator:
        headers = {"ECI-ApiKey": simulator.key, "Content-Type": "application/json"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for batch_id in (FIRST, FIRST + 1):
                async with session.put(f"{simulator.url}/api/v3/batch/close/{batch_id}") as answer:
                    assert answer.status == 200
                    await answer.read()
        assert [simulator.world.batches[i].puts for i in (FIRST, FIRST + 1)] == [1, 2]


@pytest.mark.parametrize("kind", sorted(set(BY_NAME) - {"hang", "hang_after", "huge", "rival"}))
async def test_a_fault_on_a_read_changes_nothing(kind: str) -> None:
    """Whatever happens to a GET, the batch stays as it is, and the next GET says so."""
    options = open_batches(faults=scripted(by_id={FIRST: script(get=[kind])}), huge_bytes=HUGE)
    async with simulate(options) as simulator:
        heard = await look_up(simulator)
        assert simulator.world.batches[FIRST].state is State.OPEN
        if kind == "not_closed":
            assert heard.json["batchStatus"] == "open"
        simulator.revive_key()
        assert (await look_up(simulator)).json["batchStatus"] == "open"


async def test_not_closed_on_a_read_does_not_lie() -> None:
    """A read of a closed batch says closed, fault or not."""
    options = open_batches(faults=scripted(by_id={FIRST: script(get=["not_closed"])}))
    async with simulate(options) as simulator:
        await close(simulator)
        assert (await look_up(simulator)).json["batchStatus"] == "closed"


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "close_then_500", "huge"])
async def test_a_fault_on_a_missing_batch_closes_nothing(kind: str) -> None:
    """What can't be done isn't done, whatever the fault."""
    options = open_batches(faults=scripted(by_id={77: script(put=[kind])}), huge_bytes=HUGE)
    async with simulate(options) as simulator:
        await close(simulator, 77)
        assert simulator.world.batches[77].state is State.MISSING
