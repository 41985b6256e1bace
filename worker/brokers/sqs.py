"""Amazon SQS: a message in hand is hidden from others for as long as it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from hashlib import sha256
from typing import Any, Final

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from worker.brokers.address import Address
from worker.brokers.port import BrokerGoneError, QueueMissingError, Received
from worker.words.errors import ConfigurationError

_PAGE: Final = 10
_LONG_POLL_S: Final = 20
_MISSING: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_REFUSED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "ExpiredToken",
        "ExpiredTokenException",
    }
)


class Sqs:
    """The broker behind an ``sqs`` address."""

    def __init__(self, address: Address, lease_s: float) -> None:
        self._address = address
        self._lease_s = max(1, round(lease_s))
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._urls: dict[str, str] = {}

    async def open(self) -> None:
        """Connect, and find the queues."""
        await self.close()
        config = AioConfig(
            connect_timeout=10,
            read_timeout=_LONG_POLL_S + 20,
            retries={"mode": "standard", "max_attempts": 3},
        )
        with _told(self._address):
            client = get_session().create_client(
                "sqs", region_name=self._address.region, endpoint_url=self._address.endpoint, config=config
            )
            self._client = await self._stack.enter_async_context(client)
            self._urls = {self._address.ids: await self._find(self._address.ids)}
            for name in (self._address.results, self._address.dead):
                self._urls[name] = await self._find_or_make(name)

    async def _find(self, name: str) -> str:
        return str((await self._client.get_queue_url(QueueName=name))["QueueUrl"])

    async def _find_or_make(self, name: str) -> str:
        try:
            return await self._find(name)
        except ClientError as error:
            if _code(error) not in _MISSING:
                raise
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        made = await self._client.create_queue(QueueName=name, Attributes=attributes)
        return str(made["QueueUrl"])

    async def receive(self, most: int, within_s: float) -> Sequence[Received]:
        """Take messages, ten at a time as the service gives them."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        found: list[Received] = []
        with _told(self._address):
            while len(found) < most:
                left_s = 0 if found else max(until - loop.time(), 0.0)
                page = await self._page(min(most - len(found), _PAGE), int(min(left_s, _LONG_POLL_S)))
                found += page
                if not page and (found or loop.time() + 1 >= until):
                    break
        return found

    async def _page(self, most: int, wait_s: int) -> list[Received]:
        reply = await self._client.receive_message(
            QueueUrl=self._urls[self._address.ids],
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=self._lease_s,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [_received(each) for each in reply.get("Messages", ())]

    async def keep(self, received: Collection[Received]) -> None:
        """Hide messages from others for another lease, counted from now."""
        await self._hide(received, self._lease_s)

    async def give_back(self, received: Collection[Received]) -> None:
        """Leave messages to others."""
        await self._hide(received, 0)

    async def _hide(self, received: Collection[Received], seconds: int) -> None:
        # One that is gone meanwhile is refused alone, and comes again or is someone else's: nothing to do.
        await self._in_pages(
            self._client.change_message_visibility_batch,
            self._address.ids,
            [{"ReceiptHandle": each.tag, "VisibilityTimeout": seconds} for each in received],
        )

    async def answer(self, answers: Sequence[tuple[Received, bytes]]) -> None:
        """Send results, and delete the messages once the service has all of them."""
        await self._put(self._address.results, [_entry(body) for _, body in answers])
        await self._in_pages(
            self._client.delete_message_batch,
            self._address.ids,
            [{"ReceiptHandle": each.tag} for each, _ in answers],
        )

    async def bury(self, received: Received, reason: str, answer: bytes) -> None:
        """Lay a message aside with its reason, and answer it."""
        told = {"reason": {"DataType": "String", "StringValue": reason}}
        await self._put(self._address.dead, [_entry(received.body) | {"MessageAttributes": told}])
        await self.answer([(received, answer)])

    async def send(self, bodies: Sequence[bytes]) -> None:
        """Put messages into the queue of ids."""
        await self._put(self._address.ids, [{"MessageBody": body.decode()} for body in bodies])

    async def _put(self, name: str, entries: Sequence[Mapping[str, Any]]) -> None:
        if name.endswith(".fifo"):
            entries = [each | _in_order(each["MessageBody"]) for each in map(dict, entries)]
        refused = await self._in_pages(self._client.send_message_batch, name, entries)
        if refused:
            raise BrokerGoneError(f"{refused} messages were not taken")

    async def _in_pages(self, call: Any, name: str, entries: Sequence[Mapping[str, Any]]) -> int:
        """Call for ten entries at a time; how many the service refused."""
        refused = 0
        with _told(self._address):
            for start in range(0, len(entries), _PAGE):
                page = [
                    {"Id": str(number), **each} for number, each in enumerate(entries[start : start + _PAGE])
                ]
                reply = await call(QueueUrl=self._urls[name], Entries=page)
                refused += len(reply.get("Failed", ()))
        return refused

    async def left(self) -> int:
        """About how many messages there are, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with _told(self._address):
            reply = await self._client.get_queue_attributes(
                QueueUrl=self._urls[self._address.ids], AttributeNames=names
            )
        return sum(int(reply["Attributes"].get(name, 0)) for name in names)

    async def close(self) -> None:
        """End the connection."""
        with suppress(BotoCoreError, aiohttp.ClientError, OSError):
            await self._stack.aclose()
        self._stack = AsyncExitStack()


def _received(message: Mapping[str, Any]) -> Received:
    count = str(message.get("Attributes", {}).get("ApproximateReceiveCount", "1"))
    body = str(message.get("Body", "")).encode("utf-8", "replace")
    return Received(
        message["ReceiptHandle"], body, message.get("MessageId"), int(count) if count.isdigit() else 1
    )


def _entry(body: bytes) -> dict[str, Any]:
    return {"MessageBody": body.decode("utf-8", "replace")}


def _in_order(body: str) -> dict[str, str]:
    """What a FIFO queue asks for: one group, and a name by which it drops what is sent twice."""
    return {"MessageGroupId": "batch-closer", "MessageDeduplicationId": sha256(body.encode()).hexdigest()}


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _told(address: Address) -> Iterator[None]:
    """Foreign exceptions become ours, in one table."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError):
        raise ConfigurationError(
            f"queue {address.shown} can't be used: there are no AWS credentials; set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, a profile or a role"
        ) from None
    except ClientError as error:
        code = _code(error)
        if code in _MISSING:
            raise QueueMissingError.of(address.shown) from None
        if code in _REFUSED:
            raise ConfigurationError(
                f"queue {address.shown} refused access ({code}): mend its user's rights"
            ) from None
        raise BrokerGoneError(code) from None
    except (TimeoutError, ConnectTimeoutError, ReadTimeoutError):
        raise BrokerGoneError("it does not answer in time") from None
    except (BotoCoreError, aiohttp.ClientError, OSError):
        raise BrokerGoneError("no connection") from None
