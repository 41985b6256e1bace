"""``work``: close what waits in a queue."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from worker.cli.options import setting_options, settings_from
from worker.cli.queues import WorkOrder, queue_of, work
from worker.cli.settings.resolve import read_key
from worker.cli.unseen import refuse_unseen
from worker.words.errors import ConfigurationError


@click.command(
    "work",
    epilog="""\b
Examples:
  batch-closer work --once --base-url https://app.energycap.com
  batch-closer work --once --rate 10 --deadline 14400 --run-id tonight
  batch-closer work --poll 60
  batch-closer work --queue redis://redis.internal/0 --rate 10 --port 9100
  batch-closer work --queue 'amqp://mq/?queue=ids' --limiter redis://redis/0
""",
)
@click.option("--once", is_flag=True, help="Close what waits now, show the summary, and end.")
@click.option("--run-id", metavar="NAME", help="With --once: a name for the run.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the text summary.")
@setting_options(queue=True)
def command(once: bool, run_id: str | None, as_json: bool, config: Path | None, **flags: Any) -> int:
    """Close what waits in the queue that `batch-closer enqueue` fills. It asks nothing.

    Everything that waits becomes one run, closed as `close` would: guards, files, exit codes and
    all. Without --once it then looks again every --poll seconds, until it is told to stop.

    A run from the queue that was cut short (killed, signalled, key or API gone, deadline) is
    continued first. One that an abort rule or a stall ended is left to you: `batch-closer resume`.
    What a finished run left failed or unknown stays with it: `batch-closer runs retry`.

    With --queue redis://... this is one of many workers: it takes what it can start of the runs there,
    shares one pace with the others, and ends by SIGTERM or, with --once, when the queue is empty. The
    runs' guards, abort rules and deadlines are those they were enqueued with.

    With --queue amqp://... or sqs://... it answers each message with its result. There, and without
    --queue, --rate is this worker's own, unless --limiter names a store that paces several together.
    """
    if run_id is not None and not once:
        raise ConfigurationError("--run-id names one run: give --once with it, or leave it out")
    settings = settings_from(flags, config)
    key = read_key(os.environ, settings)
    refuse_unseen(settings)
    return work(
        WorkOrder(
            queue=queue_of(settings),
            settings=settings,
            continuing=partial(settings_from, flags, config),
            key=key,
            once=once,
            as_json=as_json,
            run_id=run_id,
        )
    )
