"""The way out: tries, time-outs, the signature; and never longer than it may take."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr

from tests.operators.support import receiving
from worker.notify import Delivery, Outside, Patience, PingKind, Sending, Webhook, deliver
from worker.notify.aside import Resolver, in_thread
from worker.notify.ping import place
from worker.notify.webhook import key_of, signature
from worker.rules.notice import End, When, is_due
from worker.words.model import Outcome


def outside(timeout_s: float = 5.0) -> Outside:
    """The way out with no wait between tries."""
    patience = Patience(wait_s=0, timeout_s=timeout_s)
    return Outside(trust=ssl.create_default_context(), proxy_for=lambda _: None, patience=patience)


@pytest.mark.parametrize(
    ("statuses", "word", "tries"),
    [
        ([204], None, 1),
        ([503, 429, 200], None, 3),
        ([500, 502, 504, 200], "http_504", 3),
        ([400, 200], "http_400", 1),
        ([302, 200], "redirect", 1),
    ],
)
async def test_what_is_tried_again(statuses: list[int], word: str | None, tries: int) -> None:
    """What may be otherwise next time, three times in all; a redirect is not followed."""
    webhook_secret = SecretStr("0123456789abcdef01234567")
    with receiving(*statuses) as receiver:
        webhook = Webhook(url=SecretStr(receiver.url), secret=webhook_secret)
        seconds = iter([10.0, 20.0, 30.0])
        assert await webhook.send("msg_1", b"{}", outside(), lambda: next(seconds)) == word
    assert len(receiver.got) == tries
    assert {each.headers["webhook-id"] for each in receiver.got} == {"msg_1"}
    for got, at in zip(receiver.got, (10, 20, 30), strict=False):  # signed anew each time
        assert got.headers["webhook-timestamp"] == str(at)
        assert got.headers["webhook-signature"] == signature(key_of(webhook_secret), "msg_1", at, b"{}")


async def test_a_server_that_says_nothing_and_none_at_all() -> None:
    """A word each."""
    with receiving() as receiver:
        receiver.hangs.set()
        assert await outside(0.05).send("POST", receiver.url, b"", dict) == "timeout"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert await outside().send("POST", f"http://127.0.0.1:{port}", b"", dict) == "connect"
    assert await outside().send("POST", "http://no-such-host.invalid", b"", dict) == "dns"


async def test_all_of_it_is_bounded() -> None:
    """One that blocks a thread, one that never ends and one that fails keep nobody else from being told."""
    blocked = threading.Event()

    def block() -> str | None:
        blocked.wait(30)
        return None

    async def forever() -> str | None:
        await asyncio.sleep(3600)
        return None

    async def broken() -> str | None:
        raise RuntimeError("https://example.com/t0ken")

    async def good() -> str | None:
        return None

    def of(to: str, send: Callable[[], Awaitable[str | None]]) -> Sending:
        return Sending(to, send)

    sendings = [of("a", lambda: in_thread(block)), of("b", forever), of("c", broken), of("d", good)]
    began = time.monotonic()
    told = await deliver(sendings, 0.1, asyncio.Event())
    assert time.monotonic() - began < 5
    assert told == [
        Delivery("a", "timeout"),
        Delivery("b", "timeout"),
        Delivery("c", "RuntimeError"),
        Delivery("d"),
    ]
    hurry = asyncio.Event()
    hurry.set()
    assert await deliver(sendings[1:2], 3600, hurry) == [Delivery("b", "interrupted")]
    blocked.set()


async def test_names_are_looked_up_aside() -> None:
    """In threads that nobody waits for at the end of the process."""
    found = await Resolver().resolve("localhost", 80)
    assert {each["host"] for each in found} <= {"127.0.0.1", "::1"}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("asyncio_")]


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of standardwebhooks.com, and a secret that is no base64."""
    key = key_of(SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    signed = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert key_of(SecretStr("plain")) == b"plain"


@pytest.mark.parametrize(
    ("url", "start", "success"),
    [
        ("https://hc-ping.com/uuid", "https://hc-ping.com/uuid/start", "https://hc-ping.com/uuid"),
        ("https://h/uuid/", "https://h/uuid/start", "https://h/uuid/"),
        ("https://h/key/slug?create=1", "https://h/key/slug/start?create=1", "https://h/key/slug?create=1"),
    ],
)
def test_where_a_ping_goes(url: str, start: str, success: str) -> None:
    """The word is added to the path."""
    assert (place(url, PingKind.START), place(url, PingKind.SUCCESS)) == (start, success)


GOOD, BAD = End(0, frozenset({Outcome.CLOSED})), End(3, frozenset({Outcome.CLOSED, Outcome.FAILED}))


@pytest.mark.parametrize(
    ("when", "now", "before", "due"),
    [
        (When.FAILURE, GOOD, BAD, False),
        (When.FAILURE, BAD, BAD, True),
        (When.ALWAYS, GOOD, GOOD, True),
        (When.CHANGE, GOOD, None, True),
        (When.CHANGE, GOOD, GOOD, False),
        (When.CHANGE, BAD, GOOD, True),
        (When.CHANGE, GOOD._replace(exit_code=4), GOOD, True),
        (When.CHANGE, GOOD._replace(outcomes=frozenset()), GOOD, True),
    ],
)
def test_when_people_are_told(when: When, now: End, before: End | None, due: bool) -> None:
    """By the exit code, and whether it or the outcomes changed."""
    assert is_due(when, now, before) is due
