"""The program, looking before it closes, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.support import clean_environment
from tests.guards.support import Looking


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Looking:
    """The program within this process; relative paths are in the test's folder."""
    clean_environment(monkeypatch)
    # Plain HTTP on loopback trusts nobody, and to read the machine's trust roots takes longer than a run.
    (tmp_path / "no-roots.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no-roots.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Looking(monkeypatch, capsys, tmp_path)
