"""The README's completion commands, in the shells themselves."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from tests.docs.shell import program_in
from tests.docs.support import ROOT, fences, sections
from tests.docs.test_help import PATHS, command_at
from tests.ledger.support import new_run
from worker.cli.completion import run_ids
from worker.ledger import open_ledger

(_BLOCK,) = fences(
    sections((ROOT / "README.md").read_text(encoding="utf-8"))["Completion in the shell"], "sh"
)
COMMANDS = {
    name: next(line for line in _BLOCK.splitlines() if f"{name}_source" in line)
    for name in ("bash", "zsh", "fish")
}
PATIENCE_S = 30.0


def needs(shell: str) -> pytest.MarkDecorator:
    """Skip where that shell is not installed."""
    return pytest.mark.skipif(
        os.name == "nt" or shutil.which(shell) is None, reason=f"{shell} is not installed"
    )


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A bare environment with the program on the PATH; the folder holds one file."""
    (tmp_path / "october.csv").touch()
    path = f"{program_in(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(tmp_path), "TERM": "dumb", "PS1": "", "LANG": "C.UTF-8"}


class Keyboard:
    """A shell at a terminal."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._seen = ""

    def type(self, keys: str, then: str) -> None:
        """Press keys, and read until what is seen matches ``then``."""
        os.write(self._master, keys.encode())
        give_up_at = time.monotonic() + PATIENCE_S
        while not re.search(then, self._seen):
            assert time.monotonic() < give_up_at, f"waited in vain for {then!r}: {self._seen!r}"
            if select.select([self._master], [], [], 0.05)[0]:
                self._seen += os.read(self._master, 65536).decode(errors="replace")
        self._seen = ""


@contextmanager
def terminal(*command: str, folder: Path, environ: Mapping[str, str]) -> Iterator[Keyboard]:
    """A shell with a keyboard, killed by its pid at the end."""
    master, slave = os.openpty()
    shell = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environ),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Keyboard(master)
    finally:
        shell.kill()
        shell.wait()
        os.close(master)


@needs("bash")
def test_bash(tmp_path: Path, environ: dict[str, str]) -> None:
    """A value, one after a guard's ``=``, and a file."""
    with terminal("bash", "--norc", "--noprofile", "-i", folder=tmp_path, environ=environ) as keyboard:
        keyboard.type(f"{COMMANDS['bash']}\necho rea''dy\n", "ready")
        keyboard.type("batch-closer close --log-level w\t", "warning ")
        keyboard.type("--guard flags=h\t", "hold ")
        keyboard.type("octo\t", r"october\.csv")


@needs("zsh")
def test_zsh(tmp_path: Path, environ: dict[str, str]) -> None:
    """A value and a file."""
    with terminal("zsh", "-f", "-i", folder=tmp_path, environ=environ) as keyboard:
        keyboard.type("autoload -U compinit && compinit -u -D\n", "compinit")
        keyboard.type(f"{COMMANDS['zsh']}\necho rea''dy\n", "ready")
        keyboard.type("batch-closer close --log-level w\t", r"ing\b")
        keyboard.type("octo\t", r"ber\.csv")


@needs("fish")
def test_fish(tmp_path: Path, environ: dict[str, str]) -> None:
    """Fish tells what it would offer, without a keyboard."""
    asked = {
        "close --log-level w": "warning",
        "close octo": "october.csv",
        "close --guard flags=h": "flags=hold",
    }
    lines = [COMMANDS["fish"], *(f"complete -C 'batch-closer {words}'" for words in asked)]
    done = subprocess.run(
        ["fish", "--no-config", "-c", "\n".join(lines)],
        cwd=tmp_path,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == list(asked.values())


@pytest.mark.parametrize("path", [path for path in PATHS if path], ids=" ".join)
def test_what_names_a_thing_that_is_there_completes(path: tuple[str, ...]) -> None:
    """Files, folders, outcomes, guards, rules, levels: each such parameter of each verb offers something."""
    told = {"FILE", "DIR", "OUTCOME", "LEVEL", "FORMAT", "RULE", "GUARD=ACTION", "[TARGET...]"}
    command = command_at(path)
    with click.Context(command, info_name=path[-1]) as context:
        for parameter in command.params:
            if parameter.metavar in told:
                assert parameter.shell_complete(context, ""), parameter.name


def test_runs_complete_by_what_the_verb_can_take(tmp_path: Path) -> None:
    """The newest first; and where no ledger is, none is made."""
    command = command_at(("runs", "show"))
    (parameter,) = [each for each in command.params if each.name == "run_id"]
    with click.Context(command, info_name="show") as context:
        context.params = {"output__state": str(tmp_path)}
        assert run_ids(context, parameter, "") == []
        assert not list(tmp_path.iterdir())
        with open_ledger(tmp_path) as store:
            store.plan(new_run("first"), [])
            store.plan(new_run("second"), [])
        assert [item.value for item in run_ids(context, parameter, "")] == ["second", "first"]
        assert [item.value for item in run_ids(context, parameter, "f")] == ["first"]
    with click.Context(command_at(("resume",)), info_name="resume") as context:
        context.params = {"output__state": str(tmp_path)}
        assert run_ids(context, parameter, "") == []
