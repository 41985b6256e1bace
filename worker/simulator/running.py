"""Start and stop: ``simulate`` in a test's own event loop, ``simulator_thread`` beside a synchronous test."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

from worker.simulator.journal import Journal
from worker.simulator.options import Options
from worker.simulator.seeding import seed_world
from worker.simulator.server import Clock, Server
from worker.simulator.world import World

_GRACE_S = 0.2
_START_S = 30.0


class Simulator:
    """A running server: where it is, what it knows, and what it saw."""

    def __init__(self, server: Server, url: str) -> None:
        self._server = server
        self.url = url

    @property
    def options(self) -> Options:
        """What it was told."""
        return self._server.options

    @property
    def key(self) -> str:
        """The key it takes."""
        return self._server.options.key

    @property
    def world(self) -> World:
        """The batches and the truth about them."""
        return self._server.world

    @property
    def requests(self) -> Journal:
        """Every API request it saw."""
        return self._server.journal

    def max_seen_per_second(self) -> int:
        """The most requests seen in any second."""
        return self._server.journal.max_seen_per_second()

    def kill_key(self) -> None:
        """From now on 401 for everything."""
        self._server.key_is_dead = True

    def revive_key(self) -> None:
        """The key is valid again."""
        self._server.key_is_dead = False


@asynccontextmanager
async def simulate(
    options: Options | None = None,
    *,
    world: World | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock = time.time,
) -> AsyncIterator[Simulator]:
    """Serve until the block ends. Port 0 takes a free one.

    Raises OSError if the address can't be had, and at the end what the simulator itself failed of, if it did.
    """
    options = options or Options()
    server = Server(options, world if world is not None else seed_world(options.population, clock()), clock)
    runner = web.ServerRunner(web.Server(server.handle, access_log=None), shutdown_timeout=_GRACE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        address = runner.addresses[0]
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        yield Simulator(server, f"http://{shown}:{address[1]}")
    finally:
        server.stop()
        await runner.cleanup()
    if server.problems:
        raise server.problems[0]


@contextmanager
def simulator_thread(
    options: Options | None = None,
    *,
    world: World | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock = time.time,
) -> Iterator[Simulator]:
    """Serve from a thread with its own event loop until the block ends. Raises what ``simulate`` raises."""
    started: Future[tuple[Simulator, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        try:
            async with simulate(options, world=world, host=host, port=port, clock=clock) as simulator:
                started.set_result((simulator, asyncio.get_running_loop(), stop))
                await stop.wait()
        except Exception as problem:
            if started.done():
                raise
            started.set_exception(problem)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="simulator", daemon=True)
    thread.start()
    simulator, loop, stop = started.result(_START_S)
    try:
        yield simulator
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
