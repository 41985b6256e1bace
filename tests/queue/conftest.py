"""The program, with an environment and a state folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.support import clean_environment
from tests.queue.support import Queueing


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Queueing:
    """The program within this process."""
    clean_environment(monkeypatch)
    return Queueing(monkeypatch, capsys, tmp_path)
