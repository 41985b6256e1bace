"""Calls that block, in threads that keep nobody from leaving the program.

The event loop's own pool is waited for at the end of a process, however long a name takes to be looked up.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from aiohttp.abc import AbstractResolver, ResolveResult

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Wait for a call that blocks; a cancelled wait leaves it behind. Raises what it raises."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(value)  # type: ignore[arg-type]  # there is a value where there is no error

    def work() -> None:
        value, error = None, None
        try:
            value = call()
        except Exception as caught:  # noqa: BLE001 - it is raised where it is waited for
            error = caught
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=work, name="aside", daemon=True).start()
    return await done


class Resolver(AbstractResolver):
    """Looks names up aside."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host. Raises OSError where there are none."""
        found = await in_thread(
            lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept."""
