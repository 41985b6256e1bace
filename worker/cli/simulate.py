"""``batch-closer simulate``: the simulator as a server of its own, until it is stopped."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.words.errors import ConfigurationError

if TYPE_CHECKING:
    from worker.simulator.options import Options
    from worker.simulator.running import Simulator


@click.command(
    name="simulate",
    epilog="""\b
Examples:
  batch-closer simulate --port 8473 --ids-file ids.txt
  batch-closer simulate --fault 500=5% --rate-limit 20 --latency 0.1-0.5
""",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", type=int, default=0, show_default=True, help="0 takes any free one.")
@click.option("--key", default="simulator-key", show_default=True, help="The key to take; no secret.")
@click.option("--ids-file", metavar="PATH", help="Write the ids to close here, one a line.")
@click.option("--batches", type=int, default=100, show_default=True, help="How many ids to close.")
@click.option("--first-id", type=int, default=1001, show_default=True, help="The ids go up from here.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed, the same batches and faults."
)
@click.option("--closed", metavar="SHARE", default="10%", show_default=True, help="Already closed.")
@click.option("--missing", metavar="SHARE", default="5%", show_default=True, help="Unknown to the server.")
@click.option("--pending", metavar="SHARE", default="5%", show_default=True, help="Pending.")
@click.option("--flagged", metavar="SHARE", default="5%", show_default=True, help="With unresolved flags.")
@click.option("--analyzing", metavar="SHARE", default="3%", show_default=True, help="With bills in analysis.")
@click.option("--kickouts", metavar="SHARE", default="2%", show_default=True, help="With import kickouts.")
@click.option("--empty", metavar="SHARE", default="2%", show_default=True, help="Without bills.")
@click.option("--foreign", metavar="SHARE", default="10%", show_default=True, help="Another user's.")
@click.option("--latency", metavar="S|A-B", default="0", show_default=True, help="Seconds to an answer.")
@click.option("--rate-limit", type=float, metavar="PER_S", help="More than this answers 429.")
@click.option("--rate-burst", type=int, default=0, show_default=True, help="Let through above the rate.")
@click.option("--retry-after", default="seconds", show_default=True, help="Of a 429: seconds, date, none.")
@click.option(
    "--fault",
    multiple=True,
    metavar="KIND=SHARE",
    help="500=5%, or put:429:2=10% for closes alone. Repeatable.",
)
@click.option(
    "--fault-at",
    multiple=True,
    metavar="ID:put=KIND,...",
    help="One batch's faults in order, as 1017:put=500,ok or 1017:get=slow:1; me=401. Repeatable.",
)
@click.option(
    "--already-closed", type=int, default=400, show_default=True, help="Status of closing a closed batch."
)
@click.option("--refusal", type=int, default=400, show_default=True, help="Status of a refused close.")
@click.option("--foreign-answer", type=int, default=200, show_default=True, help="Status for another user's.")
@click.option("--me-answer", type=int, default=200, show_default=True, help="Status of GET /api/v3/me.")
@click.option("--pending-closes", is_flag=True, help="A close takes a pending batch.")
@click.option("--pending-is-open", is_flag=True, help="isOpen of a pending batch is true.")
@click.option(
    "--blocked-by", multiple=True, help="flags, analyzing, kickouts: they refuse a close. Repeatable."
)
@click.option(
    "--error-body", default="object", show_default=True, help="object, odd, problem, text, html, empty."
)
@click.option(
    "--end-date",
    default="utc",
    show_default=True,
    help="utc, offset, naive-utc, naive-local, date, null: the form of endDate.",
)
@click.option("--utc-offset", type=int, metavar="MIN", default=-300, show_default=True, help="Of local time.")
@click.option(
    "--status-case", default="lower", show_default=True, help="Of batchStatus: lower, title, upper."
)
@click.option(
    "--filter-case", default="any", show_default=True, help="A filter wants: any, lower, title, upper."
)
@click.option("--nulls", default="null", show_default=True, help="Empty keys: null, missing, bare.")
@click.option("--no-listing", is_flag=True, help="The list of batches answers 403.")
@click.option("--no-paging-headers", is_flag=True, help="A page comes without its headers.")
@click.option(
    "--clock-offset", type=float, metavar="S", default=0.0, show_default=True, help="Server ahead of us."
)
def command(**given: Any) -> None:
    """Run a server that behaves like the batch API, misbehaves on demand and remembers the truth.

    The kinds of fault: any status (500, 401, 429:2, 503:date), close_then_500, drop_before, drop_after,
    reset_before, reset_after, drop_late:S, drop_reused, drop_headers, truncated, slow:S, hang, html, garbage,
    empty, not_closed, wrong_id, huge, gzip_bomb, redirect, bad_http, key_dead, echo_key, rival:S.
    Ask GET /simulator/truth, /simulator/requests and /simulator/ids for what is so. Ctrl-C stops it.
    """
    from worker.simulator.given import options_from

    options = options_from(given)
    asyncio.run(_serve(options, _loopback(given["host"]), _port(given["port"]), given["ids_file"]))


async def _serve(options: Options, host: str, port: int, ids_file: str | None) -> None:
    from worker.simulator.running import simulate

    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with AsyncExitStack() as stack:
        try:
            simulator = await stack.enter_async_context(simulate(options, host=host, port=port))
        except OSError as problem:
            why = os.strerror(problem.errno) if problem.errno else problem.strerror
            raise ConfigurationError(f"can't listen on {host} port {port}: {why}") from None
        if ids_file is not None:
            _write_ids(Path(ids_file), simulator.world.ids())
        click.echo("\n".join(_greeting(simulator, ids_file)))
        await stop.wait()


def _greeting(simulator: Simulator, ids_file: str | None) -> list[str]:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(simulator.world.counts().items()))
    word = "set" if os.name == "nt" else "export"
    ids = ids_file or "ids.txt"
    lines = [
        f"simulator: {simulator.url} ({counts})",
        f"{word} BATCH_CLOSER_BASE_URL={simulator.url}",
        f"{word} ENERGYCAP_API_KEY={simulator.key}",
    ]
    if ids_file is None:
        lines.append(f"curl -s {simulator.url}/simulator/ids > {ids}")
    return [*lines, f"batch-closer close --yes {ids}"]


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _write_ids(path: Path, ids: Iterable[int]) -> None:
    try:
        path.write_text("".join(f"{batch_id}\n" for batch_id in ids), encoding="ascii")
    except OSError as problem:
        raise ConfigurationError(f"--ids-file {path} can't be written: {problem.strerror}") from None


def _loopback(host: str) -> str:
    if host == "localhost":
        return host
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigurationError(f"--host {host!r} is no loopback address: use 127.0.0.1 or ::1")
    return host


def _port(port: int) -> int:
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"--port must be from 0 to 65535, not {port}")
    return port
