"""What ``check`` looks at on this machine: the key, the state folder, the ledger, the lock."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from worker.cli.here import host_of
from worker.cli.options import state_folder
from worker.cli.output import command_for
from worker.cli.settings.resolve import CONFIG_ENV, KEY_ENV, read_key
from worker.cli.settings.tree import Settings
from worker.ledger import Holder, RunLock, RunState, open_ledger
from worker.ledger.schema import VERSION
from worker.report.advice import counted
from worker.rules.readiness import Check, CheckState, failed, ok, skipped, warning
from worker.rules.summary import instant
from worker.words.errors import BatchCloserError, ConfigurationError, LedgerError, LockedError


def check_settings(settings: Settings, environ: Mapping[str, str], config: Path | None) -> Check:
    """The check ``settings``; it can't fail, for without settings there is nothing to check."""
    file = config or environ.get(CONFIG_ENV) or None
    rate = f"{settings.limits.rate_per_s:g} a second"
    by_default = "" if "rate_per_s" in settings.limits.model_fields_set else ", the default"
    where = f"config file {file}" if file else "no config file"
    return ok("settings", f"base URL {settings.api.base_url}; rate {rate}{by_default}; {where}")


def check_key(settings: Settings, environ: Mapping[str, str]) -> tuple[Check, SecretStr | None]:
    """The check ``key``: that there is one; only the API can say whether it is valid."""
    try:
        key = read_key(environ, settings)
    except ConfigurationError as error:
        return _fault(
            "key", error, f"put the key into {KEY_ENV}, or into a file that is named right", 2
        ), None
    file = settings.api.key_file
    return ok("key", f"from {KEY_ENV}" if environ.get(KEY_ENV, "").strip() else f"from key file {file}"), key


def check_state(settings: Settings) -> list[Check]:
    """The checks ``state_folder``, ``ledger``, ``lock`` and ``unfinished_runs``."""
    try:
        state = state_folder(settings)
    except ConfigurationError as error:
        broken = _fault("state_folder", error, "choose another with --state", 1)
        return [broken, *(skipped(name, "state_folder failed") for name in ("ledger", *_AFTER_LEDGER))]
    ledger, left = _ledger(state, settings)
    lock = _lock(state, settings)
    if ledger.state is CheckState.FAILED:
        left = skipped("unfinished_runs", "ledger failed")
    elif lock.state is CheckState.FAILED:
        left = skipped("unfinished_runs", "lock failed, so one may be under way")
    return [ok("state_folder", f"{state} can be written"), ledger, lock, left]


_AFTER_LEDGER = ("lock", "unfinished_runs")


def _ledger(state: Path, settings: Settings) -> tuple[Check, Check]:
    """The ledger, made if missing as a close would, and what it knows of unfinished runs on this host."""
    host = host_of(settings.api.base_url)
    try:
        with open_ledger(state) as store:
            runs = store.runs()
            open_runs = [run for run in runs if run.state is RunState.OPEN and run.started_at is not None]
            here = [run for run in open_runs if run.host == host]
            left = store.left(here[-1]) if here else 0
    except LedgerError as error:
        return _fault("ledger", error, "choose another --state", 1), skipped("unfinished_runs", "")
    ledger = ok("ledger", f"schema {VERSION}, {counted(len(runs), 'run')}")
    if not here:
        return ledger, ok("unfinished_runs", "none on this host")
    last = here[-1]
    since = instant(last.started_at or last.created_at)
    many = f"{counted(len(here), 'run')}, the last" if len(here) > 1 else "run"
    resume = command_for(f"resume {last.run_id}", settings.output.state)
    found = f"{many} {last.run_id} of {since} with {counted(left, 'batch')} left"
    return ledger, warning("unfinished_runs", found, f"{resume} continues it")


def _lock(state: Path, settings: Settings) -> Check:
    """Taken and let go at once; whoever starts a run in this moment waits that long for it."""
    host = host_of(settings.api.base_url)
    try:
        with RunLock(state, host, Holder.here("check")):
            return ok("lock", f"free for {host}")
    except LockedError as error:
        return _fault("lock", error, "wait until it has ended", LockedError.exit_code)
    except LedgerError as error:
        return _fault("lock", error, "choose another --state", 1)


def _fault(name: str, error: BatchCloserError, otherwise: str, exit_code: int) -> Check:
    """An error's line is what was found, and after its last semicolon what to do."""
    found, _, remedy = str(error).rpartition("; ")
    return failed(name, found or remedy, remedy if found else otherwise, exit_code)
