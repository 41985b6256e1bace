"""The files in config/ are read by the program and say what is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.support import ROOT
from worker.cli.settings.resolve import resolve
from worker.cli.settings.tree import Entry, Settings, entries
from worker.words.errors import ConfigurationError

EXAMPLE = ROOT / "config" / "example.toml"
READY = sorted(path for path in (ROOT / "config").glob("*.toml") if path != EXAMPLE)
_SETTING = re.compile(r"^# (?=\w+ = )", flags=re.MULTILINE)


def _uncommented() -> str:
    return _SETTING.sub("", EXAMPLE.read_text(encoding="utf-8"))


def test_the_example_sets_nothing_as_it_stands() -> None:
    """Whoever copies it gets the defaults."""
    flags = {"api__base_url": "https://app.energycap.com"}
    assert resolve(flags, {}, EXAMPLE) == resolve(flags, {}, None)


def test_the_example_names_every_setting() -> None:
    """And no other: the program itself takes all of it once it is uncommented."""
    tables = tomllib.loads(_uncommented())
    assert {f"{group}.{name}" for group, table in tables.items() for name in table} == {
        entry.path for entry in entries()
    }


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.path)
def test_the_examples_defaults_are_the_true_ones(entry: Entry) -> None:
    """A value is the default, or its line says that there is none."""
    table = re.split(r"^\[(\w+)\]$", _uncommented(), flags=re.MULTILINE)
    lines = table[table.index(entry.group) + 1].splitlines()
    line = next(line for line in lines if line.startswith(f"{entry.name} = "))
    if entry.default is None:
        assert "# no default" in line
    else:
        assert "no default" not in line
        value = tomllib.loads(line)[entry.name]
        assert value == (list(entry.default) if isinstance(entry.default, tuple) else entry.default)


def test_the_example_uncommented_is_accepted(tmp_path: Path) -> None:
    """Every value in it can be used."""
    whole = tmp_path / "whole.toml"
    whole.write_text(_uncommented(), encoding="utf-8")
    settings = resolve({}, {}, whole)
    assert settings.limits.deadline_s == 14400


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[limits]\nrate = 3", "unknown key limits.rate; did you mean limits.rate_per_s?"),
        ("[limits]\nratio_per_s = 3", "unknown key limits.ratio_per_s; did you mean limits.rate_per_s?"),
        ("[limit]\nburst = 3", "unknown key limit; did you mean limits?"),
        ("limits = 3", "limits must be a table: write [limits] above its keys"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_the_remedy(text: str, told: str, tmp_path: Path) -> None:
    """The key that was meant, or the form that is needed."""
    path = tmp_path / "slip.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        resolve({}, {}, path)
    assert told in str(error.value)


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_the_ready_ones_are_accepted_and_change_something(path: Path) -> None:
    """Each of their settings differs from its default."""
    settings = resolve({}, {}, path)
    assert isinstance(settings, Settings)
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    defaults = {entry.path: entry.default for entry in entries()}
    for group, table in tables.items():
        for name, value in table.items():
            assert defaults[f"{group}.{name}"] != (tuple(value) if isinstance(value, list) else value)
    assert settings.api.base_url == "https://app.energycap.com"
