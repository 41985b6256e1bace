"""The reading client over real sockets: what it can't do, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from worker.energycap import Connection, EnergyCap, Reader, connect_reader
from worker.energycap.reader import LARGEST_PAGE
from worker.simulator.options import Nulls, Options, Population, Unknowns
from worker.simulator.running import Simulator, simulate
from worker.words.answer import Answer, Heard, Identity, Page
from worker.words.errors import ConfigurationError

from .support import KEY, Wire, reader, response

ROWS = json.dumps([{"batchId": 7, "batchStatus": "Open"}, {"batchId": 8}]).encode()
DATE = "Date: Tue, 03 Nov 2026 02:00:00 GMT"


def of(simulator: Simulator) -> Connection:
    return Connection(base_url=simulator.url, key=SecretStr(simulator.key))


def test_the_reader_has_no_way_to_write() -> None:
    """The type that reads has neither a close nor anything else of the client that closes."""
    assert not hasattr(Reader, "close")
    assert issubclass(EnergyCap, Reader)
    assert set(vars(EnergyCap)) - set(vars(Reader)) == {"close"}


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE", "OPTIONS"])
async def test_its_connections_do_not_write_either(method: str) -> None:
    """Below the reader's type, its connections are given to no request but a GET."""
    wire = Wire()
    async with reader(wire) as api:
        with pytest.raises(RuntimeError, match=method):
            await api._exchange._send(method, "/api/v3/batch/close/7")
    assert wire.connections == 0


async def test_ten_thousand_batches_in_ten_pages() -> None:
    """All batches of the simulator, each once, in as few requests as the API allows."""
    async with simulate(Options(population=Population(batches=9_500, missing=0))) as simulator:
        async with connect_reader(of(simulator)) as api:
            pages = [await api.page(number) for number in range(1, 11)]
            beyond, last = await api.page(11)
        seen = [batch.batch_id for _, page in pages if page for batch in page.batches]
        assert seen == simulator.world.ids()
    for number, (answer, page) in enumerate(pages, 1):
        assert answer.status == 200
        assert page is not None
        assert page[1:] == (number, 10, 9_500, 0)
    assert (beyond.status, last and last.batches) == (200, ())


@pytest.mark.parametrize("nulls", list(Nulls))
async def test_a_page_without_headers(nulls: Nulls) -> None:
    """The paging headers may be missing, and most fields too."""
    unknowns = Unknowns(paging_headers=False, nulls=nulls)
    async with (
        simulate(Options(population=Population(batches=5, missing=0), unknowns=unknowns)) as simulator,
        connect_reader(of(simulator)) as api,
    ):
        answer, page = await api.page(2, 3)
    assert answer.error is None
    assert page is not None
    assert ([batch.batch_id for batch in page.batches], page[1:]) == ([1004, 1005], (2, None, None, 0))


async def test_a_filter_finds_what_it_says() -> None:
    """Quotes, spaces, signs and letters of any script reach the server as they were meant."""
    async with (
        simulate(Options(population=Population(batches=30, missing=0))) as simulator,
        connect_reader(of(simulator)) as api,
    ):
        batches = list(simulator.world.batches.values())
        batches[3].control_code = "a+b & c=d%20#\u00e9 O'H"
        _, odd = await api.page(1, filter="controlCode equals 'A+B & c=d%20#\u00e9 O''H'")
        _, closed = await api.page(
            1, filter="batchStatus one of ('closed'|'pending') and isOpen equals 'false'"
        )
        refused, none = await api.page(1, filter="nonsense")
    assert odd is not None
    assert [batch.batch_id for batch in odd.batches] == [batches[3].batch_id]
    assert closed is not None
    states = {"closed", "pending"}
    assert len(closed.batches) == sum(batch.state.value in states for batch in batches) > 0
    assert (refused.status, none) == (400, None)


async def test_the_request_as_it_is_sent() -> None:
    """A filter is percent-encoded once, the plus and the space too; nothing rewrites it on the way."""
    text = "batchCode like 'a b+c%20&\u00e9'"
    wire = Wire(response(ROWS))
    async with reader(wire) as api:
        await api.page(2, 500, filter=text)
    line, *headers = wire.seen[0].decode().split("\r\n")
    method, target, _ = line.split(" ")
    assert method == "GET"
    assert target == (
        "/api/v3/batch?pageSize=500&pageNumber=2&filter=batchCode%20like%20%27a%20b%2Bc%2520%26%C3%A9%27"
    )
    assert parse_qs(urlsplit(target).query)["filter"] == [text]
    assert f"ECI-ApiKey: {KEY}" in headers
    assert "Content-Type: application/json" in headers


async def test_a_filter_that_no_url_can_hold() -> None:
    """Half a character is refused with one line, and nothing is sent."""
    wire = Wire()
    async with reader(wire) as api:
        with pytest.raises(ConfigurationError, match="the filter"):
            await api.page(1, filter="batchCode like '\udcff'")
    assert wire.connections == 0


async def test_a_second_page_is_not_sent_twice_by_itself() -> None:
    """A dropped connection that was used before is one lost answer, and one request."""
    wire = Wire(response(ROWS), None, response(ROWS))
    async with reader(wire) as api:
        await api.page(1)
        answer, page = await api.page(2)
    assert (answer.heard, answer.error, page) == (Heard.LOST, "disconnected", None)
    assert len(wire.seen) == 2


NOT_WHAT_WAS_ASKED = {"not_a_list", "not_an_identity", "not_an_export_setting"}


async def everything(api: Reader) -> list[tuple[Answer, object]]:
    return [await api.page(1), await api.identity(), await api.can_export("AP")]


@pytest.mark.parametrize(
    ("answer", "heard", "status", "errors"),
    [
        (response(b"<html>Sign in</html>"), Heard.ANSWER, 200, NOT_WHAT_WAS_ASKED),
        (response(b'{"a":1}'), Heard.ANSWER, 200, NOT_WHAT_WAS_ASKED),
        (response(b""), Heard.ANSWER, 200, {"empty"}),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Heard.ANSWER, 204, {"empty"}),
        (response(b"x", "403 Forbidden"), Heard.ANSWER, 403, {None}),
        (response(b"x", "429 Slow", "Retry-After: 3"), Heard.ANSWER, 429, {None}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n[", Heard.LOST, 200, {"truncated"}),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Heard.LOST, None, {"bad_http"}),
        (None, Heard.LOST, None, {"disconnected"}),
    ],
)  # fmt: skip
async def test_answers_of_any_kind(
    answer: bytes | None, heard: Heard, status: int | None, errors: set[str | None]
) -> None:
    """No call raises, none gives a record that is not there, and the answer says why."""
    calls: list[Callable[[Reader], Awaitable[tuple[Answer, object]]]]
    calls = [lambda api: api.page(1), lambda api: api.identity(), lambda api: api.can_export("AP")]
    got = []
    for call in calls:
        async with reader(Wire(answer)) as api:
            got.append(await call(api))
    assert {(a.heard, a.status) for a, _ in got} == {(heard, status)}
    assert {a.error for a, _ in got} == errors
    assert [record for _, record in got] == [None, None, None]


async def test_a_redirect_is_not_followed() -> None:
    """A 3xx comes back as it is; the other address does not see the key."""
    other = Wire(response(ROWS))
    server = await asyncio.start_server(other.handle, "127.0.0.1", 0)
    location = f"Location: http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    moved = response(b"", "302 Found", location)
    async with reader(Wire(moved, moved, moved)) as api:
        got = await everything(api)
    server.close()
    await server.wait_closed()
    assert [(answer.status, record) for answer, record in got] == [(302, None)] * 3
    assert other.connections == 0


async def test_a_page_without_end_is_given_up() -> None:
    """What is larger than any page is not read to its end."""
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20))
    body = chunk * ((LARGEST_PAGE >> 20) + 2)
    async with reader(Wire(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)) as api:
        answer, page = await api.page(1)
    assert (answer.heard, answer.error, page) == (Heard.ANSWER, "too_large", None)


async def test_a_page_larger_than_a_batch_may_be() -> None:
    """A page of several megabytes is taken as it is."""
    rows = json.dumps([{"batchId": number, "note": "x" * 4000} for number in range(1, 1001)]).encode()
    async with reader(Wire(response(rows))) as api:
        answer, page = await api.page(1)
    assert answer.error is None
    assert page is not None
    assert len(page.batches) == 1000


async def test_an_echoed_key_stays_out() -> None:
    """The key gets into no record and no message, escaped in JSON or not."""
    escaped = "".join(f"\\u{ord(char):04x}" for char in KEY)
    wire = Wire(
        response(b'[{"batchId":7,"batchCode":"%s"}]' % KEY.encode()),
        response(b'{"systemUserId":1,"fullName":"%s","environment":"%s"}' % (KEY.encode(), escaped.encode())),
        response(b'{"canExport":"%s"}' % escaped.encode()),
        response(b'{"message":"ECI-ApiKey: %s"}' % KEY.encode(), "400 Bad Request"),
    )
    async with reader(wire) as api:
        got = [*await everything(api), await api.page(2)]
    assert KEY not in repr(got)
    assert repr(got).count("***") == 5


async def test_the_servers_clock() -> None:
    """The Date header is there with each of them, whether the body is of use or not."""
    wire = Wire(response(ROWS, "200 OK", DATE), response(b"{", "200 OK", DATE), response(b"", "403 No", DATE))
    async with reader(wire) as api:
        got = await everything(api)
    assert [answer.server_at for answer, _ in got] == [1793671200.0] * 3
    assert all(0 < answer.sent_at <= answer.received_at and answer.elapsed_s > 0 for answer, _ in got)


async def test_the_simulators_user_and_setting() -> None:
    """Who the key is, what it may do, and when bills are exported."""
    async with (
        simulate(Options(can_export="after approval")) as simulator,
        connect_reader(of(simulator)) as api,
    ):
        _, user = await api.identity()
        settings = [(await api.can_export(mode))[1] for mode in ("AP", "GL")]
    assert user == Identity(11, "batch.closer", "Batch Closer", "simulator", True, True, True)
    assert settings == ["after approval", "after approval"]


async def test_a_single_read_and_the_key_alone() -> None:
    """The reader has the two reads that the engine uses as well."""
    wire = Wire(response(b'{"batchId":7,"batchStatus":"open"}'), response(b"<html>"), response(b""))
    async with reader(wire) as api:
        batch, key, bare = await api.look_up(7), await api.me(), await api.me()
    assert batch.batch is not None
    assert batch.error == "not_closed"
    assert [(answer.status, answer.error) for answer in (key, bare)] == [(200, None)] * 2


async def test_a_page_with_a_bad_row() -> None:
    """One row that is no batch does not cost the others."""
    async with reader(Wire(response(b"[5," + ROWS[1:], "200 OK", "TotalPages: ?"))) as api:
        answer, page = await api.page(4)
    assert answer.error is None
    assert page == Page(page.batches if page else (), 4, None, None, 1)
    assert page is not None
    assert [batch.batch_id for batch in page.batches] == [7, 8]
