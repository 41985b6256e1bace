"""Which queue is meant, and what is handed to the code that serves it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from worker.cli.settings.queue import BROKERS, LOCAL, Place
from worker.cli.settings.tree import Settings
from worker.rules.summary import printable
from worker.sources import Entry
from worker.words.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: where it is, and its address; None stands for the one in the state folder."""

    place: Place
    url: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """The address without user, password and parameters."""
        return "the state folder" if self.url is None else shown(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueOrder:
    """What is to be put into a queue, and how that is to be shown."""

    queue: Queue
    settings: Settings
    entries: Iterable[Entry]  # a stream; raises InputError, possibly at its end
    flags: frozenset[str]  # the flags that were given, of settings and guards
    agreed: bool  # nothing is to be asked
    waits: bool  # until a worker has settled it
    as_json: bool
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """How a worker is to serve a queue."""

    queue: Queue
    settings: Settings  # months as they were named: a worker may see the next one
    continuing: Callable[[Mapping[str, Any]], Settings]  # from those of a run: settings to continue it with
    key: SecretStr
    once: bool
    as_json: bool
    run_id: str | None = None


def queue_of(settings: Settings) -> Queue:
    """The queue that the settings name. Raises ConfigurationError."""
    if settings.queue.url is None:
        return Queue(LOCAL)
    url = settings.queue.url.get_secret_value().strip()
    scheme = _scheme(url)
    for place in BROKERS:
        if scheme in place.schemes:
            return Queue(place, url)
    known = [place.example for place in BROKERS]
    remedy = f"give one as {' or '.join(known)}, or leave it out" if known else "leave it out"
    raise ConfigurationError(
        f"queue {shown(url)!r} can't be used: its address has a scheme that is not known; "
        f"{remedy} for the queue in the state folder"
    )


def shown(url: str) -> str:
    """An address as it may be shown: without user, password and parameters."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "***"
    if not parts.scheme:
        return printable(url, 60) if "@" not in url else "***"
    return printable(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", 200)


def enqueue(order: EnqueueOrder) -> int:
    """Put the entries into the queue; return the exit code."""
    return int(_serving(order.queue.place.enqueue).enqueue(order))


def work(order: WorkOrder) -> int:
    """Serve the queue; return the exit code."""
    return int(_serving(order.queue.place.work).work(order))


def _serving(module: str) -> Any:
    """Loaded when it is asked for: a broker's library may be missing, and takes its time."""
    return importlib.import_module(module)


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme.casefold()
    except ValueError:
        return ""
