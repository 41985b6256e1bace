"""``work --queue amqp://...`` and ``sqs://...``: a broker's messages are closed and answered."""

from __future__ import annotations

from worker.brokers import parse_address
from worker.cli.broker.intake import Intake
from worker.cli.broker.turns import BrokerTurns
from worker.cli.here import host_of, make_log
from worker.cli.local.work import Worker
from worker.cli.options import state_folder
from worker.cli.queues import WorkOrder
from worker.cli.serving.gear import Source, geared
from worker.cli.signals import Ears
from worker.ledger import Holder, RunLock
from worker.words.errors import ConfigurationError


def work(order: WorkOrder) -> int:
    """Serve the queue until told to stop, or once until it is empty; return the exit code.

    Raises LockedError where another worker uses this state folder, and BatchCloserError where the queue or
    its library is not to be had.
    """
    if order.run_id is not None:
        raise ConfigurationError("--run-id names one run: here each handful of messages becomes one")
    if not order.settings.api.snapshot:
        raise ConfigurationError(
            "--no-snapshot can't be used here: messages may come twice, so each batch is looked at first"
        )
    assert order.queue.url is not None
    address = parse_address(order.queue.url)
    state = state_folder(order.settings)
    ears = Ears()
    ears.open()
    log = make_log(order.settings)
    try:
        with (
            RunLock(state, host_of(order.settings.api.base_url), Holder.here(), what="worker"),
            Intake(address, log, ears, lease_s=order.settings.queue.lease_s, gives_up=order.once) as intake,
            geared(order, log, ears, Source(lambda: len(intake.in_hand), lambda: intake.is_up)) as gear,
        ):
            turns = BrokerTurns(order, state, log, ears, gear, intake=intake)
            return Worker(order, turns, log, ears).perform()
    finally:
        log.close()
