"""The settings as the rows of the README's table."""

from __future__ import annotations

import re

from worker.cli.settings.tree import Entry, entries

_DEFAULT_IN_WORDS = re.compile(r" *\[default: (.*)\]")


def rows() -> list[str]:
    """A row for each setting, in the order of the program."""
    return [_row(entry) for entry in entries()]


def _row(entry: Entry) -> str:
    knob = entry.knob
    meaning = _DEFAULT_IN_WORDS.sub("", knob.help)
    return f"| {_flag(entry)} | `{knob.env}` | `{entry.path}` | {_default(entry)} | {meaning} |"


def _flag(entry: Entry) -> str:
    flag, metavar = entry.knob.flag, entry.knob.metavar
    if entry.group == "guards":
        return f"`--guard {entry.name}={metavar}`"
    if flag is None:
        return "(never a flag)"
    return f"`{flag} {metavar}`" if metavar else ", ".join(f"`{each}`" for each in flag.split("/"))


def _default(entry: Entry) -> str:
    default = entry.default
    if isinstance(default, tuple) and default:
        return ", ".join(f"`{each}`" for each in default)
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, int | float):
        return f"`{default:g}`"
    if default:
        return f"`{default}`"
    in_words = _DEFAULT_IN_WORDS.search(entry.knob.help)
    return in_words[1] if in_words else "none"
