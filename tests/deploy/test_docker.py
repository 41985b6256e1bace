"""The image and the compose file."""

from __future__ import annotations

import re
import runpy
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.support import check_words, run_tool
from tests.docs.support import ROOT
from worker.cli.settings.tree import LimitSettings

DOCKER = ROOT / "deploy" / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")


def test_hadolint_has_nothing_to_say() -> None:
    """Its advice and its errors alike."""
    assert run_tool("hadolint", DOCKER / "Dockerfile") == (0, "")


def test_the_image_runs_as_nobody_and_is_stopped_gently() -> None:
    """A numeric user, no shell between the signal and the program, nothing to install with."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    (user,) = re.findall(r"^USER (\d+):\d+$", last, flags=re.MULTILINE)
    assert int(user) >= 10000
    assert 'ENTRYPOINT ["batch-closer"]' in last
    assert "STOPSIGNAL SIGTERM" in last
    assert re.search(r'^HEALTHCHECK .*\\\n  CMD \["', last, flags=re.MULTILINE)
    assert "pip" not in last
    assert "-c constraints.txt" in DOCKERFILE


def test_nothing_secret_can_get_into_the_image() -> None:
    """All is left out but what is copied; no key is an argument or a variable."""
    lines = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert all((ROOT / path).exists() for path in let_in)
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, flags=re.MULTILINE)
    assert {path for line in copied for path in line.split()} == let_in
    assert not re.search(r"^(?:ARG|ENV)\b.*KEY", DOCKERFILE, flags=re.MULTILINE)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {wanted["readme"], *wanted["license-files"]} <= let_in


def test_the_extras_of_the_image_are_there() -> None:
    """pip only warns of one that isn't, and the workers would find no broker's library."""
    (extras,) = re.findall(r"^ARG EXTRAS=(.*)$", DOCKERFILE, flags=re.MULTILINE)
    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(known)


def test_the_compose_file_fits_its_specification() -> None:
    """The schema of the Compose specification, as check-jsonschema carries it."""
    code, told = run_tool(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DOCKER / "compose.yaml"
    )
    assert code == 0, told


def test_the_services_are_locked_in_and_drain() -> None:
    """Read-only, no capabilities, longer to stop than the grace time; Valkey is out of reach."""
    yaml = pytest.importorskip("yaml")
    compose: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert int(service["user"].split(":")[0]) != 0, name
        assert "ports" not in service, name
    grace_s = float(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace_s >= 2 * LimitSettings().grace_s
    valkey = services["valkey"]
    assert valkey["networks"] == ["queue"]
    assert compose["networks"]["queue"]["internal"]
    assert " ".join(valkey["command"]).count("--appendonly yes --appendfsync always") == 1


@pytest.mark.parametrize("name", ["worker", "enqueue", "close"])
def test_the_services_commands_are_the_programs(name: str) -> None:
    """What a service runs, and what the comment above a tool says to run."""
    yaml = pytest.importorskip("yaml")
    text = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    command = yaml.safe_load(text)["services"][name].get("command")
    if command is None:
        (shown,) = re.findall(rf"^  # docker compose run --rm -T {name} (.*) < ", text, flags=re.MULTILINE)
        command = shown.split()
    check_words(command)


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("form", [["--port", "{}"], ["--port={}"]], ids=["two words", "one word"])
def test_a_worker_is_well_while_it_answers(form: list[str], tmp_path: Path) -> None:
    """Asked on the port of its command line, an init before it or not; a close has no port and is well."""
    told = tmp_path / "cmdline"
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        words = [part.format(server.server_port) for part in form]
        told.write_bytes(
            "\0".join(["/sbin/docker-init", "--", "python", "batch-closer", "work", *words]).encode()
        )
        assert _health(told) == 0
        server.shutdown()
        thread.join()
    assert _health(told) == 1
    told.write_bytes(b"python\0batch-closer\0close\0-\0--yes")
    assert _health(told) == 0


def _health(command_line: Path) -> int:
    found = runpy.run_path(str(DOCKER / "health.py"))
    return int(found["main"](command_line))
