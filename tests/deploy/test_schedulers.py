"""Airflow, GitHub Actions and Windows: what can be said of their files without them."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.support import check_words, run_tool
from tests.docs.support import ROOT

DAGS = ROOT / "deploy" / "airflow" / "batch_closer_dags.py"
WORKFLOW = ROOT / "deploy" / "github-actions" / "close-batches.yml"
WINDOWS = sorted((ROOT / "deploy" / "windows").glob("*.ps1"))


def test_the_dags_call_the_program_as_it_is() -> None:
    """Verbs and flags; each close can be begun again, by the run's name."""
    tree = ast.parse(DAGS.read_text(encoding="utf-8"))
    found = [
        [_text(word) for word in keyword.value.elts]
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "words" and isinstance(keyword.value, ast.List)
    ]
    assert [words[0] for words in found] == ["close", "plan", "close"]
    for words in found:
        check_words(words)
        assert words[0] == "plan" or {"--resume", "--yes", "--run-id=*"} <= set(words)


def _text(node: ast.expr) -> str:
    """A string, its computed parts as ``*``."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else "*"


def test_airflow_imports_the_dags(tmp_path: Path) -> None:
    """Where Airflow is installed: both are found, without an error."""
    pytest.importorskip("airflow", reason="Airflow is not installed; it was tried by hand")
    script = "from airflow.models import DagBag; b = DagBag({!r}); print(sorted(b.dags), b.import_errors)"
    done = subprocess.run(
        [sys.executable, "-c", script.format(str(DAGS.parent))],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "['batch_closer_month_end', 'batch_closer_nightly'] {}"


def test_the_workflow_fits_its_schema() -> None:
    """The schema of GitHub's workflows, as check-jsonschema carries it."""
    code, told = run_tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW)
    assert code == 0, told


def test_the_workflow_is_careful() -> None:
    """No input becomes part of a script, and the key is for the steps that call the API alone."""
    yaml = pytest.importorskip("yaml")
    workflow: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    for step in steps:
        assert "${{" not in step.get("run", "")
        assert ("ENERGYCAP_API_KEY" in step.get("env", {})) == ("batch-closer " in step.get("run", ""))
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a@" + "0" * 40))
    calls = [
        call
        for step in steps
        for call in re.findall(r"batch-closer ((?:plan|close) .*)", step.get("run", ""))
    ]
    assert len(calls) == 2
    for call in calls:
        check_words(shlex.split(call.partition(" > ")[0]))
    assert workflow["jobs"]["close"]["environment"] != workflow["jobs"]["plan"]["environment"]


@pytest.mark.parametrize("script", WINDOWS, ids=lambda script: script.stem)
def test_the_scripts_are_powershell(script: Path) -> None:
    """The grammar finds no error; the key is never an argument."""
    grammar = pytest.importorskip("tree_sitter_powershell")
    from tree_sitter import Language, Parser

    text = script.read_text(encoding="utf-8")
    tree = Parser(Language(grammar.language())).parse(text.encode())
    assert not tree.root_node.has_error, tree.root_node
    for call in re.findall(r"& \$Program (close .*?) \*>", text):
        check_words(shlex.split(call))
    assert not re.search(r"ENERGYCAP_API_KEY\b(?!_FILE)", text)


def test_the_grammar_would_see_an_error() -> None:
    """So that its silence means something."""
    grammar = pytest.importorskip("tree_sitter_powershell")
    from tree_sitter import Language, Parser

    text = WINDOWS[0].read_text(encoding="utf-8").replace("{", "(", 1)
    assert Parser(Language(grammar.language())).parse(text.encode()).root_node.has_error
