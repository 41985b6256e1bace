"""Every setting by its promised names, in its order of precedence."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e.support import Program, a_world
from worker.cli.settings.tree import entries
from worker.simulator.running import Simulator, simulator_thread

TABLE = """
| `--base-url URL` | `BATCH_CLOSER_BASE_URL` | `api.base_url` | none: it must be given |
| (never a flag) | `ENERGYCAP_API_KEY`, or a file named by `ENERGYCAP_API_KEY_FILE` | `api.key_file` | none |
| `--timeout S` | `BATCH_CLOSER_TIMEOUT` | `api.timeout_s` | 100 |
| `--rate PER_S` (fractions allowed) | `BATCH_CLOSER_RATE` | `limits.rate_per_s` | 5 |
| `--burst N` | `BATCH_CLOSER_BURST` | `limits.burst` | 1 |
| `--concurrency N` | `BATCH_CLOSER_CONCURRENCY` | `limits.concurrency` | 8 |
| `--max-attempts N` (PUTs per batch) | `BATCH_CLOSER_MAX_ATTEMPTS` | `retry.max_attempts` | 5 |
| `--backoff S`, `--max-backoff S` | ... | `retry.backoff_s`, `retry.max_backoff_s` | 0.5, 30 |
| `--abort RULE` (repeatable) | | `abort.rules` | `failed=20%/50`, `same=20` |
| `--deadline S` | | `limits.deadline_s` | none |
| `--grace S` | | `limits.grace_s` | 30 |
| `--stall S`: stop when nothing has settled for this long | | `limits.stall_s` | 900 |
| `--state DIR` | `BATCH_CLOSER_STATE` | `output.state` | the platform's state folder |
| `--run-id NAME` | | | time and a few random letters |
| `--ok OUTCOME` (repeatable) | | `output.ok` | `closed`, `already_closed` |
| `--json`: print summary.json on stdout instead of the text summary | | | |
| `--yes`: no question | `BATCH_CLOSER_YES=1` | | a close asks on a terminal and refuses without `--yes` |
| `--log-level`, `--log-format` | ... | `output.log_level`, `output.log_format` | info; as it fits |
"""
"""The settings that users rely on, as they were promised; names may be added, none may go."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A server that is never to be called."""
    with simulator_thread(world=a_world(3)) as running:
        yield running


def rate_in_force(program: Program, simulator: Simulator, *flags: str) -> float:
    ran = program.raw("close", "-", "--base-url", simulator.url, "--yes", "--json", *flags)
    assert ran.code == 0, ran.err
    found = re.search(r'"limit_per_s": ([0-9.]+)', ran.out)
    assert found is not None
    return float(found[1])


def test_precedence(program: Program, simulator: Simulator) -> None:
    """A flag comes before the environment, that before the TOML file, that before the default."""
    config = program.folder / "settings.toml"
    config.write_text("[limits]\nrate_per_s = 30\n")
    program.environment(ENERGYCAP_API_KEY=simulator.key, BATCH_CLOSER_STATE=str(program.state))
    assert rate_in_force(program, simulator) == 5
    program.environment(BATCH_CLOSER_CONFIG=str(config))
    assert rate_in_force(program, simulator) == 30
    program.environment(BATCH_CLOSER_RATE="20.5")
    assert rate_in_force(program, simulator) == 20.5
    assert rate_in_force(program, simulator, "--rate", "10") == 10


def test_the_key_from_each_of_its_places(program: Program) -> None:
    """The environment before the file it names, that before the config file's; whitespace around it goes."""
    good, bad = program.folder / "good.key", program.folder / "bad.key"
    good.write_bytes(b"\xef\xbb\xbfsimulator-key\r\n")
    bad.write_text("another-key\n")
    config = program.folder / "settings.toml"
    config.write_text(f"api.key_file = {str(bad)!r}\n")
    told = ("--config", str(config), "--state", str(program.state), "--yes")
    with simulator_thread(world=a_world(3)) as simulator:

        def closes(batch_id: int, **environ: str | None) -> int:
            program.environment(BATCH_CLOSER_BASE_URL=simulator.url, **environ)
            return program.raw("close", str(batch_id), *told).code

        assert closes(1001) == 5
        assert closes(1002, ENERGYCAP_API_KEY_FILE=str(good)) == 0
        assert closes(1003, ENERGYCAP_API_KEY="simulator-key", ENERGYCAP_API_KEY_FILE=str(bad)) == 0


def names_of(cell: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, cell))


@pytest.mark.parametrize("row", TABLE.strip().splitlines())
def test_every_promised_name_is_there(program: Program, row: str) -> None:
    """Each flag, environment name and TOML key of the table exists."""
    flag, env, toml, _ = (cell.strip() for cell in row.strip("|").split("|")[:4])
    shown = program.raw("close", "--help").out
    assert all(re.search(rf"{name}\b", shown) for name in names_of(flag, r"--[a-z-]+"))
    known = {entry.knob.env for entry in entries()} | {"ENERGYCAP_API_KEY", "BATCH_CLOSER_YES"}
    assert names_of(env, r"[A-Z]+_[A-Z_]+") <= known
    assert names_of(toml, r"[a-z]+\.[a-z_]+") <= {entry.path for entry in entries()}


def test_every_default_is_as_promised() -> None:
    """The numbers of the table are the program's own."""
    promised: dict[str, str | None] = {}
    for row in TABLE.strip().splitlines():
        _, _, toml, default = (cell.strip() for cell in row.strip("|").split("|")[:4])
        numbers = re.fullmatch(r"([\d.]+)(?:, ([\d.]+))?", default)
        if numbers:
            promised |= dict(zip(sorted(names_of(toml, r"[a-z]+\.[a-z_]+")), numbers.groups(), strict=False))
    assert len(promised) == 9
    assert {path: float(number or "") for path, number in promised.items()} == {
        entry.path: entry.default for entry in entries() if entry.path in promised
    }


def test_variables_of_others_are_none_of_ours(program: Program, simulator: Simulator) -> None:
    """Kubernetes names a service's variables after it, and a script may have its own."""
    program.environment(
        BATCH_CLOSER_SERVICE_HOST="10.0.0.1",
        BATCH_CLOSER_PORT_9100_TCP="tcp://10.0.0.1:9100",
        BATCH_CLOSER_STATE_DIR="/tmp",
        BATCH_CLOSER_LOG="/tmp/log",
        ENERGYCAP_API_KEY="some-key",
    )
    assert rate_in_force(program, simulator) == 5
