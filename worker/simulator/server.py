"""One request from arrival to answer."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from math import ceil
from random import Random
from weakref import WeakSet

from aiohttp import hdrs, web

from worker.simulator import wire
from worker.simulator.answers import Answer
from worker.simulator.api import Api, Call
from worker.simulator.control import PREFIX, control_answer
from worker.simulator.faults import OK, Fault, Route, Wire, pick
from worker.simulator.forging import faulty_answer, http_date
from worker.simulator.journal import Journal
from worker.simulator.limiter import SlidingWindow
from worker.simulator.options import Options, RetryAfter
from worker.simulator.world import World

Clock = Callable[[], float]
"""Unix time, in seconds."""

_BATCH = re.compile(
    r"/api/(?:v3/batch/(?P<close>close/)?|v202206/batch/)(?P<id>[0-9]{1,18})(?P<status>/status)?"
)
_FIXED = {
    ("GET", "/api/v3/batch"): Route.LIST,
    ("GET", "/api/v3/me"): Route.ME,
    ("GET", "/api/v3/workflow/export"): Route.EXPORT,
}


def route_of(method: str, path: str) -> tuple[Route, int | None]:
    """The kind of request, and the batch it is about."""
    found = _BATCH.fullmatch(path)
    if found is None:
        return _FIXED.get((method, path), Route.OTHER), None
    old = path.startswith("/api/v202206")
    batch_id = int(found["id"])
    if old and found["status"] and method == "PUT":
        return Route.STATUS, batch_id
    if not old and not found["status"]:
        if found["close"] and method == "PUT":
            return Route.PUT, batch_id
        if not found["close"] and method == "GET":
            return Route.GET, batch_id
    return Route.OTHER, None


class Server:
    """The handler of every request, and what it must remember between them."""

    def __init__(self, options: Options, world: World, clock: Clock) -> None:
        self.options = options
        self.world = world
        self.journal = Journal()
        self.key_is_dead = False
        self.stopping = asyncio.Event()
        self.problems: list[Exception] = []
        pace = options.pace
        self._api = Api(world, options)
        self._clock = clock
        self._window = SlidingWindow(pace.rate_per_s, pace.burst) if pace.rate_per_s else None
        self._random = Random(options.population.seed)
        self._turns: Counter[tuple[Route, int | None]] = Counter()
        self._used: WeakSet[asyncio.BaseTransport] = WeakSet()
        self._late: set[asyncio.TimerHandle] = set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; a fault of the simulator itself is kept in ``problems``."""
        try:
            return await self._handled(request)
        except (ConnectionError, web.RequestPayloadError):
            raise  # the client went away in the middle of its request
        except Exception as problem:
            self.problems.append(problem)
            raise

    async def _handled(self, request: web.BaseRequest) -> web.StreamResponse:
        method, path, now = request.method, request.path, self._clock()
        if path.startswith(PREFIX):
            return wire.whole(control_answer(path, request.query, self.world, self.journal))
        route, batch_id = route_of(method, path)
        entry = self.journal.arrived(now, route, batch_id, method, request.path_qs)
        self._seen(route, batch_id)
        fault, reused = OK, self._reused(request)
        answer = self._refusal(request, now)
        if answer is None:
            fault = self._fault(route, batch_id, reused=reused)
            if fault is not OK:
                self.journal.faulted(entry, fault.name)
            body = await request.read() if request.can_read_body else b""
            answer = await self._served(request, Call(route, batch_id, request.query, body, now), fault)
        if fault.wire in {Wire.WHOLE, Wire.TRUNCATED, Wire.HUGE, Wire.GZIP_BOMB}:
            self.journal.answered(entry, answer.status)
        if fault.wire is Wire.WHOLE:
            return wire.whole(answer, self._date())
        return await wire.misbehave(request, answer, fault.wire, self.options.huge_bytes, self.stopping)

    def stop(self) -> None:
        """Let go of what hangs, and do nothing late any more."""
        self.stopping.set()
        for timer in self._late:
            timer.cancel()

    async def _served(self, request: web.BaseRequest, call: Call, fault: Fault) -> Answer:
        low, high = self.options.pace.latency_s
        latency_s = self._random.uniform(low, high) if high else 0.0
        before_s = latency_s * self.options.pace.effect_at
        if before_s:
            await asyncio.sleep(before_s)
            call = Call(call.route, call.batch_id, call.query, call.body, self._clock())
        if fault is OK:
            answer = self._api.answer(call)
        else:
            self.key_is_dead = self.key_is_dead or fault.kills_key
            self._act_late(call, fault)
            answer = faulty_answer(self._api, call, fault, request.path_qs, request.headers)
        after_s = latency_s - before_s + fault.delay_s
        if after_s:
            await asyncio.sleep(after_s)
        return answer

    def _act_late(self, call: Call, fault: Fault) -> None:
        if fault.late_s is None or not call.route.writes:
            return
        loop = asyncio.get_running_loop()

        def act() -> None:
            self._late.discard(timer)
            self._api.answer(Call(call.route, call.batch_id, call.query, call.body, self._clock()))

        timer = loop.call_later(fault.late_s, act)
        self._late.add(timer)

    def _seen(self, route: Route, batch_id: int | None) -> None:
        if batch_id is None:
            return
        if route is Route.PUT:
            self.world.find(batch_id).puts += 1
        elif route is Route.GET:
            self.world.find(batch_id).gets += 1

    def _reused(self, request: web.BaseRequest) -> bool:
        """Whether the connection carried a request before."""
        transport = request.transport
        if transport is None or transport in self._used:
            return True
        self._used.add(transport)
        return False

    def _fault(self, route: Route, batch_id: int | None, *, reused: bool) -> Fault:
        plan = self.options.faults
        if plan.empty:
            return OK
        turn = self._turns[route, batch_id]
        self._turns[route, batch_id] += 1
        fault = pick(plan, route, batch_id, turn)
        return OK if fault.only_reused and not reused else fault

    def _refusal(self, request: web.BaseRequest, now: float) -> Answer | None:
        """What is said before the endpoint is reached: too many, no key, no JSON."""
        if self._window is not None and (wait_s := self._window.wait_s(now)):
            return self._api.error(429, "Too many requests.", self._retry_after(now, wait_s))
        if self.key_is_dead or request.headers.get("ECI-ApiKey") != self.options.key:
            return self._api.error(401, "The API key is not valid.")
        if request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower() != "application/json":
            return self._api.error(400, "Content-Type must be application/json.")
        return None

    def _retry_after(self, now: float, wait_s: float) -> dict[str, str] | None:
        match self.options.pace.retry_after:
            case RetryAfter.SECONDS:
                return {"Retry-After": str(ceil(wait_s))}
            case RetryAfter.DATE:
                return {"Retry-After": http_date(ceil(now + wait_s + self.options.unknowns.clock_offset_s))}
            case RetryAfter.NONE:
                return None

    def _date(self) -> str | None:
        shift = self.options.unknowns.clock_offset_s
        return http_date(self._clock() + shift) if shift else None
