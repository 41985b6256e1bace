"""The commands of the README's ``console`` blocks do what is shown under them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.shell import Shell, follow
from tests.docs.support import ROOT, fences, sections
from worker.simulator.options import Options, Population
from worker.simulator.running import simulator_thread

MAKE_DEMO = "batch-closer demo --state demo"
OCTOBER = "batchId,batchCode\n" + "".join(f"{batch_id},OCT\n" for batch_id in range(1002, 1014))
_README = sections((ROOT / "README.md").read_text(encoding="utf-8"))
_SECTIONS = [name for name, text in _README.items() if fences(text, "console")]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell where the API's host is a simulator whose batches can all be closed."""
    (tmp_path / "october.csv").write_text(OCTOBER, encoding="utf-8")
    population = Population(batches=13, closed=0, missing=0, pending=0, foreign=0)
    with simulator_thread(Options(population=population)) as simulator:
        replaced = {
            "make demo": MAKE_DEMO,
            "https://app.energycap.com": simulator.url,
            "your-key": simulator.key,
        }
        with Shell(tmp_path, replaced) as opened:
            yield opened


@pytest.mark.skipif(os.name == "nt", reason="the README's commands are for a POSIX shell")
@pytest.mark.parametrize("section", _SECTIONS)
def test_what_is_shown_comes_out(section: str, shell: Shell) -> None:
    """Each line shown under a command comes out of it, in that order; only the demo's numbers count."""
    follow(shell, _README[section], exact="make demo")  # the same batches and faults every time


def test_the_readme_has_commands_to_run() -> None:
    """The demo, the first close and the simulator are among them."""
    assert _SECTIONS == [
        "See it work",
        "Close your first batch",
        "Know before you close",
        "Collect through the day, close at night",
        "Try it without EnergyCAP",
    ]


def test_make_demo_is_the_command_that_is_run_for_it() -> None:
    """The Makefile's demo is what stands in for ``make demo`` here."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"\n\t@$(BIN)/{MAKE_DEMO}\n" in makefile
