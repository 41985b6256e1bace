"""What a worker brings along to each of its runs: a shared pace, and who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from worker.cli.serving.watch import PortWatch, Watch

if TYPE_CHECKING:
    from worker.cli.queues import WorkOrder
    from worker.cli.serving.limiter import Limiter
    from worker.cli.signals import Ears
    from worker.telemetry import Log
    from worker.telemetry.port_metrics import Metrics


@dataclass(frozen=True, slots=True)
class Gear:
    """A verb of its own, as ``close``, has neither."""

    limiter: Limiter | None = None
    watch: Watch = field(default_factory=Watch)


class Source(NamedTuple):
    """How the worker's queue is seen."""

    in_hand: Callable[[], int]  # messages
    is_up: Callable[[], bool]
    show: Callable[[Metrics], None] = lambda _: None  # what more there is to be seen of it


@contextmanager
def geared(order: WorkOrder, log: Log, ears: Ears, source: Source) -> Iterator[Gear]:
    """What the order asks for; the port is served until the block ends.

    Raises ConfigurationError where it can't be had, QueueError where the limiter can't be reached.
    """
    limiter = _limiter_of(order, log)
    settings = order.settings.queue
    if settings.port is None:
        yield Gear(limiter)
        return
    from worker.cli.serving.port import Looks, shown_beside

    watch = PortWatch()
    source.show(watch.metrics)
    looks = Looks(
        in_hand=source.in_hand,
        is_up=source.is_up,
        is_draining=lambda: ears.heard is not None,
        paused_for_s=watch.paused_for_s,
        rate_per_s=watch.rate_per_s,
    )
    with shown_beside(settings, watch.metrics, looks, log):
        yield Gear(limiter, watch)


def _limiter_of(order: WorkOrder, log: Log) -> Limiter | None:
    if order.settings.queue.limiter is None:
        return None
    from worker.cli.serving.limiter import Limiter

    limiter = Limiter(order.settings.queue.limiter, order.settings, order.key)
    limiter.try_out(log)
    return limiter
