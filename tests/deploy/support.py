"""The tools that the files in deploy/ are checked with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def run_tool(name: str, *arguments: object) -> tuple[int, str]:
    """Run a tool of the extra ``deploy-checks``: its exit code and what it said."""
    tool = shutil.which(name, path=TOOLS)
    if tool is None:
        pytest.skip(f"{name} is not installed; pip install '.[deploy-checks]'")
    done = subprocess.run(
        [tool, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
    )
    return done.returncode, done.stdout
