"""``batch-closer simulate`` as a command: its one line, its files, its end, its refusals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import click
import orjson
import pytest
from click.testing import CliRunner

from worker.cli.simulate import command
from worker.simulator import options
from worker.simulator.faults import BY_NAME
from worker.words.errors import ConfigurationError

_RUN = "from worker.cli.simulate import command; command()"


@pytest.mark.skipif(os.name == "nt", reason="signals can't be sent to a process on Windows")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    """The first line says where; the ids are in the file; the truth can be asked; exit 0."""
    ids = tmp_path / "ids.txt"
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, "--batches", "20", "--ids-file", str(ids), "--fault", "500=5%"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("simulator: http://127.0.0.1:")
        with urllib.request.urlopen(f"{first.split()[1]}/simulator/truth", timeout=10) as answer:
            truth = orjson.loads(answer.read())
        assert ids.read_text().split() == list(truth)
        assert len(truth) == 20
        process.send_signal(number)
        assert "export ENERGYCAP_API_KEY=simulator-key" in process.stdout.read()
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "0.0.0.0"],
        ["--host", "example.com"],
        ["--port", "70000"],
        ["--batches", "-1"],
        ["--closed", "120%"],
        ["--closed", "some"],
        ["--latency", "2-1"],
        ["--latency", "x"],
        ["--rate-limit", "0"],
        ["--key", "a\nb"],
        ["--fault", "500"],
        ["--fault", "nonsense=5%"],
        ["--fault-at", "1017=500"],
        ["--already-closed", "302"],
        ["--end-date", "never"],
        ["--blocked-by", "weather"],
        ["--error-body", "xml"],
        ["--ids-file", "/nowhere/at/all/ids.txt"],
    ],
)
def test_a_wrong_value_is_one_line_and_exit_2(arguments: list[str]) -> None:
    """Nothing starts; the error names the value."""
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, ConfigurationError)
    assert result.exception.exit_code == 2
    assert "\n" not in str(result.exception)


def test_a_word_that_is_no_number_is_a_usage_error() -> None:
    """What click itself refuses is exit 2 as well."""
    result = CliRunner().invoke(command, ["--port", "x"])
    assert result.exit_code == 2


def test_the_help_names_every_word() -> None:
    """Each member of each choice, and each kind of fault, stands in --help."""
    shown = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    enums = (
        options.Block,
        options.EndDate,
        options.ErrorBody,
        options.FilterCase,
        options.LetterCase,
        options.Nulls,
        options.RetryAfter,
    )
    for word in (word.value for enum in enums for word in enum):
        assert word in shown
    kinds = {name.removesuffix("_after").removesuffix("_before") for name in BY_NAME} - {"ok"}
    assert not [kind for kind in kinds if kind not in shown]


def test_defaults_are_those_of_the_options() -> None:
    """The flags' defaults and the records' defaults are the same."""
    from worker.simulator.given import options_from

    with command.make_context("simulate", []) as context:
        assert isinstance(context, click.Context)
        assert options_from(context.params) == options.Options()
