"""What the crash tests did, for those who run many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Figures:
    """Counts over all runs of one test session."""

    runs: int = 0
    kills: int = 0
    kills_after_requests: int = 0
    begun_anew: int = 0
    batches: int = 0
    requests: int = 0
    puts_told_minus_seen: Counter[int] = field(default_factory=Counter)
    kills_per_run: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        drift = ", ".join(f"{key:+d}: {count}" for key, count in sorted(self.puts_told_minus_seen.items()))
        kills = ", ".join(f"{key}: {count}" for key, count in sorted(self.kills_per_run.items()))
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common())
        return (
            f"{self.runs} runs, {self.kills} kills ({kills} a run; {self.kills_after_requests} under "
            f"requests, {self.begun_anew} before the run was), {self.batches} batches, "
            f"{self.requests} requests seen\n"
            f"outcomes, all true: {outcomes}\nPUTs told minus seen: {drift}"
        )
