"""Looking at what waits in the state folder's queue, and taking it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
import orjson

from worker.cli.options import state_folder
from worker.cli.settings.tree import Settings
from worker.ledger import WaitingEntry, open_ledger
from worker.report.advice import counted
from worker.rules.summary import instant
from worker.sources import Entry


def list_waiting(settings: Settings, *, as_json: bool) -> int:
    """Print what waits: ids, one a line, or JSON lines."""
    with open_ledger(state_folder(settings)) as store:
        for entry in store.queue(settings.api.base_url).entries():
            click.echo(orjson.dumps(_fields(entry)) if as_json else entry.batch_id or entry.text)
    return 0


def take_back(found: Iterable[Entry], settings: Settings, *, as_json: bool) -> int:
    """Let the entries wait no longer; say how many did."""
    base_url = settings.api.base_url
    with open_ledger(state_folder(settings)) as store:
        queue = store.queue(base_url)
        taken = queue.take_back(found)
        left = queue.waiting().ids
    if as_json:
        facts = {"base_url": base_url, "taken_back": taken, "waiting": left}
        click.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
    else:
        first = f"Took back {counted(taken, 'batch')}." if taken else "None of these waits."
        click.echo(f"{first}\nWaiting for {base_url}: {counted(left, 'batch')}.")
    return 0


def _fields(entry: WaitingEntry) -> dict[str, Any]:
    fields = {
        "batch_id": entry.batch_id,
        "source": entry.source,
        "line": entry.line,
        "enqueued_at": instant(entry.arrived_at),
        "repeats": entry.repeats,
    }
    return fields if entry.text is None else {**fields, "input": entry.text}
