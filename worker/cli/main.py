"""The command: verbs, and how every end becomes one line and an exit code."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

import click

from worker import __version__
from worker.cli.signals import ignore, restored
from worker.cli.streams import fill_missing, tell_unwritable
from worker.words.errors import BatchCloserError

_CYCLES_EVERY = 20_000
"""So many new objects between two searches for cycles: a close leaves few, and each search takes its time."""


class Verb(NamedTuple):
    """Where a verb is, and its line in the help: it is loaded only when it is used, so that help is quick."""

    module: str
    help: str


VERBS = {
    "plan": Verb("worker.cli.plan", "Show what a close would do with the batches that TARGETs name."),
    "close": Verb("worker.cli.close", "Close the batches that TARGETs name."),
    "resume": Verb("worker.cli.resume", "Continue a run that did not finish."),
    "runs": Verb("worker.cli.runs", "List runs, show one, write its files again, retry what failed."),
    "enqueue": Verb("worker.cli.enqueue", "Put batches into a queue, from which a worker closes them."),
    "work": Verb("worker.cli.work", "Close what waits in the queue."),
    "check": Verb("worker.cli.check", "Check that everything is ready for a close."),
    "simulate": Verb(
        "worker.cli.simulate", "Run a server that behaves like the API and remembers the truth."
    ),
    "demo": Verb("worker.cli.demo", "Close a few hundred batches of the simulator, to see how it goes."),
}

EPILOG = """\b
Exit codes:
   0  every batch ended fine, or there was nothing to do
   1  a fault of the program, or the disk was full
   2  usage or configuration; nothing was sent
   3  finished, but some batches did not end fine
   4  stopped early by an abort rule, the deadline or a stall
   5  the key was refused, or the API could not be reached at all
  75  another run holds the lock on this state folder and host
 130, 143  stopped by SIGINT, SIGTERM; `batch-closer resume` continues
"""


class Verbs(click.Group):
    """Loads a verb's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The verbs, in the order a user meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The verb's command."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(VERBS[cmd_name].module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is meant; where there is none, the error names those that are like it."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            name = error.command_name
            raise click.exceptions.NoSuchCommand(name, f"No such verb {name!r}.", VERBS, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The verbs and their lines, without loading them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])


@click.command(
    cls=Verbs,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="batch-closer")
def cli() -> None:
    """Close EnergyCAP bill batches in bulk, at a rate the API allows, and tell the truth about each one.

    A close cannot be undone. The API key comes from ENERGYCAP_API_KEY, or from a file named by
    ENERGYCAP_API_KEY_FILE; it is never a flag.
    """


def main() -> None:
    """Run the command and exit with its code."""
    fill_missing()
    seek_cycles_rarely()
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that can't show a character must not end the run
            stream.reconfigure(errors="replace")
    tell_unwritable()
    if "_BATCH_CLOSER_COMPLETE" in os.environ:  # a shell asks what may come next
        from worker.cli.completion import offer

        offer()
    code = _run(sys.argv[1:])
    ignore()
    gc.freeze()  # on its way out the interpreter would search all there is for cycles, three times
    sys.exit(code)


def seek_cycles_rarely() -> None:
    """Tell the interpreter to: for the whole process, so only where that is all this program's."""
    gc.set_threshold(_CYCLES_EVERY, 20, 20)


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code; whatever goes wrong is one line on standard error."""
    with restored():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    try:
        code = cli.main(arguments, prog_name="batch-closer", standalone_mode=False)
    except BatchCloserError as error:
        return _fail(str(error), error.exit_code)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.Abort as error:
        return _fail(str(error) or "interrupted", 130)
    except click.ClickException as error:
        where = (
            error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "batch-closer"
        )
        return _fail(f"{error.format_message()} (see `{where} --help`)", error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except Exception as error:  # noqa: BLE001 - a traceback shown to a user is a bug
        return _fail(_internal(error), 1)
    return code if isinstance(code, int) else 0


def _fail(line: str, code: int) -> int:
    text = " ".join(_without_key(line).split())
    click.echo(f"batch-closer: {''.join(c if c.isprintable() else '?' for c in text)}", err=True)
    return code


def _without_key(line: str) -> str:
    """A value given in the wrong place is shown in the error; the key must not be, wherever it was put."""
    key = os.environ.get("ENERGYCAP_API_KEY", "").strip()
    return line.replace(key, "***") if len(key) >= 4 else line


def _internal(error: Exception) -> str:
    """Where it happened, but not the error's own text: that may hold what must not be shown."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"internal error: {type(error).__name__}{at}; please report this"
