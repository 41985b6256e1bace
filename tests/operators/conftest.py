"""The program, with an environment of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.support import Program, clean_environment, unseen


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Program:
    """The program within this process."""
    clean_environment(monkeypatch)
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    unseen(monkeypatch)
    # Plain HTTP on loopback trusts nobody, and to read the machine's trust roots takes longer than a run.
    (tmp_path / "no-roots.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no-roots.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    return Program(monkeypatch, capsys, tmp_path)
