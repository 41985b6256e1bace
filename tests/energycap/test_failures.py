"""Every exception of aiohttp has its place in the table."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from worker.energycap.failures import FOREIGN, TABLE, explain
from worker.words.answer import Heard

OF_WEBSOCKETS = {"WSServerHandshakeError", "WSMessageTypeError"}
OF_FOLLOWING_REDIRECTS = {
    "TooManyRedirects",
    "RedirectClientError",
    "InvalidUrlRedirectClientError",
    "NonHttpUrlRedirectClientError",
}
OF_RAISING_OR_DECODING = {"ContentTypeError"}
OF_OTHER_TRANSPORTS = {"UnixClientConnectorError"}
NOT_USED_HERE = OF_WEBSOCKETS | OF_FOLLOWING_REDIRECTS | OF_RAISING_OR_DECODING | OF_OTHER_TRANSPORTS
BY_THEIR_PARENT = {"InvalidUrlClientError", "NonHttpUrlClientError", "UploadAbortedError"}


def exceptions() -> dict[str, type[BaseException]]:
    module = aiohttp.client_exceptions
    return {
        name: kind
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == module.__name__
    }


def test_the_table_names_every_exception_of_the_library() -> None:
    """When aiohttp grows an exception, somebody has to decide what it means for a close."""
    named = {kind.__name__ for kind, _, _ in TABLE}
    assert set(exceptions()) - named - NOT_USED_HERE - BY_THEIR_PARENT == set()


def test_special_classes_come_before_general_ones() -> None:
    """No row of the table is hidden by one above it."""
    kinds = [kind for kind, _, _ in TABLE]
    for number, kind in enumerate(kinds):
        assert not any(issubclass(kind, above) for above in kinds[:number]), kind


def test_all_that_may_be_raised_is_caught() -> None:
    """Whatever the table knows is among what the client catches."""
    assert all(issubclass(kind, FOREIGN) for kind, _, _ in TABLE)


def key() -> ConnectionKey:
    return ConnectionKey("example.com", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "heard", "word"),
    [
        (aiohttp.ServerDisconnectedError(), Heard.LOST, "disconnected"),
        (aiohttp.ClientOSError(104, "reset"), Heard.LOST, "connection_reset"),
        (aiohttp.ClientPayloadError(), Heard.LOST, "truncated"),
        (aiohttp.ConnectionTimeoutError(), Heard.NOT_SENT, "connect_timeout"),
        (aiohttp.SocketTimeoutError(), Heard.LOST, "timeout"),
        (TimeoutError(), Heard.LOST, "timeout"),
        (
            aiohttp.ClientConnectorError(key(), ConnectionRefusedError(111, "x")),
            Heard.NOT_SENT,
            "connection_refused",
        ),
        (aiohttp.ClientConnectorError(key(), OSError(113, "no route")), Heard.NOT_SENT, "connect"),
        (aiohttp.ClientConnectorDNSError(key(), OSError(-2, "no name")), Heard.NOT_SENT, "dns"),
        (aiohttp.ClientConnectorSSLError(key(), OSError(1, "tls")), Heard.NOT_SENT, "tls"),
        (OSError(5, "odd"), Heard.LOST, "connection_reset"),
        (KeyError("x"), Heard.LOST, "lost"),
    ],
)
def test_whether_it_can_have_reached_the_server(error: BaseException, heard: Heard, word: str) -> None:
    """Only a connection that was never made is surely not sent; anything else is lost."""
    assert explain(error) == (heard, word)
