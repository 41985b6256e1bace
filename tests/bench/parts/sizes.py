"""What a close costs in runs of one id to a million: the whole program, start and reports included."""

from __future__ import annotations

from typing import Final

from tests.bench.contenders.shell import batch_closer
from tests.bench.costs import Cost
from tests.bench.figures import Size
from tests.bench.stand import Amount, Stand, say

SIZES: Final = (1, 1_000, 10_000, 100_000, 1_000_000)
_ENOUGH: Final = 300_000  # ids in all the rounds of one size
_SMALL: Final = 1_000
_OFTENER: Final = 3  # a small run in each round: its start is most of it, and that differs from run to run


def measure(stand: Stand, amount: Amount) -> tuple[Size, ...]:
    """The smaller a run the more often, a million once. Raises FailedError."""
    rounds: dict[int, list[Cost]] = {ids: [] for ids in SIZES if ids <= amount.largest}
    for number in range(amount.rounds):
        for ids, costs in rounds.items():
            if number and (number + 1) * ids > _ENOUGH:
                continue
            for _ in range(_OFTENER if ids <= _SMALL else 1):
                costs.append(stand.closing(batch_closer, ids))
                say(f"{ids:,} ids: {costs[-1].whole_s:.2f} s, {costs[-1].peak_mib:.0f} MiB")
    return tuple(Size(ids=ids, rounds=tuple(costs)) for ids, costs in rounds.items())
