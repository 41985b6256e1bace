"""Few combinations in which every two values of two factors still meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from random import Random


def pairwise(factors: Mapping[str, Sequence[object]], seed: int = 0) -> list[dict[str, object]]:
    """Rows that cover each pair of values, found greedily among random candidates."""
    rng, names = Random(seed), list(factors)
    left = {
        (a, i, b, j)
        for a, b in combinations(names, 2)
        for i in range(len(factors[a]))
        for j in range(len(factors[b]))
    }
    rows = []
    while left:
        best: tuple[int, dict[str, int], set[tuple[str, int, str, int]]] | None = None
        for _ in range(80):
            a, i, b, j = rng.choice(sorted(left))
            row = {name: rng.randrange(len(factors[name])) for name in names} | {a: i, b: j}
            covered = {(a, row[a], b, row[b]) for a, b in combinations(names, 2)} & left
            if best is None or len(covered) > best[0]:
                best = len(covered), row, covered
        assert best is not None
        rows.append({name: factors[name][best[1][name]] for name in names})
        left -= best[2]
    return rows
