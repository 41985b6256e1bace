"""The pages in deploy/: their commands run, the shell reads the rest, the README leads to each of them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.deploy.support import check_words
from tests.docs.shell import Shell, follow
from tests.docs.support import PAGES, ROOT, fences, sections
from worker.cli.main import VERBS
from worker.simulator.options import Options, Population
from worker.simulator.running import simulator_thread
from worker.simulator.seeding import seed_world

DEPLOY = ROOT / "deploy"
RUN = [
    page for page in sorted(PAGES) if DEPLOY in page.parents and fences(page.read_text("utf-8"), "console")
]
OCTOBER = Population(batches=40, closed=0, missing=0, pending=0, foreign=0, empty=0, kickouts=0)
END_OF_OCTOBER = datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp()
MACHINE = "/opt/batch-closer/.venv/bin"


def name_of(page: Path) -> str:
    """A page as pytest shows it."""
    return str(page.relative_to(ROOT))


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """The machine that the pages speak of, with the batches of October 2026 and a list of twelve dropped."""
    for name in ("in", "running", "done", "failed"):
        (tmp_path / "srv" / name).mkdir(parents=True)
    with simulator_thread(
        Options(population=OCTOBER), world=seed_world(OCTOBER, END_OF_OCTOBER)
    ) as simulator:
        ids = "".join(f"{batch_id}\n" for batch_id in sorted(simulator.world.ids())[:12])
        (tmp_path / "srv" / "in" / "october.txt").write_text(ids, encoding="utf-8")
        replaced = {
            "https://app.energycap.com": simulator.url,
            "your-key": simulator.key,
            f"{MACHINE}/python": shlex.quote(sys.executable),
            "/opt/batch-closer/close_dropped.py": str(DEPLOY / "drop-folder" / "close_dropped.py"),
            "/srv/batch-closer": str(tmp_path / "srv"),
        }
        with Shell(tmp_path, replaced) as opened:
            environ = {
                "BATCH_CLOSER_BASE_URL": simulator.url,
                "ENERGYCAP_API_KEY": simulator.key,
                "BATCH_CLOSER_STATE": str(tmp_path / "state"),
                "BATCH_CLOSER_RATE": "50",
                "DROP_QUIET_S": "0.05",
            }
            for name, value in environ.items():
                opened.run(f"export {name}={value}")
            yield opened


@pytest.mark.skipif(os.name == "nt", reason="the pages' commands are for a POSIX shell")
@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_what_is_shown_comes_out(page: Path, shell: Shell) -> None:
    """As for the README; the host and the machine's folders are the test's own."""
    follow(shell, page.read_text(encoding="utf-8"))


def test_the_pages_have_commands_to_run() -> None:
    """Those that need no root and no other system's tools."""
    assert [name_of(page) for page in RUN] == ["deploy/drop-folder/README.md", "deploy/month-end/README.md"]


@pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_bash_can_read_what_is_not_run(page: Path) -> None:
    """Every ``sh`` block is a script without a slip."""
    for block in fences(page.read_text(encoding="utf-8"), "sh"):
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, encoding="utf-8", timeout=30)
        assert (done.returncode, done.stderr) == (0, ""), block


_CALL = re.compile(rf"(?<![\w./-])(?:\S*/)?batch-closer ((?:{'|'.join(VERBS)})\b[^|;&<>()`\n]*)")


def _calls(path: Path) -> list[list[str]]:
    """The commands in a file: verbs that are built, and what follows them."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    if path.suffix == ".md":
        text = "\n".join(block for language in ("sh", "console", "") for block in fences(text, language))
    return [[word.strip("'\"") for word in call.partition(" #")[0].split()] for call in _CALL.findall(text)]


_FILES = [*PAGES, DEPLOY / "cron" / "crontab", *DEPLOY.glob("systemd/*.service"), *ROOT.glob("config/*.toml")]
WITH_CALLS = [path for path in _FILES if _calls(path)]


@pytest.mark.parametrize("path", WITH_CALLS, ids=name_of)
def test_the_commands_shown_are_the_programs(path: Path) -> None:
    """Verbs and flags of what is shown and not run: in pages, units, the crontab."""
    for words in _calls(path):
        check_words(words)


def test_commands_were_found_to_check() -> None:
    """In pages of several ways to run it."""
    names = {name_of(path) for path in WITH_CALLS}
    assert {
        "README.md",
        "deploy/cron/crontab",
        "deploy/docker/README.md",
        "deploy/kubernetes/README.md",
        "deploy/systemd/batch-closer-nightly.service",
    } <= names


def test_the_readme_leads_to_each_page_in_one_step() -> None:
    """And so does the page above them."""
    pages = {name_of(path) for path in DEPLOY.glob("*/README.md")}
    table = sections((ROOT / "README.md").read_text(encoding="utf-8"))["Ways to run it"]
    assert set(re.findall(r"\]\((deploy/[\w-]+/README\.md)\)", table)) == pages
    above = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert {f"deploy/{link}" for link in re.findall(r"\]\(([\w-]+/README\.md)\)", above)} == pages


def test_each_page_says_what_was_not_tried() -> None:
    """Where the tools of another system were not at hand."""
    for name in ("docker", "kubernetes", "airflow", "github-actions", "windows"):
        assert "**Not tried**" in (DEPLOY / name / "README.md").read_text(encoding="utf-8")
