"""Faults written as text: ``500=5%``, ``put:429:2=10%``, ``1017:put=500,drop_after``, ``me=401``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from worker.simulator.faults import Fault, FaultPlan, Route, fault
from worker.words.errors import ConfigurationError

_ROUTES = frozenset(Route) - {Route.OTHER}


def fault_plan(*, shares: Iterable[str] = (), at: Iterable[str] = (), seed: int = 0) -> FaultPlan:
    """The plan that the texts describe. Raises ConfigurationError naming the one that can't be read.

    A share without a route is that of closes and of single reads alike.
    """
    by_route: dict[Route, tuple[tuple[Fault, float], ...]] = {}
    for text in shares:
        routes, kind, share = _share(text)
        for route in routes:
            by_route[route] = (*by_route.get(route, ()), (kind, share))
    return FaultPlan(scripts=dict(_script(text) for text in at), shares=by_route, seed=seed)


def script(
    *, put: Sequence[str] = (), get: Sequence[str] = (), status: Sequence[str] = ()
) -> dict[Route, tuple[Fault, ...]]:
    """One batch's script, for tests: ``script(put=["500", "ok"])``."""
    words = {Route.PUT: put, Route.GET: get, Route.STATUS: status}
    return {route: tuple(map(fault, kinds)) for route, kinds in words.items() if kinds}


def scripted(*, me: Sequence[str] = (), by_id: dict[int, dict[Route, tuple[Fault, ...]]]) -> FaultPlan:
    """A plan of scripts alone, for tests: ``scripted(by_id={1017: script(put=["500"])}, me=["401"])``."""
    plan: dict[tuple[Route, int | None], tuple[Fault, ...]] = {
        (route, batch_id): faults for batch_id, routes in by_id.items() for route, faults in routes.items()
    }
    if me:
        plan[Route.ME, None] = tuple(map(fault, me))
    return FaultPlan(scripts=plan)


def _share(text: str) -> tuple[tuple[Route, ...], Fault, float]:
    left, equals, number = text.rpartition("=")
    if not equals:
        raise ConfigurationError(f"fault {text!r} names no share: write KIND=SHARE, for example 500=5%")
    routes: tuple[Route, ...] = (Route.PUT, Route.GET)
    prefix, _, rest = left.partition(":")
    if prefix in _ROUTES:
        routes, left = (Route(prefix),), rest
    try:
        share = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ConfigurationError(f"fault {text!r}: the share must be from 0 to 1, or from 0% to 100%")
    return routes, fault(left), share


def _script(text: str) -> tuple[tuple[Route, int | None], tuple[Fault, ...]]:
    left, equals, kinds = text.partition("=")
    head, colon, tail = left.partition(":")
    word = tail if colon else head
    if not equals or word not in _ROUTES or (colon and not (head.isascii() and head.isdigit())):
        raise ConfigurationError(
            f"fault {text!r} can't be read: write ID:put=KIND,KIND or ID:get=KIND,KIND or me=KIND"
        )
    return (Route(word), int(head) if colon else None), tuple(fault(kind) for kind in kinds.split(","))
