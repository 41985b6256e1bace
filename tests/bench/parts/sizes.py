"""What a close costs in runs of one id to a million: the whole program, start and reports included."""

from __future__ import annotations

from typing import Final

from tests.bench.contenders.shell import batch_closer
from tests.bench.costs import Cost
from tests.bench.figures import Size
from tests.bench.stand import Amount, Stand, say

SIZES: Final = (1, 1_000, 10_000, 100_000, 1_000_000)
_SMALL: Final = 1_000
_LARGE: Final = 100_000
_ENOUGH: Final = 300_000  # ids in all the rounds of one size
_MEANWHILE: Final = 3  # small runs of each size whenever a large one is stopped


def measure(stand: Stand, amount: Amount) -> tuple[Size, ...]:
    """The smaller a run the more often, a million once. Raises FailedError.

    A large run takes minutes, in which a machine may well be slower than in those before: it is stopped now
    and then for small ones, so that all see the same.
    """
    rounds: dict[int, list[Cost]] = {ids: [] for ids in SIZES if ids <= amount.largest}

    def take(ids: int) -> None:
        cost = stand.closing(batch_closer, ids, between=meanwhile if ids >= _LARGE else None)
        rounds[ids].append(cost)
        say(f"{ids:,} ids: {cost.whole_s:.2f} s, {cost.peak_mib:.0f} MiB")

    def small() -> None:
        for ids in rounds:
            if ids <= _SMALL:
                take(ids)

    def meanwhile() -> None:
        for _ in range(_MEANWHILE):
            small()

    for number in range(amount.rounds):
        small()
        for ids in rounds:
            if ids > _SMALL and (number == 0 or (number + 1) * ids <= _ENOUGH):
                take(ids)
    return tuple(Size(ids=ids, rounds=tuple(costs)) for ids, costs in rounds.items())
