"""A process that records intents and results as fast as it can and says which are durable, until killed.

Arguments: the state folder, the session, the first seq, how many batches.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from worker.ledger import LedgerWriter
from worker.words.model import Outcome

AT_ONCE = 8


def say(line: str) -> None:
    """One write each, so that what was said before a kill was said whole."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(folder: Path, session: int, first: int, count: int) -> None:
    """Some at once take the batches in order."""

    def durable(tokens: Sequence[object]) -> None:
        say("result " + " ".join(map(str, tokens)))

    settled = 0

    def counters() -> bytes:
        return b"%d" % settled

    async with LedgerWriter(
        folder, session, on_durable=durable, counters=counters, closers=AT_ONCE
    ) as writer:
        todo = iter(range(first, first + count))

        async def close() -> None:
            nonlocal settled
            for seq in todo:
                await writer.intend(seq, 1, 5.0)
                say(f"intent {seq}")
                settled += 1
                writer.settle(seq, Outcome.CLOSED, final=True, record=(b"r%d" % seq).__bytes__, token=seq)

        async with asyncio.TaskGroup() as closers:
            for _ in range(AT_ONCE):
                closers.create_task(close())


asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
