"""What the README lists is what the program has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.settings_table import rows
from tests.docs.support import PAGES, ROOT, cells, sections, slug, text_files
from worker.cli.close import command as close
from worker.cli.main import EPILOG
from worker.report.files import CSV_KEYS
from worker.rules.summary import Counters, LatencyMs, Summary
from worker.rules.summary.problems import Problem
from worker.rules.summary.record import InputCounts, Rate
from worker.rules.summary.tally import Closed
from worker.words.model import ConfirmedBy, Outcome, Stopped

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTIONS = sections(README)


def test_the_settings_table_is_the_programs() -> None:
    """A row for each setting, with its flag, environment name, TOML key, default and help."""
    shown = [line for line in SECTIONS["Settings"].splitlines() if line.startswith("|")]
    assert shown[2:] == rows()


def test_every_flag_of_close_is_in_the_readme() -> None:
    """Those without a setting too."""
    flags = {flag for parameter in close.params for flag in parameter.opts if flag.startswith("--")}
    assert {"--column", "--again"} <= flags
    assert not [flag for flag in flags if not re.search(rf"`{flag}[ `]", README)]


def test_the_outcomes_are_all_explained() -> None:
    """A row for each, in the order of the program."""
    assert [row[0] for row in cells(SECTIONS["Outcomes"])[2:]] == list(Outcome)


def test_the_exit_codes_are_those_of_the_help() -> None:
    """Codes and meanings stand word for word in ``--help``."""
    for code, meaning, _ in cells(SECTIONS["Exit codes"])[2:]:
        assert re.search(rf"^ *{code}  {re.escape(meaning)}(;.*)?$", EPILOG, flags=re.MULTILINE), code


def test_the_keys_of_a_result_are_all_named() -> None:
    """results.jsonl and results.csv hold nothing that the README doesn't name."""
    named = set(re.findall(r"`(\w+)`", SECTIONS["The files of a run"]))
    assert set(CSV_KEYS) <= named


def test_the_keys_of_the_summary_are_all_named() -> None:
    """The outer ones in the first column, the inner ones beside them."""
    table = [row for row in cells(SECTIONS["The files of a run"]) if len(row) == 2]
    outer = {key for row in table for key in row[0].split(", ")}
    assert set(Summary.__dataclass_fields__) <= outer
    inner = {
        "input": InputCounts._fields,
        "outcomes": (),
        "confirmed_by": tuple(ConfirmedBy),
        "closed": Closed._fields,
        "requests": tuple(Counters().to_json_dict()),
        "rate": Rate._fields,
        "latency_ms": LatencyMs._fields,
        "problems": tuple(Problem.__dataclass_fields__),
        "stopped": tuple(Stopped),
    }
    beside = dict(row for row in table if len(row) == 2)
    for key, names in inner.items():
        assert set(names) <= set(re.findall(r"\w+", beside[key])), key


def test_the_log_events_are_those_in_the_code() -> None:
    """Every event the program logs stands in the table, and no other."""
    logged = set()
    for path in (ROOT / "worker").rglob("*.py"):
        if "simulator" not in path.parts:
            source = path.read_text(encoding="utf-8")
            logged |= set(re.findall(r"(?:debug|info|warning|error)\)?\(\s*\"([a-z]+\.[a-z_]+)\"", source))
            logged |= set(re.findall(r"\"event\":\"([a-z]+\.[a-z_]+)\"", source))
    table = [
        row[0] for row in cells(SECTIONS["The files of a run"]) if re.match(r"[a-z]+\.[a-z_]+(, |$)", row[0])
    ]
    shown = {name for row in table for name in row.split(", ")} - {
        "log.jsonl",
        "results.jsonl",
        "results.csv",
    }
    assert shown - {"summary.json", "summary.md", "report.html", "retry.txt"} == logged
    assert "batch.settled" in logged


def test_the_targets_of_make_are_all_in_the_guide() -> None:
    """CONTRIBUTING.md has a row for each; the README names the one that CI's tests are."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {row[0].removeprefix("make ") for row in cells(guide) if row[0].startswith("make ")} == targets
    assert "`make test`" in README
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_rooms_are_all_in_the_guide() -> None:
    """A row for each package in worker/."""
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "worker").glob("*/__init__.py")}
    assert {row[0] for row in cells(guide)} >= rooms


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    """The file is there, and so is the heading after ``#``."""
    for target, _, anchor in (link.partition("#") for link in _links(page)):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{page.name}: #{anchor}"


def _links(page: Path) -> list[str]:
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    return [link for link in found if "://" not in link]


def test_no_file_names_this_machine() -> None:
    """No file holds the folder of this clone, somebody's home, or a package index of one's own."""
    somewhere = re.compile(r"(?:/home|/Users)/[a-z]|(?:--|PIP_)(?:extra[-_])?index[-_]url", re.IGNORECASE)
    here = Path(__file__).resolve()
    for path in text_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        assert f"{ROOT}/" not in text or len(ROOT.parts) < 3, path
        assert path == here or not somewhere.search(text), path


def test_the_constraints_are_names_and_versions_alone() -> None:
    """No index, no URL, no path: whoever installs has an index of their own."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert not [
        line for line in lines if line and not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[\w.!+]+( *;.*)?", line)
    ]
