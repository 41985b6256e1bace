"""Which batches a plan is about: those that targets name, or a selection of the open ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final, TypeVar

import click
from pydantic import SecretStr

from worker.cli.completion import files
from worker.rules.period import Period
from worker.rules.plan import PlanEntry, Wanted, invalid
from worker.rules.selection import Selection, parse_age
from worker.rules.summary import printable
from worker.sources import Entry, read_targets
from worker.sources.ids import parse_id
from worker.words.answer import Identity
from worker.words.errors import ConfigurationError
from worker.words.model import MAX_BATCH_ID, Rejected

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Named:
    """What the targets name, in input order, each batch once."""

    wanted: dict[int, Wanted] = field(default_factory=dict)
    order: list[int | PlanEntry] = field(default_factory=list)  # an entry stands for an invalid line
    duplicates: int = 0

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Named:
        """Gather the entries. Raises InputError for an input that can't be read."""
        named = cls()
        for entry in entries:
            named.add(entry)
        return named

    def add(self, entry: Entry) -> None:
        """Add an entry; a batch that was named before takes up what this line expects of it."""
        if isinstance(entry, Rejected):
            self.order.append(invalid(entry))
            return
        before = self.wanted.get(entry.batch_id)
        if before is None:
            self.order.append(entry.batch_id)
            self.wanted[entry.batch_id] = Wanted(entry.batch_id, entry.source, entry.line, entry.controls)
        else:
            self.duplicates += 1
            self.wanted[entry.batch_id] = before.with_controls(entry.controls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The flags of a selection as they were given."""

    open: bool = False
    code: str | None = None
    owner: str | None = None
    older_than: str | None = None
    exclude: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A selection, checked."""

    selection: Selection
    owner_is_me: bool = False

    def of(self, identity: Identity | None) -> Selection:
        """The selection, now that it is known whose the key is. Raises ConfigurationError where it isn't."""
        if not self.owner_is_me:
            return self.selection
        if identity is None or identity.user_id is None:
            raise ConfigurationError(
                "--owner me can't be used: the API does not say whose the key is; give the user's number"
            )
        return replace(self.selection, owner_id=identity.user_id)


def selection_options(command: F) -> F:
    """Add the flags that select batches instead of naming them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS: Final = (
    click.option("--open", "select", is_flag=True, help="Instead of TARGETs: the batches that are open."),
    click.option("--code", metavar="GLOB", help="With --open: batch codes like this, as 'UTIL-*'."),
    click.option(
        "--owner", metavar="me|USER", help="With --open: created by the key's user, or that number."
    ),
    click.option("--older-than", metavar="AGE", help="With --open: created so long ago, as 7d or 12h."),
    click.option(
        "--exclude", metavar="FILE", shell_complete=files, help="With --open: leave out the ids in FILE."
    ),
)


def asked_of(flags: Mapping[str, Any]) -> Asked:
    """The flags of ``selection_options``."""
    names = ("code", "owner", "older_than", "exclude")
    return Asked(open=flags["select"], **{name: flags[name] for name in names})


def wish_of(
    asked: Asked, targets: tuple[str, ...], column: str | None, key: SecretStr, period: Period | None
) -> Wish | None:
    """Check the flags; None where targets are given instead.

    Raises ConfigurationError, or InputError for the file of ``--exclude``.
    """
    _check_shape(asked, targets)
    if not asked.open:
        return None
    selection = Selection(
        period=period,
        code=asked.code,
        owner_id=_owner_id(asked.owner),
        older_than_s=None if asked.older_than is None else parse_age(asked.older_than),
        exclude=_excluded(asked.exclude, column, key),
    )
    return Wish(selection=selection, owner_is_me=_is_me(asked.owner))


def _check_shape(asked: Asked, targets: tuple[str, ...]) -> None:
    if asked.open and targets:
        raise ConfigurationError("--open selects batches by itself: leave either --open or the TARGETs out")
    if not asked.open and not targets:
        raise ConfigurationError("no batch is named: give TARGETs (ids, files or -), or --open")
    narrowing = {
        "--code": asked.code,
        "--owner": asked.owner,
        "--older-than": asked.older_than,
        "--exclude": asked.exclude,
    }
    given = [flag for flag, value in narrowing.items() if value is not None]
    if given and not asked.open:
        raise ConfigurationError(f"{given[0]} narrows a selection: give --open with it")
    if asked.code is not None and not asked.code.strip():
        raise ConfigurationError("--code is empty: give a pattern of batch codes, as 'UTIL-*'")


def _is_me(owner: str | None) -> bool:
    return owner is not None and owner.strip().casefold() == "me"


def _owner_id(owner: str | None) -> int | None:
    if owner is None or _is_me(owner):
        return None
    number = parse_id(owner.strip())
    if number is None:
        raise ConfigurationError(
            f"--owner {printable(owner, 60)!r} can't be used: write me, or the number of a user "
            f"(1 to {MAX_BATCH_ID})"
        )
    return number


def _excluded(file: str | None, column: str | None, key: SecretStr) -> frozenset[int]:
    """The ids of the file. A line that is no id may stand for a batch that is not to be closed: refused."""
    if file is None:
        return frozenset()
    ids = set()
    for entry in entries_of((file,), column, key, sys.stdin.buffer):
        if isinstance(entry, Rejected):
            raise ConfigurationError(
                f"--exclude {entry.source}, line {entry.line}: {printable(entry.text, 60)!r} is no batch id"
            )
        ids.add(entry.batch_id)
    return frozenset(ids)


def entries_of(
    targets: tuple[str, ...], column: str | None, key: SecretStr | None, stdin: BinaryIO
) -> Iterable[Entry]:
    """What the targets name, without the key in any text."""
    if key is None:
        return read_targets(targets, column=column, stdin=stdin)
    secret = key.get_secret_value()
    return read_targets(targets, column=column, stdin=stdin, redact=lambda text: text.replace(secret, "***"))
