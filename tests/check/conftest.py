"""The program, with an environment of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.check.support import Checker
from tests.e2e.support import Program, clean_environment


@pytest.fixture
def checker(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Checker:
    """``batch-closer check``, called as a function, on a state folder of its own."""
    clean_environment(monkeypatch)
    return Checker(Program(monkeypatch, capsys, tmp_path))
