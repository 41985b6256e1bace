"""``--help`` of every verb."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

import click
import pytest

from worker.cli.main import VERBS, cli, run


def _paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from _paths(found, (*path, name))


PATHS = list(_paths(cli))


def command_at(path: tuple[str, ...]) -> click.Command:
    """The command that these words lead to."""
    command: click.Command = cli
    for word in path:
        assert isinstance(command, click.Group)
        with click.Context(command) as context:
            found = command.get_command(context, word)
        assert found is not None, path
        command = found
    return command


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_it_fits_a_narrow_terminal(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than 80 columns, and no line of a list is cut short."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*path, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if len(line) > 80]
    assert not [line for line in lines[1:] if line.endswith("...")]


@pytest.mark.parametrize("path", [path for path in PATHS if path], ids=" ".join)
def test_it_shows_examples(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Each verb ends with examples of itself, whose flags it knows."""
    run([*path, "--help"])
    shown = capsys.readouterr().out
    examples = re.findall(r"^ +.*batch-closer (.*)$", shown.partition("Examples:")[2], flags=re.MULTILINE)
    assert examples
    for example in examples:
        assert example.startswith(" ".join(path))
        assert not [flag for flag in re.findall(r" (--[a-z-]+)", example) if flag not in _flags_of(example)]


def _flags_of(example: str) -> set[str]:
    command: click.Command = cli
    for word in example.split():
        found = (
            command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        )
        if found is None:
            break
        command = found
    return {flag for parameter in command.params for flag in parameter.opts}


@pytest.mark.parametrize("name", VERBS)
def test_a_verbs_line_agrees_with_its_own_help(name: str) -> None:
    """The line in the list of verbs, and the first of the verb's own help, speak of the same."""
    command: click.Command = importlib.import_module(VERBS[name].module).command
    assert command.name == name
    line, own = VERBS[name].help, (command.help or "").split("\n\n", maxsplit=1)[0]
    assert line.endswith(".")
    assert len(_words(line) & _words(own)) >= 2, (line, own)


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 2}


@pytest.mark.parametrize("arguments", [[], ["runs"]], ids=" ".join)
def test_without_a_verb_the_help_is_shown_as_it_is(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line on standard error, not squeezed into one; exit 2."""
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) > 8
    assert err.startswith("Usage: batch-closer")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["clos"], "No such verb 'clos'. Did you mean 'close'? (see `batch-closer --help`)"),
        (["xyzzy"], "No such verb 'xyzzy'. (see `batch-closer --help`)"),
        (["runs", "lst"], "No such command 'lst'. Did you mean 'list'? (see `batch-closer runs --help`)"),
    ],
)
def test_a_misspelt_verb(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What was meant is guessed, at the top as below it; exit 2."""
    assert run(arguments) == 2
    assert capsys.readouterr() == ("", f"batch-closer: {line}\n")
