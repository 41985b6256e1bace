"""Whether a rate is reached and kept: the real command against a server in a process of its own.

    python tests/bench/rates.py [--seconds 20]

For each rate: requests per second over the run as the server saw them, their share of the rate, and the
busiest second beside the most that is allowed (rate + burst, and 1 % for late timers). Burst is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from math import floor
from pathlib import Path

HERE = Path(__file__).parent
RATES = (0.5, 5.0, 50.0, 200.0, 1000.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    print("  rate  requests  reached  of it   busiest second  allowed  CPU of a core")
    for rate in RATES:
        seen, cpu = measured(rate, max(int(rate * seconds), 5) + 1)
        reached = (seen["requests"] - 1) / seen["seconds"]
        allowed = floor((rate + 1) * 1.01)
        print(
            f"{rate:6g} {seen['requests']:9d} {reached:8.2f} {reached / rate:6.1%} "
            f"{seen['busiest']:16d} {allowed:8d} {cpu / seen['seconds']:14.1%}"
        )


def measured(rate: float, closes: int) -> tuple[dict[str, float], float]:
    """What the server saw of a run, and the CPU seconds of the command."""
    server = subprocess.Popen(
        [sys.executable, str(HERE / "quick_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    base_url = f"http://127.0.0.1:{int(server.stdout.readline())}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "worker", "close", "-", "--base-url", base_url, "--rate", str(rate)]
        command += ["--concurrency", "32", "--yes", "--state", folder, "--log-level", "error"]
        ids = "".join(f"{number}\n" for number in range(1, closes + 1))
        environment = {**os.environ, "ENERGYCAP_API_KEY": "no-secret"}
        subprocess.run(command, input=ids, env=environment, text=True, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    told, _ = server.communicate()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(told), cpu


if __name__ == "__main__":
    main()
