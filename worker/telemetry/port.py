"""The port of a worker: ``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from worker.telemetry.port_metrics import Metrics
from worker.words.errors import ConfigurationError


@asynccontextmanager
async def open_port(
    bind: str, port: int, metrics: Metrics, hindrance: Callable[[], str | None]
) -> AsyncIterator[int]:
    """Serve on an address and port (0: any) until the block ends; gives the port.

    ``hindrance`` says why the worker is not ready, in a word; None: it is. Raises ConfigurationError where
    the port can't be had.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        word = hindrance()
        return web.Response(text=f"{word or 'ok'}\n", status=200 if word is None else 503)

    async def shown(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": Metrics.CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", shown)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, bind, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigurationError(
                f"port {port} on {bind} can't be had ({error.strerror}): choose another with --port or --bind"
            ) from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
