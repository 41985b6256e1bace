"""Text of the API and of the input is shown as text, wherever it turns up: terminal, spreadsheet, page."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from tests.e2e.support import FIRST, Program, Ran, a_batch
from worker.simulator.faults import FaultPlan, Route, fault
from worker.simulator.options import Options
from worker.simulator.running import Simulator, simulator_thread
from worker.simulator.world import State, World

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u2066\u2028\r\n\t"
MARKUP = "</script><img src=x onerror=alert(1)><!--<script>{{ 7*7 }}|`[a](javascript:b)"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\uff1d1")


def _world() -> World:
    codes = [MARKUP + ESCAPES, *FORMULAS]
    batches = [a_batch(FIRST + n, code=code, kickouts=True) for n, code in enumerate(codes)]
    batches.append(a_batch(FIRST + 50, State.PENDING, code=ESCAPES + MARKUP))
    batches.append(a_batch(FIRST + 60, code="=cmd|'/C calc'!A0"))
    return World({batch.batch_id: batch for batch in batches}, [batch.batch_id for batch in batches])


def _closed(program: Program) -> tuple[Ran, Simulator]:
    said = replace(fault("400"), name=f"{MARKUP}{ESCAPES}")
    options = Options(faults=FaultPlan(scripts={(Route.PUT, FIRST + 60): (said,)}))
    name = "=odd" if os.name == "nt" else "=odd\x1b[2J\u202e<b>.txt"
    ids = program.folder / name
    with simulator_thread(options, world=_world()) as simulator:
        ids.write_text(
            "".join(f"{batch_id}\n" for batch_id in simulator.world.targets) + f"=1+1{MARKUP}\x1b[2J\n"
        )
        program.environment(BATCH_CLOSER_SNAPSHOT=None)
        console = ("--log-format", "console", "--log-level", "info")
        return program.close(simulator, str(ids), *console), simulator


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")], attrs


def test_through_the_whole_program(program: Program) -> None:
    """No escape, no direction mark, no formula, no element and no link gets out of any text or file."""
    ran, simulator = _closed(program)
    assert ran.code == 3
    outputs = {"stdout": ran.out, "stderr": ran.err}
    shown = program.raw("runs", "show", "run-1", "--state", str(program.state))
    listed = program.raw("runs", "list", "--state", str(program.state))
    outputs |= {"show": shown.out, "list": listed.out}
    for name in ("summary.md", "report.html", "results.csv", "results.jsonl", "log.jsonl"):
        outputs[name] = (ran.folder / name).read_text(encoding="utf-8")
    for name, text in outputs.items():
        lines = text.replace("\r\n", "\n").split("\n")
        assert not [line for line in lines if not line.isprintable() and not name.endswith(".jsonl")], name
        assert not set(text) & set("\x1b\x07"), name
    assert "rejected" in outputs["stdout"]
    assert "onerror=alert(1)" in outputs["stdout"]  # it is told, as text

    with (ran.folder / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    numbers = {rows[0].index("running_total")}
    starts = tuple("=+-@\t\r\uff1d")
    assert not [
        cell
        for row in rows[1:]
        for at, cell in enumerate(row)
        if cell.startswith(starts) and at not in numbers
    ]
    assert len(rows) == 1 + len(simulator.world.targets) + 1

    page = outputs["report.html"]
    tags = _Tags(page).found
    assert not {"img", "iframe", "object", "embed", "form"} & set(tags)
    assert tags.count("script") == 3
    assert "&lt;img src=x" in page
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', page))
    blocks = MarkdownIt().parse(outputs["summary.md"])
    kinds = {child.type for block in blocks for child in block.children or []}
    assert kinds <= {"text", "code_inline", "softbreak", "text_special"}


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_told_apart_from_numbers(program: Program, formula: str) -> None:
    """A batch code that a spreadsheet would run begins with an apostrophe; results.jsonl has it as it is."""
    batch = a_batch(FIRST, code=formula)
    with simulator_thread(world=World({FIRST: batch}, [FIRST])) as simulator:
        ran = program.close(simulator, ids=[FIRST])
    assert ran.by_id[FIRST]["batch_code"] == formula
    with (ran.folder / "results.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["batch_code"].startswith("'")
