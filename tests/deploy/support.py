"""The tools that the files in deploy/ are checked with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from worker.cli.main import VERBS, cli

TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run_tool(name: str, *arguments: object) -> tuple[int, str]:
    """Run a tool of the extra ``deploy-checks``: its exit code and what it said."""
    tool = shutil.which(name, path=TOOLS)
    if tool is None:
        pytest.skip(f"{name} is not installed; pip install '.[deploy-checks]'")
    done = subprocess.run(
        [tool, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )
    return done.returncode, done.stdout


def check_words(words: Sequence[str]) -> None:
    """Fail unless the words after ``batch-closer`` are a verb that is built, with flags that it has."""
    if words[0] not in VERBS:
        pytest.skip(f"{words[0]} is not built here")
    command: click.Command = cli
    for word in words:
        if isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            assert found is not None, words
            command = found
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert flags <= known | {"--help"}, words
