"""systemd takes the units, and thinks well of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.support import ROOT
from worker.cli.settings.tree import LimitSettings

SYSTEMD = ROOT / "deploy" / "systemd"
CAGE = SYSTEMD / "batch-closer-.service.d" / "10-cage.conf"
UNITS = sorted(path for path in SYSTEMD.glob("batch-closer-*.*") if path.is_file())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they are installed, with a program that can be executed."""
    for path in [*UNITS, CAGE]:
        text = re.sub(
            r"^ExecStart=\S+", f"ExecStart={sys.executable}", path.read_text("utf-8"), flags=re.MULTILINE
        )
        copy = tmp_path / path.relative_to(SYSTEMD)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(text, encoding="utf-8")
    return tmp_path


@needs_systemd
def test_systemd_takes_the_units(installed: Path) -> None:
    """``systemd-analyze verify`` finds nothing to say, with the key in plain text or encrypted."""
    units = [str(installed / unit.name) for unit in UNITS]
    assert len(units) >= 5
    assert _analyze("verify", *units) == (0, "")
    shutil.copy(SYSTEMD / "encrypted-key.conf", installed / CAGE.parent.name / "20-encrypted-key.conf")
    assert _analyze("verify", *units) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_the_services_are_locked_in(unit: Path, installed: Path) -> None:
    """The exposure that systemd reckons, with what the services share, is below 1.5 of 10."""
    code, told = _analyze("security", "--offline=true", "--threshold=14", str(installed / unit.name))
    if "offline" in told and "unrecognized" in told:
        pytest.skip("this systemd-analyze has no --offline")
    assert code == 0, told


def _analyze(*arguments: str) -> tuple[int, str]:
    assert ANALYZE is not None
    done = subprocess.run(
        [ANALYZE, "--no-pager", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )
    return done.returncode, done.stdout.strip()


def _keys(unit: Path) -> set[str]:
    return set(re.findall(r"^(\w+)=", unit.read_text("utf-8"), flags=re.MULTILINE))


def _values(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_no_service_sets_what_is_set_for_all(unit: Path) -> None:
    """It would be overruled: a drop-in outranks the unit. Environment= adds up."""
    assert not (_keys(unit) & _keys(CAGE)) - {"Environment"}
    named = [line.partition("=")[0] for line in _values(unit, "Environment")]
    assert not {line.partition("=")[0] for line in _values(CAGE, "Environment")} & set(named)
    assert "UMask" in _keys(unit)


def test_systemd_waits_longer_than_the_drain() -> None:
    """What is killed has to be looked up again, so the grace time fits in twice."""
    (timeout,) = _values(CAGE, "TimeoutStopSec")
    assert float(timeout) >= 2 * LimitSettings().grace_s
    assert _values(CAGE, "KillSignal") == ["SIGTERM"]
    assert _values(CAGE, "SuccessExitStatus") == ["143"]


def test_each_unit_is_on_the_page() -> None:
    """With what it is for."""
    page = (SYSTEMD / "README.md").read_text(encoding="utf-8")
    assert not [unit.name for unit in UNITS if f"]({unit.name})" not in page]
