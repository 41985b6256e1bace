"""What is asked of a broker, and the errors it may raise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from worker.words.errors import ConfigurationError


class QueueMissingError(ConfigurationError):
    """The broker is there, and knows no queue of that name."""

    @classmethod
    def of(cls, shown: str) -> QueueMissingError:
        """The error about the queue at an address that may be shown."""
        return cls(f"queue {shown} is not there: make it, or mend its name (it is never made here)")


class BrokerGoneError(Exception):
    """The broker can't be reached, or ended the connection: what is not answered comes again."""


class Received(NamedTuple):
    """A message in hand. It comes again, to anyone, unless it is answered."""

    tag: object  # the broker's own handle for it
    body: bytes
    name: str | None  # its producer's name for it, to be told with its result
    deliveries: int  # so many times it was handed out, this one included; 2 stands for more than once


class Broker(Protocol):
    """One queue of ids with its queues of results and of dead letters.

    Every verb may raise BrokerGoneError, or QueueMissingError; ``open`` then begins anew. Used from one event
    loop.
    """

    async def open(self) -> None:
        """Connect, and find the queues; those of results and dead letters are made where they are missing.

        Raises ConfigurationError for what no second try can mend, QueueMissingError where one may.
        """
        ...

    async def receive(self, most: int, within_s: float) -> Sequence[Received]:
        """Take up to so many messages, as soon as there are any; none after so many seconds."""
        ...

    async def keep(self, received: Collection[Received]) -> None:
        """Keep messages in hand for another lease, where the broker would otherwise give them to others."""
        ...

    async def answer(self, answers: Sequence[tuple[Received, bytes]]) -> None:
        """Send a result for each message and, once the broker has it durably, take the message away."""
        ...

    async def bury(self, received: Received, reason: str, answer: bytes) -> None:
        """Answer a message that asks for nothing that can be done, and lay it aside as a dead letter."""
        ...

    async def give_back(self, received: Collection[Received]) -> None:
        """Leave messages to others at once."""
        ...

    async def send(self, bodies: Sequence[bytes]) -> None:
        """Put messages into the queue of ids, durably."""
        ...

    async def left(self) -> int:
        """How many messages there are, those included that others have in hand where the broker tells."""
        ...

    async def close(self) -> None:
        """End the connection. Never raises."""
        ...
