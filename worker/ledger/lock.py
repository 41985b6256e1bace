"""One run at a time on a state folder and API host."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from filelock import FileLock, Timeout

from worker.words.errors import LedgerError, LockedError

_NAME_LENGTH = 100
_PATIENCE_S = 0.5  # a holder that is just leaving, or has not yet written who it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock."""

    pid: int
    host: str  # the machine
    run: str  # empty: a worker between its runs
    since: float

    @classmethod
    def here(cls, run: str = "") -> Self:
        """This process, from now on."""
        return cls(pid=os.getpid(), host=platform.node(), run=run, since=time.time())


class RunLock:
    """Held from before a run is planned until its files are written, or for as long as a worker works.

    The operating system drops the lock of a process that died, so a stale one never blocks.
    Beside it stands a file that names the holder, for people; the lock itself never depends on it.
    """

    def __init__(
        self,
        folder: Path,
        api_host: str,
        holder: Holder,
        *,
        what: Literal["run", "worker"] = "run",
        patience_s: float = _PATIENCE_S,
    ) -> None:
        stem = f"{what}-{_file_name(api_host)}"
        self._what = what
        self._folder = folder
        self._path = folder / f"{stem}.lock"
        self._holder_path = folder / f"{stem}.json"
        self._api_host = api_host
        self._holder = holder
        self._lock = FileLock(self._path, timeout=patience_s, mode=0o600, thread_local=False)

    def acquire(self) -> None:
        """Take the lock. Raises LockedError naming the holder, LedgerError when the folder can't be used."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise LockedError(self._taken()) from error
        except (OSError, ValueError, NotImplementedError) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise LedgerError(
                f"lock {self._path}: it can't be taken ({words}); make the folder writable "
                "or choose another --state"
            ) from error
        self._write_holder()

    def release(self) -> None:
        """Let go. Releasing twice, or without holding, does nothing."""
        if self._lock.is_locked:
            with suppress(OSError):
                self._holder_path.unlink(missing_ok=True)
            self._lock.release()

    def is_free(self) -> bool:
        """Whether nobody holds it; taken and let go at once to find out. False where that can't be told."""
        try:
            self._lock.acquire(timeout=0)
        except (Timeout, OSError, NotImplementedError):
            return False
        self._lock.release()
        return True

    def held_by(self) -> str | None:
        """The run that its holder is at; None where nobody holds it, or where that can't be told."""
        holder = None if self.is_free() else _read(self._holder_path)
        return None if holder is None else str(holder.get("run"))

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _write_holder(self) -> None:
        # It only tells who; a full disk must not keep `resume` from trying.
        draft = self._holder_path.with_suffix(".json.new")
        with suppress(OSError):
            descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(self._holder), file)
            draft.replace(self._holder_path)

    def _taken(self) -> str:
        line = f"another {self._what} on {self._api_host} holds the lock {self._path}"
        holder = _read(self._holder_path)
        if holder is not None:
            line += f": {_describe(holder)}"
        return f"{line}; wait until it has ended, or choose another --state"


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        holder = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return holder if isinstance(holder, dict) else None


def _describe(holder: Mapping[str, Any]) -> str:
    try:
        since = datetime.fromtimestamp(float(holder["since"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        run = f"run {holder['run']}, " if holder["run"] else ""
        line = f"pid {int(holder['pid'])} on {holder['host']}, {run}since {since}"
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return "its holder can't be told"
    return "".join(character if character.isprintable() else "?" for character in line)


def _file_name(api_host: str) -> str:
    """A name any file system takes, different for different hosts."""
    host = api_host.casefold()
    name = re.sub(r"[^a-z0-9.-]", "_", host)[:_NAME_LENGTH]
    if name == host:
        return name
    return f"{name}-{hashlib.sha256(host.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"
