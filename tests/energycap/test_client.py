"""The client over real sockets: one request per call, whatever the server does."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from worker.energycap import Connection, connect
from worker.energycap.connection import proxy_for, trust
from worker.energycap.exchange import spellings
from worker.energycap.wire import KEPT_S
from worker.words.answer import Heard
from worker.words.errors import ConfigurationError

from .support import CLOSED, KEY, OK, Wire, client, response


async def test_a_dropped_reused_connection_is_one_put() -> None:
    """The library would send the second PUT again by itself; the server sees it once."""
    wire = Wire(OK, None, OK, OK)
    async with client(wire) as api:
        first, second = await api.close(7), await api.close(7)
    assert (first.heard, first.status) == (Heard.ANSWER, 200)
    assert second.heard is Heard.LOST
    assert second.error == "disconnected"
    assert wire.connections == 1
    assert len(wire.seen) == 2


async def test_a_look_up_is_not_sent_twice_either() -> None:
    """Each request has one slot of the rate, so a hidden second GET would be one too many."""
    wire = Wire(OK, None, OK)
    async with client(wire) as api:
        await api.look_up(7)
        answer = await api.look_up(7)
    assert answer.heard is Heard.LOST
    assert len(wire.seen) == 2


async def test_what_comes_unasked_is_no_answer() -> None:
    """A late second response on a kept connection would be taken for the answer about another batch."""
    wire = Wire(OK, OK, OK)
    async with client(wire) as api:
        await api.close(7)
        wire.writers[0].write(response(b"{}", "404 Not Found"))
        for _ in range(20):  # turns of the loop until the client's side has it
            await asyncio.sleep(0)
        second, third = await api.close(7), await api.close(7)
    assert (second.status, third.status) == (200, 200)
    assert wire.connections == 2


@pytest.mark.parametrize(("idle_s", "connections"), [(KEPT_S - 1, 1), (KEPT_S + 1, 2)])
async def test_what_was_idle_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch, idle_s: float, connections: int
) -> None:
    """The server may be about to close it, and then nobody knows what became of the request."""
    server = Wire(OK, OK)
    loop = asyncio.get_running_loop()
    async with client(server) as api:
        await api.close(7)
        monkeypatch.setattr(loop, "time", lambda now=loop.time: now() + idle_s)
        answer = await api.close(7)
    assert answer.status == 200
    assert server.connections == connections


async def test_the_request_as_it_is_sent() -> None:
    """The documented headers and path, an empty body, and the key in its header alone."""
    wire = Wire(OK)
    async with client(wire) as api:
        answer = await api.close(7)
    head = wire.seen[0].decode()
    assert head.startswith("PUT /api/v3/batch/close/7 HTTP/1.1\r\n")
    assert "ECI-ApiKey: the-secret-key\r\n" in head
    assert "Content-Type: application/json\r\n" in head
    assert head.count("the-secret-key") == 1
    assert answer.batch is not None
    assert answer.sent_at <= answer.received_at


@pytest.mark.parametrize(
    ("answer", "heard", "status", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", Heard.LOST, 200, "truncated"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Heard.ANSWER, 200, "empty"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", Heard.ANSWER, 200, "not_a_batch"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n" + CLOSED.replace(b"7", b"8"),
            Heard.ANSWER,
            200,
            "wrong_batch",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Heard.ANSWER, 204, "empty"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 900\r\n\r\n{", Heard.ANSWER, 404, None),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Heard.LOST, None, None),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Heard.LOST, None, "bad_http"),
        (None, Heard.LOST, None, "disconnected"),
    ],
)
async def test_answers_of_any_kind(
    answer: bytes | None, heard: Heard, status: int | None, error: str | None
) -> None:
    """A cut-off 200 is lost, a cut-off 404 is still a 404, and nothing raises."""
    wire = Wire(*([answer, None] if answer is not None else [None]))
    if (answer is not None and heard is Heard.LOST) or status == 404:
        wire.answers = [answer]  # the connection is closed behind it
    async with client(wire) as api:
        got = await api.close(7)
    assert (got.heard, got.status) == (heard, status)
    assert error is None or got.error == error
    assert got.batch is None


async def test_a_redirect_is_not_followed() -> None:
    """A 3xx comes back as it is; the other address sees nothing."""
    other = Wire(OK)
    server = await asyncio.start_server(other.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    location = (
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:%d/x\r\nContent-Length: 0\r\n\r\n"
    )
    async with client(Wire(location % port)) as api:
        answer = await api.close(7)
    server.close()
    await server.wait_closed()
    assert answer.status == 307
    assert other.connections == 0


async def test_a_body_without_end_is_given_up() -> None:
    """What is larger than a BatchResponse can be is not read to its end."""
    chunk = b"%x\r\n%s\r\n" % (1 << 16, b"x" * (1 << 16))
    wire = Wire(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 64, None)
    async with client(wire) as api:
        answer = await api.close(7)
    assert (answer.heard, answer.error) == (Heard.ANSWER, "too_large")


async def test_a_cancelled_wait_is_no_time_out() -> None:
    """Who waits may be cancelled, and that ends the wait of nobody else."""
    wire = Wire(b"", b"")
    async with client(wire, timeout_s=30.0) as api:
        first = asyncio.ensure_future(api.close(7))
        while not wire.seen:
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    assert first.cancelled()


async def test_slow_drops_do_not_outlast_the_time_out() -> None:
    """The limit is one for the whole exchange: a body that never ends does not move it."""
    wire = Wire(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", b"")

    async def drip() -> None:
        while True:
            await asyncio.sleep(0.01)
            for writer in wire.writers:
                writer.write(b" ")

    async with client(wire, timeout_s=0.3) as api:
        dripping = asyncio.create_task(drip())
        answer = await api.close(7)
        dripping.cancel()
    assert (answer.heard, answer.error) == (Heard.LOST, "timeout")


async def test_silence_ends_with_the_time_out() -> None:
    """An answer that never comes is lost, for the request went out."""
    wire = Wire(b"")
    wire.answers = [b"", b""]
    async with client(wire, timeout_s=0.2) as api:
        answer = await api.close(7)
    assert (answer.heard, answer.error) == (Heard.LOST, "timeout")


async def test_an_echoed_key_stays_out_of_the_answer() -> None:
    """A server that repeats the request's headers does not get the key into a record."""
    echo = b'{"message":"bad header ECI-ApiKey: the-secret-key"}'
    wire = Wire(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(echo), echo))
    async with client(wire) as api:
        answer = await api.close(7)
    assert answer.message == "bad header ECI-ApiKey: ***"


@pytest.mark.parametrize(
    "escape", [lambda char: f"\\u{ord(char):04X}", lambda char: char.replace("-", "\\u002d")]
)
async def test_a_key_in_json_escapes_stays_out_too(escape: Callable[[str], str]) -> None:
    """What is the key once it is decoded is taken out as well."""
    body = CLOSED[:-1] + b',"batchCode":"of %s"}' % "".join(map(escape, KEY)).encode()
    async with client(Wire(response(body))) as api:
        answer = await api.close(7)
    assert answer.batch is not None
    assert answer.batch.batch_code == "of ***"


def test_every_way_to_escape_a_key() -> None:
    """Any character may be escaped by its number, and some by a backslash or a name."""
    key = 'a/b"c\\d+&<f'
    for text in (
        json.dumps(key),
        json.dumps(key).replace("/", "\\/"),
        "".join(f"\\u{ord(c):04x}" for c in key),
        quote(key),
        quote(key, safe="").lower(),
        html.escape(key),
        "".join(f"&#{ord(c)};" for c in key),
        "".join(f"&#x{ord(c):04X};" for c in key),
    ):
        assert re.search(spellings(key), text)
    assert not re.search(spellings(key), key[:-1])


async def test_a_key_in_a_url_stays_out_too() -> None:
    """A server may tell where it was asked to go."""
    words = b'{"message":"no such page: /login?key=the%2Dsecret%2dkey&x=1"}'
    async with client(Wire(response(words, "500 Oh"))) as api:
        answer = await api.close(7)
    assert answer.message == "no such page: /login?key=***&x=1"


async def test_nobody_listens() -> None:
    """A refused connection is surely not sent."""
    connection = Connection(base_url="http://127.0.0.1:9", key=SecretStr("k"), timeout_s=5.0)
    async with connect(connection) as api:
        answer = await api.close(7)
    assert (answer.heard, answer.error) == (Heard.NOT_SENT, "connection_refused")


async def test_a_proxy_is_told_nothing_but_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for a tunnel in the clear: neither the key nor who asks is its business."""
    proxy = Wire(response(b"", "403 Forbidden"))
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("https_proxy", f"http://user:word@127.0.0.1:{port}")
    async with connect(Connection(base_url="https://app.energycap.com", key=SecretStr(KEY))) as api:
        answer = await api.close(7)
    server.close()
    await server.wait_closed()
    assert (answer.heard, answer.error) == (Heard.NOT_SENT, "proxy_refused")
    asked = proxy.seen[0].decode()
    assert asked.startswith("CONNECT app.energycap.com:443 ")
    assert "Proxy-Authorization: Basic " in asked
    assert KEY not in asked
    assert "batch-closer" not in asked


def test_the_proxy_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY is honoured for https, NO_PROXY excepts from it, plain http never goes through one."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "wce.energycap.com,.internal.example")
    assert proxy_for("https://app.energycap.com") == "http://proxy.example:3128"
    assert proxy_for("https://wce.energycap.com") is None
    assert proxy_for("https://a.internal.example:8443/x") is None
    assert proxy_for("http://127.0.0.1:8080") is None


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used(tmp_path: Path, text: str | None) -> None:
    """A missing or broken CA file is named; verification is never given up for it."""
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=r"CA file .*ca\.pem can't be used"):
        trust(file)
