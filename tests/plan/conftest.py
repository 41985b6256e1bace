"""The program in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.support import clean_environment
from tests.plan.support import Planner


@pytest.fixture
def planner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Planner:
    """``batch-closer plan`` within this process; relative paths are in the test's folder."""
    clean_environment(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return Planner(monkeypatch, capsys, tmp_path)
