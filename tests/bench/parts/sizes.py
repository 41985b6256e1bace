"""What a close costs in runs of one id to a million: the whole program, start and reports included."""

from __future__ import annotations

from typing import Final

from tests.bench.contenders.shell import batch_closer
from tests.bench.costs import Cost
from tests.bench.figures import Size
from tests.bench.stand import Amount, Stand, say

SIZES: Final = (1, 1_000, 10_000, 100_000, 1_000_000)
_ENOUGH: Final = 100_000  # ids in all the rounds of one size


def measure(stand: Stand, amount: Amount) -> tuple[Size, ...]:
    """A small run as often as the rounds say, a large one less often, a million once. Raises FailedError."""
    rounds: dict[int, list[Cost]] = {ids: [] for ids in SIZES if ids <= amount.largest}
    for number in range(amount.rounds):
        for ids, costs in rounds.items():
            if number == 0 or (number + 1) * ids <= _ENOUGH:
                costs.append(stand.closing(batch_closer, ids))
                say(f"{ids:,} ids: {costs[-1].whole_s:.2f} s, {costs[-1].peak_mib:.0f} MiB")
    return tuple(Size(ids=ids, rounds=tuple(costs)) for ids, costs in rounds.items())
