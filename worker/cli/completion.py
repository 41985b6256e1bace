"""What the shell offers for a value that is being typed. click does the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string

from worker.cli.settings.tree import Entry, Settings
from worker.rules.guards import GUARDS, Action

Items = list[CompletionItem[str]]
Completer = Callable[[click.Context, click.Parameter, str], Items]
_MOST_RUNS: Final = 50
_ABORT_RULES: Final = ("failed=", "not_found=", "same=", "none")
_TAKEN_BY: Final = {"resume": "unfinished", "retry": "finished"}


def of_setting(entry: Entry) -> Completer | None:
    """What is offered for a setting's flag, as its type says; None where there is nothing to offer."""
    if entry.path == "abort.rules":
        return _words(_ABORT_RULES)
    group = Settings.model_fields[entry.group].annotation
    assert group is not None
    kind = _kind(group.model_fields[entry.name].annotation)
    if kind is Path:
        return folders if entry.knob.metavar == "DIR" else files
    return _words(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else None


def _kind(annotation: Any) -> Any:
    """What a list is of, and what an optional value is when there is one."""
    if get_origin(annotation) in {tuple, Union, UnionType, Annotated}:
        return _kind(get_args(annotation)[0])
    return annotation


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Files; the shell itself lists them."""
    return [CompletionItem(incomplete, type="file")]


def folders(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Folders alone."""
    return [CompletionItem(incomplete, type="dir")]


def run_ids(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """The runs that the verb can take, the newest first; none where that can't be told."""
    found: Items = []
    with suppress(Exception):  # a key pressed in passing must not print an error into the command line
        wanted = _TAKEN_BY.get(context.command.name or "")
        for run_id, state, ids in _runs(context):
            if run_id.startswith(incomplete) and wanted in {None, state}:
                found.append(CompletionItem(run_id, help=f"{state}, {ids:,} ids"))
    return found[:_MOST_RUNS]


def _runs(context: click.Context) -> list[tuple[str, str, int]]:
    """Name, state and size of each run. Makes no folder and no ledger."""
    from worker.cli.options import chosen_state
    from worker.cli.runs import state_of, without_host
    from worker.ledger import open_ledger

    folder = chosen_state(without_host(context.params, context.params.get("config")))
    if not (folder / "ledger.db").is_file():
        return []
    with open_ledger(folder) as store:
        return [(run.run_id, state_of(run), run.ids) for run in reversed(store.runs())]


def _words(words: Iterable[str]) -> Completer:
    known = tuple(str(word) for word in words)

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
        return [CompletionItem(word) for word in known if word.startswith(incomplete)]

    return complete


guards: Final = _words(f"{guard.name}={action}" for guard in GUARDS for action in Action)
"""A guard and what it shall do."""


def _unquoted(word: str) -> str:
    return "".join(split_arg_string(word))


class _Bash(BashComplete):
    """Bash takes ``flags=hold`` for three words; this makes one of them again."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and what is there of the one at it."""
        position = int(os.environ["COMP_CWORD"])
        words = [_unquoted(word) for word in os.environ["COMP_WORDS"].split("\n")[: position + 1]]
        joined: list[str] = []
        for before, word in zip(["", *words], words, strict=False):
            if joined and (word == "=" or before == "="):
                joined[-1] += word
            else:
                joined.append(word)
        self._given = joined[-1]
        return joined[1:-1], joined[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        """The item less what stands before its ``=``: bash replaces what follows it alone."""
        head, equals, _ = self._given.rpartition("=")
        return f"{item.type},{item.value.removeprefix(head + equals)}"


def offer() -> None:
    """Make ready to answer a shell that asks."""
    add_completion_class(_Bash, "bash")
