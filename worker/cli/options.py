"""Command-line options made from the settings, and what a verb gets of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

from worker.cli.completion import guards, of_setting
from worker.cli.settings.resolve import GUARD, resolve
from worker.cli.settings.tree import Entry, Settings, entries
from worker.report.results import private_folder
from worker.rules.guards import GUARDS
from worker.words.errors import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])
APP = "batch-closer"


def setting_options(*paths: str, queue: bool = False) -> Callable[[F], F]:
    """Add a flag for each setting named by its TOML key, and ``--config``.

    Where none is named: for all, those of a queue only where ``queue`` says so.
    """

    def is_wanted(entry: Entry) -> bool:
        return entry.path in paths if paths else queue or entry.group != "queue"

    def decorate(command: F) -> F:
        for entry in reversed([each for each in entries() if is_wanted(each)]):
            if entry.knob.flag is not None:
                command = _option(entry)(command)
        if not paths:
            command = _guard_option(command)
        return click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="A TOML file with settings. [env: BATCH_CLOSER_CONFIG]",
        )(command)

    return decorate


_guard_option = click.option(
    "--guard",
    GUARD,
    multiple=True,
    metavar="GUARD=ACTION",
    shell_complete=guards,
    help="hold, warn or ignore; repeatable. The guards: "
    f"{', '.join(f'{guard.name} ({guard.default.value})' for guard in GUARDS)}.",
)


def _option(entry: Entry) -> Callable[[F], F]:
    knob = entry.knob
    assert knob.flag is not None
    notes = [f"env: {knob.env}"] if knob.env else []
    if isinstance(entry.default, bool):
        flag = knob.flag.split("/")[0 if entry.default else 1]
        help_text = f"{knob.help} [{'; '.join([*notes, f'default: {flag}'])}]"
        return click.option(knob.flag, entry.parameter, default=None, help=help_text)
    if isinstance(entry.default, int | float):
        notes.append(f"default: {entry.default:g}")
    elif entry.default and not isinstance(entry.default, Path):
        shown = entry.default if isinstance(entry.default, tuple) else [entry.default]
        notes.append(f"default: {', '.join(str(each) for each in shown)}")
    return click.option(
        knob.flag,
        entry.parameter,
        metavar=knob.metavar,
        multiple=entry.is_list,
        shell_complete=of_setting(entry),
        help=f"{knob.help} [{'; '.join(notes)}]",
    )


def settings_from(
    flags: Mapping[str, Any], config: Path | None, earlier: Mapping[str, Any] | None = None
) -> Settings:
    """The settings of this call. Raises ConfigurationError."""
    return resolve(flags, os.environ, config, earlier)


def state_folder(settings: Settings) -> Path:
    """The state folder, made if missing and tried for writing. Raises ConfigurationError."""
    return usable(chosen_state(settings))


def chosen_state(settings: Settings) -> Path:
    """The state folder that is named, else the platform's; it need not be there."""
    return settings.output.state or Path(platformdirs.user_state_dir(APP, appauthor=False))


def usable(folder: Path) -> Path:
    """The folder, made if missing and tried for writing. Raises ConfigurationError."""
    try:
        private_folder(folder)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        if file := _file_in(folder):
            raise ConfigurationError(
                f"state folder {folder} can't be used: {file} is a file, not a folder; "
                "choose another with --state"
            ) from None
        raise ConfigurationError(
            f"state folder {folder} can't be written: {error.strerror}; choose another with --state"
        ) from None
    return folder


def _file_in(folder: Path) -> Path | None:
    """The file that stands where the folder is to be, or one above it."""
    with suppress(OSError):
        return next((each for each in (folder, *folder.parents) if each.is_file()), None)
    return None
