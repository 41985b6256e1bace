"""Bad configuration: one line that names the setting and its source, exit 2, nothing sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.support import Program, a_world
from worker.simulator.running import Simulator, simulator_thread


class Bad(NamedTuple):
    """A mistake, and what its line must name."""

    names: tuple[str, ...]
    flags: tuple[str, ...] = ()
    environ: dict[str, str | None] = {}  # noqa: RUF012 - never changed
    toml: str | None = None
    targets: tuple[str, ...] = ("1001",)
    agreed: bool = True


MISTAKES = {
    "no key": Bad(("ENERGYCAP_API_KEY", "api.key_file"), environ={"ENERGYCAP_API_KEY": None}),
    "blank key": Bad(("ENERGYCAP_API_KEY",), environ={"ENERGYCAP_API_KEY": "  "}),
    "key of two words": Bad(("ENERGYCAP_API_KEY",), environ={"ENERGYCAP_API_KEY": "two words"}),
    "key with a line break": Bad(("ENERGYCAP_API_KEY",), environ={"ENERGYCAP_API_KEY": "one\nX-Other: 1"}),
    "key not ASCII": Bad(("ENERGYCAP_API_KEY",), environ={"ENERGYCAP_API_KEY": "schl\u00fcssel"}),
    "empty key file": Bad(
        ("empty.key",), environ={"ENERGYCAP_API_KEY": None, "ENERGYCAP_API_KEY_FILE": "empty.key"}
    ),
    "missing key file": Bad(
        ("none.key",), environ={"ENERGYCAP_API_KEY": None, "ENERGYCAP_API_KEY_FILE": "none.key"}
    ),
    "missing key file in a missing folder": Bad(
        ("/none/the.key",), environ={"ENERGYCAP_API_KEY": None, "ENERGYCAP_API_KEY_FILE": "/none/the.key"}
    ),
    "key file a folder": Bad(
        ("folder",), environ={"ENERGYCAP_API_KEY": None}, toml='api.key_file = "folder"'
    ),
    "key file no text": Bad(
        ("binary",), environ={"ENERGYCAP_API_KEY": None, "ENERGYCAP_API_KEY_FILE": "binary"}
    ),
    "http elsewhere": Bad(
        ("api.base_url", "--base-url", "https"), flags=("--base-url", "http://app.example")
    ),
    "http elsewhere, environment": Bad(
        ("api.base_url", "BATCH_CLOSER_BASE_URL", "https"),
        environ={"BATCH_CLOSER_BASE_URL": "http://127.0.0.1.example"},
    ),
    "http by octets": Bad(("api.base_url",), flags=("--base-url", "http://10.0.0.1")),
    "no scheme": Bad(("api.base_url",), flags=("--base-url", "app.energycap.com")),
    "another scheme": Bad(("api.base_url",), flags=("--base-url", "ftp://127.0.0.1")),
    "user in URL": Bad(("api.base_url", "user"), flags=("--base-url", "http://me@127.0.0.1:1")),
    "blank in URL": Bad(("api.base_url",), flags=("--base-url", "https://app energycap.com")),
    "bad port": Bad(("api.base_url",), flags=("--base-url", "http://127.0.0.1:99999")),
    "query in URL": Bad(("api.base_url", "query"), flags=("--base-url", "http://127.0.0.1:1/?a=1")),
    "api in URL": Bad(("api.base_url", "/api"), flags=("--base-url", "http://127.0.0.1:1/api/v3")),
    "api in URL, slash": Bad(("api.base_url", "/api"), flags=("--base-url", "http://127.0.0.1:1/API/")),
    "rate 0": Bad(("limits.rate_per_s", "--rate", "'0'"), flags=("--rate", "0")),
    "rate negative": Bad(("limits.rate_per_s", "--rate"), flags=("--rate", "-1")),
    "rate nan": Bad(("limits.rate_per_s", "--rate", "nan"), flags=("--rate", "nan")),
    "rate inf": Bad(("limits.rate_per_s", "inf"), flags=("--rate", "inf")),
    "rate a word": Bad(
        ("limits.rate_per_s", "BATCH_CLOSER_RATE", "fast"), environ={"BATCH_CLOSER_RATE": "fast"}
    ),
    "rate 0 in TOML": Bad(("limits.rate_per_s", "settings.toml"), toml="limits.rate_per_s = 0"),
    "rate a list": Bad(("limits.rate_per_s", "settings.toml"), toml="limits.rate_per_s = [1]"),
    "rate true": Bad(("limits.rate_per_s", "settings.toml"), toml="limits.rate_per_s = true"),
    "rate beyond all bounds": Bad(("settings.toml",), toml=f"limits.rate_per_s = {'9' * 5000}"),
    "TOML without end": Bad(("settings.toml",), toml=f"a = {'[' * 100_000}"),
    "burst 0": Bad(("limits.burst", "--burst"), flags=("--burst", "0")),
    "concurrency 0": Bad(("limits.concurrency",), flags=("--concurrency", "0")),
    "concurrency 1.5": Bad(("limits.concurrency",), flags=("--concurrency", "1.5")),
    "concurrency a million": Bad(("limits.concurrency",), flags=("--concurrency", "1000000")),
    "attempts 0": Bad(("retry.max_attempts",), environ={"BATCH_CLOSER_MAX_ATTEMPTS": "0"}),
    "timeout 0": Bad(("api.timeout_s", "--timeout"), flags=("--timeout", "0")),
    "deadline 0": Bad(("limits.deadline_s",), flags=("--deadline", "0")),
    "stall negative": Bad(("limits.stall_s",), flags=("--stall", "-1")),
    "backoff negative": Bad(("retry.backoff_s",), flags=("--backoff", "-0.1")),
    "misspelt variable": Bad(
        ("BATCH_CLOSER_MAX_BATCH ", "BATCH_CLOSER_MAX_BATCHES?"), environ={"BATCH_CLOSER_MAX_BATCH": "1"}
    ),
    "misspelt yes": Bad(("BATCH_CLOSER_YESS ", "BATCH_CLOSER_YES?"), environ={"BATCH_CLOSER_YESS": "1"}),
    "unknown key": Bad(
        ("settings.toml", "limits.rate_per_sec", "limits.rate_per_s?"), toml="limits.rate_per_sec = 5"
    ),
    "unknown table": Bad(("settings.toml", "limit"), toml="[limit]\nrate_per_s = 5"),
    "no table": Bad(("settings.toml", "limits"), toml="limits = 5"),
    "key in TOML": Bad(("settings.toml", "api.key"), toml='api.key = "x"'),
    "broken TOML": Bad(("settings.toml", "line 1"), toml="limits.rate_per_s = = 5"),
    "TOML not UTF-8": Bad(("binary",), flags=("--config", "binary")),
    "missing TOML": Bad(("none.toml",), flags=("--config", "none.toml")),
    "missing TOML, environment": Bad(("none.toml",), environ={"BATCH_CLOSER_CONFIG": "none.toml"}),
    "TOML a folder": Bad(("folder",), flags=("--config", "folder")),
    "state below a file": Bad(("binary is a file", "--state"), flags=("--state", "binary/state")),
    "state a file": Bad(("binary is a file, not a folder", "--state"), flags=("--state", "binary")),
    "abort rule": Bad(("failed=lots", "failed=N"), flags=("--abort", "failed=lots")),
    "abort rule 0": Bad(("same=0",), flags=("--abort", "same=0")),
    "abort rule percent": Bad(("failed=120%/5",), flags=("--abort", "failed=120%/5")),
    "abort none and more": Bad(("none",), flags=("--abort", "none", "--abort", "same=5")),
    "abort in TOML": Bad(("abort.rules", "settings.toml"), toml='abort.rules = ["never"]'),
    "ok no outcome": Bad(("output.ok", "--ok", "fine"), flags=("--ok", "fine")),
    "log level": Bad(("output.log_level",), flags=("--log-level", "loud")),
    "log format": Bad(("output.log_format",), flags=("--log-format", "xml")),
    "CA file missing": Bad(("none.pem",), flags=("--ca-file", "none.pem")),
    "CA file no PEM": Bad(("binary",), flags=("--ca-file", "binary")),
    "run id a path": Bad(("../out",), flags=("--run-id", "../out")),
    "run id hidden": Bad((".out",), flags=("--run-id", ".out")),
    "run id too long": Bad(("100",), flags=("--run-id", "x" * 101)),
    "run id empty": Bad(("run id",), flags=("--run-id", "")),
    "key as run id": Bad(("run id",), flags=("--run-id", "a-simulator-key")),
    "key in state": Bad(("setting",), flags=("--state", "simulator-key")),
    "unknown flag": Bad(("--fast",), flags=("--fast",)),
    "flag without value": Bad(("--rate",), flags=("--rate",)),
    "no target": Bad(("TARGET",), targets=()),
    "missing file": Bad(("none.txt",), targets=("none.txt",)),
    "folder as target": Bad(("folder",), targets=("folder",)),
    "file no text": Bad(("binary",), targets=("1", "binary")),
    "no terminal": Bad(("--yes",), agreed=False),
    "yes said no": Bad(("--yes",), environ={"BATCH_CLOSER_YES": "0"}, agreed=False),
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A server that is never to be called."""
    with simulator_thread(world=a_world(3)) as running:
        yield running


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake(
    program: Program, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Exit 2, one line on stderr that names the setting and where it came from, no request, no run."""
    monkeypatch.chdir(program.folder)
    Path("folder").mkdir()
    Path("empty.key").write_text("\n")
    Path("binary").write_bytes(b"\xff\xfe\x00\xd8\x00\x00\x81\n" * 3)
    bad = MISTAKES[name]
    program.environment(ENERGYCAP_API_KEY=simulator.key, BATCH_CLOSER_BASE_URL=simulator.url)
    program.environment(BATCH_CLOSER_STATE=str(program.state))
    program.environment(**bad.environ)
    seen = len(simulator.requests)
    flags = list(bad.flags)
    if bad.toml is not None:
        Path("settings.toml").write_text(bad.toml)
        flags += ["--config", "settings.toml"]
    if bad.agreed:
        flags.insert(0, "--yes")
    ran = program.raw("close", *bad.targets, *flags)
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert ran.err.startswith("batch-closer: ")
    assert ran.err.count("\n") == 1
    assert all(word in ran.err for word in bad.names), ran.err
    assert len(simulator.requests) == seen
    assert not list(program.state.glob("runs/*"))


def test_two_starts_with_one_run_id(program: Program, simulator: Simulator) -> None:
    """A run id that is taken is refused in one line."""
    program.environment(ENERGYCAP_API_KEY=simulator.key)
    told = ("--base-url", simulator.url, "--state", str(program.state), "--yes", "--run-id", "mine")
    assert program.raw("close", "-", *told).code == 0
    again = program.raw("close", "-", *told)
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "mine" in again.err
