"""The contenders that are commands: what they read is written here, and the command is returned."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.bench.contenders.given import AT_ONCE
from tests.bench.contenders.job import Job

UNLIMITED: Final = ("--rate", "1000000", "--burst", "10000", "--concurrency", str(AT_ONCE))
_CURL: Final = """\
request = "PUT"
header = "ECI-ApiKey: no-secret"
header = "Content-Type: application/json"
silent
fail
"""


def batch_closer(job: Job, limits: Sequence[str] = UNLIMITED) -> list[str]:
    """This program as anyone would call it, but for the ``limits`` and without a look first."""
    ids = job.folder / "ids.txt"
    with ids.open("w", encoding="ascii") as lines:
        lines.writelines(f"{number}\n" for number in range(1, job.closes + 1))
    command = [sys.executable, "-m", "worker", "close", str(ids), "--yes", "--no-snapshot"]
    return [
        *command,
        "--base-url",
        job.base_url,
        *limits,
        "--state",
        str(job.folder / "state"),
    ]


def curl(job: Job) -> list[str]:
    """One curl for all, told by a file what to do."""
    each = "".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in job.urls)
    return ["curl", "-Z", "--parallel-max", str(AT_ONCE), "-K", _written(job.folder / "curl", _CURL + each)]


def xargs(at_a_time: int) -> Callable[[Job], list[str]]:
    """32 curls at once, each for so many batches."""

    def command(job: Job) -> list[str]:
        urls = _written(job.folder / "urls", "".join(f"{url}\n" for url in job.urls))
        config = _written(job.folder / "curl", _CURL)
        return ["xargs", "-a", urls, f"-P{AT_ONCE}", f"-n{at_a_time}", "curl", "-K", config]

    return command


def newman(job: Job) -> list[str]:
    """A collection of one request, run once for each line of a data file."""
    binary = newman_binary()
    assert binary is not None
    request = {
        "method": "PUT",
        "header": [{"key": "ECI-ApiKey", "value": "no-secret"}],
        "url": f"{job.base_url}/api/v3/batch/close/{{{{id}}}}",
    }
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    collection = {
        "info": {"name": "close", "schema": schema},
        "item": [{"name": "close", "request": request}],
    }
    data = _written(
        job.folder / "ids.json", json.dumps([{"id": number} for number in range(1, job.closes + 1)])
    )
    return [
        binary,
        "run",
        _written(job.folder / "close.json", json.dumps(collection)),
        "-d",
        data,
        "--silent",
    ]


def newman_binary() -> str | None:
    """newman on the path, or the one that ``make bench`` installs beside Python."""
    beside = Path(sys.prefix) / "newman" / "node_modules" / ".bin"
    return shutil.which("newman") or shutil.which("newman", path=beside)


def _written(path: Path, text: str) -> str:
    path.write_text(text, encoding="ascii")
    return str(path)
