"""The settings of a queue, and which addresses it can have."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

from pydantic import Field, SecretStr

from worker.cli.settings.knob import Group, Knob, Positive


class Place(NamedTuple):
    """Where queues can be: the schemes of their addresses, and the modules that enqueue and work there."""

    schemes: tuple[str, ...]
    example: str
    enqueue: str  # has enqueue(EnqueueOrder) -> int
    work: str  # has work(WorkOrder) -> int


LOCAL: Final = Place((), "", "worker.cli.local.enqueue", "worker.cli.local.work")
BROKERS: Final[tuple[Place, ...]] = (
    Place(
        ("redis", "rediss", "valkey", "valkeys", "unix", "redis+unix", "valkey+unix"),
        "redis://HOST/0",
        "worker.cli.fleet.enqueue",
        "worker.cli.fleet.work",
    ),
    Place(
        ("amqp", "amqps"),
        "amqp://HOST/VHOST?queue=NAME",
        "worker.cli.broker.enqueue",
        "worker.cli.broker.work",
    ),
    Place(("sqs",), "sqs://REGION/NAME", "worker.cli.broker.enqueue", "worker.cli.broker.work"),
)
"""A line for each kind of broker; only what stands here is offered in the help."""

COLLECTING: Final = (
    "api.base_url",
    "bounds.max_batches",
    "output.state",
    "output.log_level",
    "output.log_format",
    "queue.url",
)
"""The settings of ``enqueue`` that matter to the state folder's queue: the others are those of ``work``."""

_OFFERED: Final = f", as {' or '.join(broker.example for broker in BROKERS)}"


class QueueSettings(Group):
    """Where batch ids wait for a worker."""

    url: Annotated[
        SecretStr | None,  # it may hold a password
        Knob(
            "--queue",
            "BATCH_CLOSER_QUEUE",
            "URL",
            f"The address of the queue{_OFFERED}. [default: the state folder's own]",
        ),
    ] = None
    poll_s: Annotated[
        Positive,
        Knob("--poll", "BATCH_CLOSER_POLL", "S", "Look every S seconds whether anything waits."),
    ] = 30.0
    lease_s: Annotated[
        Annotated[float, Field(ge=1, le=3600)],
        Knob("--lease", "BATCH_CLOSER_LEASE", "S", "With --queue: others take over S seconds after a crash."),
    ] = 30.0
    max_deliveries: Annotated[
        Annotated[int, Field(ge=1, le=1000)],
        Knob(
            "--max-deliveries",
            "BATCH_CLOSER_MAX_DELIVERIES",
            "N",
            "With --queue: after N workers failed to settle a batch it is only looked up, and laid aside.",
        ),
    ] = 5
    limiter: Annotated[
        SecretStr | None,  # it may hold a password
        Knob(
            "--limiter",
            "BATCH_CLOSER_LIMITER",
            "URL",
            "A Redis or Valkey, as redis://HOST/0, that paces all workers of one API host and key together. "
            "[default: with a queue in Redis that queue's, else none: --rate is this worker's own]",
        ),
    ] = None
    port: Annotated[
        Annotated[int, Field(ge=0, le=65535)] | None,
        Knob("--port", "BATCH_CLOSER_PORT", "N", "A worker serves /healthz, /readyz and /metrics there."),
    ] = None
    bind: Annotated[str, Knob("--bind", "BATCH_CLOSER_BIND", "ADDRESS", "The address of that port.")] = (
        "127.0.0.1"
    )
