"""``enqueue --queue amqp://...`` and ``sqs://...``: a message for each batch."""

from __future__ import annotations

import click
import orjson

from worker.brokers import parse_address
from worker.cli.broker.intake import Intake
from worker.cli.here import make_log
from worker.cli.question import agree_to
from worker.cli.queues import EnqueueOrder
from worker.cli.signals import Ears
from worker.report.advice import counted
from worker.words.errors import ConfigurationError
from worker.words.model import Rejected

_AT_ONCE = 1000


def enqueue(order: EnqueueOrder) -> int:
    """Send a message for each distinct id; return the exit code.

    Raises BatchCloserError where the input can't be read, before anything is sent, or the queue not reached.
    """
    if order.waits or order.run_id is not None:
        flag = "--wait" if order.waits else "--run-id"
        raise ConfigurationError(f"{flag} is not for this queue: its results go to a queue of their own")
    assert order.queue.url is not None
    address = parse_address(order.queue.url)
    bodies, invalid, lines = _bodies(order)
    if not order.agreed and bodies:
        agree_to(
            [
                f"About to put {counted(len(bodies), 'batch')} into {address.shown}.",
                "A worker closes them; it does not ask.",
            ],
            "Put them into the queue?",
            "nothing was added",
        )
    log = make_log(order.settings)
    try:
        for entry in invalid:
            log.warning("input.line_rejected", source=entry.source, line=entry.line, input=entry.text)
        with Intake(address, log, Ears(), gives_up=True) as intake:
            for start in range(0, len(bodies), _AT_ONCE):
                intake.send(bodies[start : start + _AT_ONCE])
    finally:
        log.close()
    duplicates = lines - len(invalid) - len(bodies)
    if order.as_json:
        facts = {
            "queue": address.shown,
            "added": len(bodies),
            "duplicates": duplicates,
            "invalid": len(invalid),
        }
        click.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
    else:
        also = f" {counted(duplicates, 'duplicate')} and {counted(len(invalid), 'invalid line')} left out."
        added = f"Added {counted(len(bodies), 'batch')} to {address.shown}."
        click.echo(added + (also if duplicates or invalid else ""))
    return 3 if invalid else 0


def _bodies(order: EnqueueOrder) -> tuple[list[bytes], list[Rejected], int]:
    """The messages, in input order, each id once with all that is expected of it."""
    found: dict[int, dict[str, object]] = {}
    invalid: list[Rejected] = []
    lines = 0
    for entry in order.entries:
        lines += 1
        if isinstance(entry, Rejected):
            invalid.append(entry)
            continue
        expected: dict[str, object] = {}
        if entry.expected_bills is not None:
            expected["expected_bills"] = entry.expected_bills
        if entry.expected_total is not None:
            expected["expected_total"] = str(entry.expected_total)
        before = found.setdefault(entry.batch_id, {"batch_id": entry.batch_id, **expected})
        if any(before.get(name, value) != value for name, value in expected.items()):
            raise ConfigurationError(
                f"{entry.source}, line {entry.line}: batch {entry.batch_id} is expected to be two things; "
                "mend the input (nothing was added)"
            )
        before |= expected
    return [orjson.dumps(body) for body in found.values()], invalid, lines
