"""The cron line runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.shell import program_in
from tests.docs.support import ROOT
from worker.simulator.options import Options, Population
from worker.simulator.running import Simulator, simulator_thread

CRONTAB = ROOT / "deploy" / "cron" / "crontab"
PROGRAM = "/opt/batch-closer/.venv/bin"


class Cron:
    """The crontab's environment and command, in folders of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "var"
        places = {PROGRAM: program_in(folder / "bin"), "/var/lib/batch-closer": self.state}
        text = CRONTAB.read_text(encoding="utf-8")
        for shown, real in (places | {"/etc/batch-closer": folder / "etc"}).items():
            text = text.replace(shown, str(real))
        for made in (self.state / "inbox", folder / "etc"):
            made.mkdir(parents=True)
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.environ = dict(line.split("=", 1) for line in lines[:-1])
        self.command = lines[-1].split(maxsplit=5)[5]
        config = (ROOT / "config" / "nightly.toml").read_text(encoding="utf-8")
        self._config = folder / "etc" / "nightly.toml", config

    def prepare(self, simulator: Simulator) -> None:
        """Put key, config and input in place."""
        path, config = self._config
        path.write_text(config.replace("https://app.energycap.com", simulator.url), encoding="utf-8")
        key = self.state / "energycap-api-key"
        key.touch(0o600)
        key.write_text(f"{simulator.key}\n", encoding="utf-8")
        ids = "".join(f"{batch_id}\n" for batch_id in simulator.world.ids())
        (self.state / "inbox" / "tonight.csv").write_text(f"batchId\n{ids}", encoding="utf-8")

    def run(self) -> str:
        """Run the command as cron does; what it would mail."""
        bare = {"HOME": str(self.state), "LOGNAME": "batch-closer", **self.environ}
        done = subprocess.run(
            [self.environ["SHELL"], "-c", self.command],
            env=bare,
            cwd=self.state,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
        )
        return done.stdout


@pytest.mark.skipif(os.name == "nt", reason="cron needs a POSIX shell")
class TestCron:
    """The crontab's one line."""

    def test_it_closes_with_crons_bare_environment(self, tmp_path: Path) -> None:
        """The mail is the summary alone; the log is with the run's files."""
        cron = Cron(tmp_path)
        with simulator_thread(
            Options(population=Population(batches=4, closed=0, missing=0, pending=0))
        ) as one:
            cron.prepare(one)
            mail = cron.run()
        assert mail.startswith("Closed 4 batches:")
        assert "exit code" not in mail
        (run,) = (cron.state / "runs").iterdir()
        assert '"event":"run.finished"' in (run / "log.jsonl").read_text(encoding="utf-8")

    def test_what_is_not_fine_is_told_with_its_exit_code(self, tmp_path: Path) -> None:
        """A missing batch is a 3 at the end of the mail, a missing file one line and a 2."""
        cron = Cron(tmp_path)
        with simulator_thread(
            Options(population=Population(batches=1, missing=1, closed=0, pending=0))
        ) as one:
            cron.prepare(one)
            assert cron.run().endswith("\nexit code 3\n")
            (cron.state / "inbox" / "tonight.csv").unlink()
            complaint, code = cron.run().splitlines()
        assert "no such file" in complaint
        assert code == "exit code 2"

    def test_cron_will_not_break_the_line(self) -> None:
        """A bare percent sign would end the command; five time fields come before it."""
        *_, line = CRONTAB.read_text(encoding="utf-8").splitlines()
        assert "%" not in line
        assert re.fullmatch(r"(?:[\d*/,-]+ ){5}batch-closer close .*", line)
