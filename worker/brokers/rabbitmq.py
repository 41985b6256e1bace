"""RabbitMQ: messages are fetched, not consumed, so there is no consumer that could fall silent unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import aio_pika
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    ChannelNotFoundEntity,
    ProbableAuthenticationError,
)
from aiormq.exceptions import ChannelAccessRefused

from worker.brokers.address import Address
from worker.brokers.port import BrokerGoneError, QueueMissingError, Received
from worker.words.errors import ConfigurationError

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue

_ANSWER_WITHIN_S: Final = 15.0
_LOOK_EVERY_S: Final = 0.25
_AT_ONCE: Final = 100


class RabbitMQ:
    """The broker behind an ``amqp`` address."""

    def __init__(self, address: Address, lease_s: float) -> None:  # noqa: ARG002 - a connection is the lease
        self._address = address
        self._connection: AbstractConnection | None = None

    async def open(self) -> None:
        """Connect, and find the queues."""
        await self.close()
        with _told(self._address):
            self._connection = await aio_pika.connect(self._address.url, timeout=_ANSWER_WITHIN_S)
            self._channel = await self._connection.channel()
            self._ids = await self._find(self._address.ids)
            for name in (self._address.results, self._address.dead):
                await self._find_or_make(name)

    async def _find(self, name: str) -> AbstractQueue:
        return await self._channel.get_queue(name)

    async def _find_or_make(self, name: str) -> None:
        assert self._connection is not None
        aside: AbstractChannel = await self._connection.channel()  # a queue that isn't there ends the channel
        try:
            await aside.get_queue(name)
        except ChannelNotFoundEntity:
            await self._channel.declare_queue(name, durable=True)
        else:
            await aside.close()

    async def receive(self, most: int, within_s: float) -> Sequence[Received]:
        """Take messages."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        found: list[Received] = []
        with _told(self._address):
            while len(found) < most:
                message = await self._ids.get(fail=False, timeout=_ANSWER_WITHIN_S)
                if message is not None:
                    found.append(_received(message))
                elif found or loop.time() >= until:
                    break
                else:
                    await asyncio.sleep(min(_LOOK_EVERY_S, max(until - loop.time(), 0.0)))
        return found

    async def keep(self, received: Collection[Received]) -> None:  # noqa: ARG002 - the connection keeps them
        """See that the connection, which is what keeps messages in hand, is there."""
        if self._connection is None or self._connection.is_closed or self._channel.is_closed:
            raise BrokerGoneError("no connection")

    async def answer(self, answers: Sequence[tuple[Received, bytes]]) -> None:
        """Send results, each confirmed by the broker, and acknowledge the messages."""
        with _told(self._address):
            for start in range(0, len(answers), _AT_ONCE):
                await asyncio.gather(*(self._answer(*each) for each in answers[start : start + _AT_ONCE]))

    async def _answer(self, received: Received, body: bytes) -> None:
        await self._publish(self._address.results, body, correlation_id=received.name)
        await _message(received).ack()

    async def bury(self, received: Received, reason: str, answer: bytes) -> None:
        """Lay a message aside with its reason, and answer it."""
        with _told(self._address):
            await self._publish(
                self._address.dead, received.body, correlation_id=received.name, reason=reason
            )
            await self._answer(received, answer)

    async def give_back(self, received: Collection[Received]) -> None:
        """Leave messages to others."""
        with _told(self._address):
            for each in received:
                await _message(each).nack(requeue=True)

    async def send(self, bodies: Sequence[bytes]) -> None:
        """Put messages into the queue of ids."""
        with _told(self._address):
            for start in range(0, len(bodies), _AT_ONCE):
                await asyncio.gather(
                    *(self._publish(self._address.ids, body) for body in bodies[start : start + _AT_ONCE])
                )

    async def _publish(
        self, queue: str, body: bytes, correlation_id: str | None = None, reason: str | None = None
    ) -> None:
        message = aio_pika.Message(
            body,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            correlation_id=correlation_id,
            headers=None if reason is None else {"reason": reason},
        )
        await self._channel.default_exchange.publish(message, routing_key=queue, timeout=_ANSWER_WITHIN_S)

    async def left(self) -> int:
        """How many messages wait; those in other hands are not told."""
        with _told(self._address):
            found = await self._channel.declare_queue(self._address.ids, passive=True)
        return found.declaration_result.message_count or 0

    async def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            with suppress(*CONNECTION_EXCEPTIONS, TimeoutError):
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    await self._connection.close()


def _received(message: AbstractIncomingMessage) -> Received:
    count = message.headers.get("x-delivery-count")  # quorum queues count; classic ones say only whether
    handed_out = count + 1 if isinstance(count, int) else 1
    name = message.correlation_id or message.message_id
    return Received(message, message.body, name, max(handed_out, 2 if message.redelivered else 1))


def _message(received: Received) -> AbstractIncomingMessage:
    message = received.tag
    assert isinstance(message, aio_pika.abc.AbstractIncomingMessage)
    return message


@contextmanager
def _told(address: Address) -> Iterator[None]:
    """Foreign exceptions become ours. Their texts may hold the address with its password: none is kept."""
    try:
        yield
    except (AuthenticationError, ProbableAuthenticationError):
        raise ConfigurationError(
            f"queue {address.shown} refused the user: give amqp://USER:PASSWORD@HOST/VHOST?queue=NAME"
        ) from None
    except ChannelNotFoundEntity:
        raise QueueMissingError.of(address.shown) from None
    except ChannelAccessRefused:
        raise ConfigurationError(
            f"queue {address.shown} refused access: its user needs to read {address.ids}, and to write and "
            f"configure {address.results} and {address.dead}"
        ) from None
    except TimeoutError:
        raise BrokerGoneError("it does not answer in time") from None
    except CONNECTION_EXCEPTIONS:
        raise BrokerGoneError("no connection") from None
