"""The messages in hand, and the broker behind them: on a thread of its own, for a run takes its time."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from worker.brokers import Address, BrokerGoneError, QueueMissingError, Received, broker_at
from worker.cli.broker.contact import Contact
from worker.cli.signals import Ears
from worker.rules.working import pause_s
from worker.telemetry import Log
from worker.words.errors import BatchCloserError

T = TypeVar("T")
TRIES: Final = 4
"""Where work is to end once nothing waits, a broker that is gone so often in a row is given up."""
_SLICE_S: Final = 1.0
_NAP_S: Final = 0.1
_LONGEST_REST_S: Final = 15.0


class BrokerTroubleError(BatchCloserError):
    """The broker can't be reached."""

    exit_code = 1


class Intake:
    """Receives messages, keeps them in hand, and answers them.

    A broker that is gone takes what is in hand along: it comes again, and is answered from the ledger.
    """

    def __init__(
        self, address: Address, log: Log, ears: Ears, *, lease_s: float = 30.0, gives_up: bool
    ) -> None:
        self.source = address.shown
        self._contact = Contact(address.shown, log)
        self._ears = ears
        self._gives_up = gives_up
        self._broker = broker_at(address, lease_s)
        self._keep_every_s = lease_s / 3
        self._stack = ExitStack()
        self._portal: BlockingPortal
        self._is_open = False
        self._was_open = False
        self._openings = 0
        self._failures = 0  # in a row
        self.in_hand: tuple[Received, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether the broker answered when it was asked last."""
        return self._contact.is_up

    def __enter__(self) -> Self:
        """Start the thread. Nothing is connected yet."""
        for name in ("aio_pika", "aiormq"):  # what they would print on standard error is logged here
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._portal = self._stack.enter_context(start_blocking_portal())
        keeping = self._portal.start_task_soon(self._keep)
        self._stack.callback(keeping.cancel)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave what is in hand to others, and end the connection."""
        in_hand = self.in_hand
        try:
            if self._is_open and in_hand:
                self._ask(lambda: self._broker.give_back(in_hand))
            self._portal.call(self._broker.close)
        finally:
            self._stack.close()

    def receive(self, most: int, within_s: float) -> Sequence[Received]:
        """Take up to so many messages in hand; none where there are none for so long, or a signal came.

        Raises ConfigurationError for what no second try can mend, BrokerTroubleError where it gives up.
        """
        until_s = time.monotonic() + within_s
        while self._ears.heard is None:
            wait_s = min(max(until_s - time.monotonic(), 0.0), _SLICE_S)
            found = self._ask(partial(self._broker.receive, most, wait_s))
            if found is None:
                self._rest()
            elif found:
                self.in_hand = (*self.in_hand, *found)
                return found
            elif time.monotonic() >= until_s:
                break
        return ()

    def is_empty(self) -> bool:
        """Whether no message is there, as far as the broker tells."""
        return self._ask(self._broker.left) == 0

    def answer(self, answers: Sequence[tuple[Received, bytes]]) -> None:
        """Answer messages and let go of them."""
        if answers:
            self._ask(lambda: self._broker.answer(answers))
            self._let_go(each for each, _ in answers)

    def bury(self, received: Received, reason: str, body: bytes) -> None:
        """Answer a message and lay it aside."""
        self._ask(lambda: self._broker.bury(received, reason, body))
        self._let_go([received])

    def give_back(self, received: Sequence[Received]) -> None:
        """Leave messages to others."""
        if received:
            self._ask(lambda: self._broker.give_back(received))
            self._let_go(received)

    def send(self, bodies: Sequence[bytes]) -> None:
        """Put messages into the queue. Raises BrokerTroubleError where they may not all be there."""
        self._ask(lambda: self._broker.send(bodies))
        if not self._is_open:
            raise BrokerTroubleError(
                f"queue {self.source} can't be reached; some messages may be in it: "
                "enqueue the same input again (an id that comes twice is closed once)"
            )

    def _ask(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """What the broker says; None where it is gone, and with it all that was in hand."""
        try:
            if not self._is_open:
                self._openings += 1
                self._portal.call(self._broker.open)
                self._is_open = self._was_open = True
            found = self._portal.call(ask)
        except (BrokerGoneError, QueueMissingError) as error:
            # While it starts, or when it lost its data, a broker knows no queue: that may be mended.
            if isinstance(error, QueueMissingError) and not self._was_open:
                raise
            self._is_open, self.in_hand = False, ()
            self._failures += 1
            self._contact.gone(_reason(error))
            return None
        self._failures = 0
        self._contact.there()
        return found

    def _rest(self) -> None:
        """Wait before the broker is tried again, or until a signal comes."""
        if self._gives_up and self._failures >= TRIES:
            raise BrokerTroubleError(
                f"queue {self.source} can't be reached: see that it is there, and try again"
            )
        until_s = time.monotonic() + min(pause_s(0.5, self._failures), _LONGEST_REST_S)
        while self._ears.heard is None and time.monotonic() < until_s:
            time.sleep(_NAP_S)

    def _let_go(self, received: Iterable[Received]) -> None:
        gone = {id(each) for each in received}
        self.in_hand = tuple(each for each in self.in_hand if id(each) not in gone)

    async def _keep(self) -> None:
        """Keep what is in hand; a broker that is gone is noticed by who asks it next."""
        while True:
            await anyio.sleep(self._keep_every_s)
            if self._is_open and self.in_hand:
                await self._keep_in_hand()

    async def _keep_in_hand(self) -> None:
        before, reason = self._openings, None
        try:
            await self._broker.keep(self.in_hand)
        except (BrokerGoneError, QueueMissingError) as error:
            reason = _reason(error)
        if before != self._openings:
            return  # it says something of a connection that was given up meanwhile
        if reason is None:
            self._contact.there()
        else:
            self._contact.gone(reason)


def _reason(error: BrokerGoneError | QueueMissingError) -> str:
    return "queue_missing" if isinstance(error, QueueMissingError) else str(error)
