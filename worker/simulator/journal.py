"""Every request seen, at about 20 bytes each, so that a million are fine; and the rates they show."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from worker.simulator.faults import Route

_ROUTES = tuple(Route)
_NUMBER = {route: number for number, route in enumerate(_ROUTES)}
_NO_BATCH = -1


class Request(NamedTuple):
    """One request seen. ``status`` is None when no status line was sent."""

    at: float
    route: Route
    method: str
    path: str
    batch_id: int | None
    fault: str
    status: int | None


class Journal:
    """The requests in the order they arrived."""

    def __init__(self) -> None:
        self._at = array("d")
        self._route = array("B")
        self._batch = array("q")
        self._status = array("H")
        self._fault = array("H")
        self._faults: dict[str, int] = {"ok": 0}
        self._lines: dict[int, tuple[str, str]] = {}  # of the requests whose line is not the usual one

    def arrived(self, at: float, route: Route, batch_id: int | None, method: str, path: str) -> int:
        """Note a request; the number to note more of it by."""
        entry = len(self._at)
        self._at.append(at)
        self._route.append(_NUMBER[route])
        self._batch.append(_NO_BATCH if batch_id is None else min(batch_id, 2**62))
        self._status.append(0)
        self._fault.append(0)
        if (method, path) != _usual_line(route, batch_id):
            self._lines[entry] = (method, path.encode(errors="backslashreplace").decode())
        return entry

    def faulted(self, entry: int, name: str) -> None:
        """Note the fault that a request got."""
        self._fault[entry] = self._faults.setdefault(name, len(self._faults))

    def answered(self, entry: int, status: int) -> None:
        """Note the status that was sent."""
        self._status[entry] = status

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, entry: int) -> Request:
        entry = range(len(self))[entry]
        route = _ROUTES[self._route[entry]]
        batch_id = None if self._batch[entry] == _NO_BATCH else self._batch[entry]
        method, path = self._lines.get(entry) or _usual_line(route, batch_id)
        fault = list(self._faults)[self._fault[entry]]
        return Request(self._at[entry], route, method, path, batch_id, fault, self._status[entry] or None)

    def __iter__(self) -> Iterator[Request]:
        return (self[entry] for entry in range(len(self)))

    def by_route(self) -> Counter[Route]:
        """How many requests of each kind were seen."""
        return Counter({_ROUTES[number]: count for number, count in Counter(self._route).items()})

    def by_fault(self) -> Counter[str]:
        """How many requests got each fault; ``ok`` is none."""
        names = list(self._faults)
        return Counter({names[number]: count for number, count in Counter(self._fault).items()})

    def max_seen_per_second(self) -> int:
        """The most requests in any second (half-open: two exactly a second apart are not in one)."""
        return busiest_second(self._at)

    def average_per_s(self) -> float:
        """Requests per second from the first to the last; 0 for fewer than two."""
        if len(self._at) < 2 or self._at[-1] <= self._at[0]:
            return 0.0
        return (len(self._at) - 1) / (self._at[-1] - self._at[0])


def busiest_second(instants: array[float]) -> int:
    """The most instants (ascending, in seconds) in any half-open window of one second."""
    most = first = 0
    for last, at in enumerate(instants):
        while at - instants[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def _usual_line(route: Route, batch_id: int | None) -> tuple[str, str]:
    if route is Route.PUT:
        return "PUT", f"/api/v3/batch/close/{batch_id}"
    if route is Route.GET:
        return "GET", f"/api/v3/batch/{batch_id}"
    return "GET", "/api/v3/me"
