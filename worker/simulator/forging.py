"""The answer that a fault gives in place of the true one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from math import ceil

import orjson

from worker.simulator.answers import LOGIN_PAGE, Answer, as_json
from worker.simulator.api import Api, Call
from worker.simulator.faults import Content, Fault, Route
from worker.simulator.view import batch_response, end_date
from worker.simulator.world import State


def faulty_answer(api: Api, call: Call, fault: Fault, path: str, headers: Mapping[str, str]) -> Answer:
    """Carry out the call if the fault says so, and give the answer that the fault says."""
    if fault.rival_s is not None and call.batch_id is not None:
        api.world.close(call.batch_id, call.now - fault.rival_s, "them")
    # A read is done whatever the fault: it changes nothing.
    true = api.answer(call) if fault.acts or not call.route.writes else _forged(api, call, State.OPEN)
    match fault.content:
        case Content.TRUE:
            return true
        case Content.NOT_CLOSED:
            return _forged(api, call, State.OPEN) if call.route is Route.PUT else true
        case Content.WRONG_ID:
            return _forged(api, call, State.CLOSED, shift=1)
        case _:
            return _unlike_a_batch(api, call, fault, path, headers)


def _unlike_a_batch(api: Api, call: Call, fault: Fault, path: str, headers: Mapping[str, str]) -> Answer:
    match fault.content:
        case Content.HTML:
            return Answer(200, LOGIN_PAGE, "text/html; charset=utf-8")
        case Content.GARBAGE:
            return Answer(200, b'{"batchId": 12, "batchStatus": "clo\xff\xfe}}')
        case Content.EMPTY:
            return Answer(200)
        case Content.REDIRECT:
            return Answer(fault.status, b"", None, {"Location": api.options.redirect_to.rstrip("/") + path})
        case Content.ECHO:
            return as_json(
                {
                    "message": "Bad request",
                    "request": {_text(name): _text(value) for name, value in headers.items()},
                },
                fault.status,
            )
        case _:
            message = f"The simulator was told to answer {fault.name}."
            return api.error(fault.status, message, _retry(api, call, fault))


def http_date(at: float) -> str:
    """An instant (Unix time) as HTTP writes it, to the second."""
    return format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)


def padded(body: bytes) -> tuple[bytes, bytes]:
    """What stands before and after a long filling of ``x`` that makes the body a large one, still JSON."""
    if body.startswith(b"{") and len(body) > 2:
        return body[:-1] + b',"padding":"', b'"}'
    return b'{"padding":"', b'"}'


def _forged(api: Api, call: Call, state: State, shift: int = 0) -> Answer:
    if call.batch_id is None:
        return as_json({})
    batch = api.world.find(call.batch_id)
    shown = batch_response(batch, api.options.unknowns, state=state, batch_id=call.batch_id + shift)
    if state is State.CLOSED and shown.get("endDate") is None and "endDate" in shown:
        unknowns = api.options.unknowns
        shown["endDate"] = end_date(call.now + unknowns.clock_offset_s, unknowns)
    return Answer(200, orjson.dumps(shown))


def _text(sent: str) -> str:
    """What was sent, without the bytes that are no UTF-8."""
    return sent.encode(errors="replace").decode()


def _retry(api: Api, call: Call, fault: Fault) -> dict[str, str] | None:
    if fault.retry_after is None:
        return None
    if fault.retry_after == "date":
        return {"Retry-After": http_date(ceil(call.now + api.options.unknowns.clock_offset_s) + 1)}
    return {"Retry-After": fault.retry_after}
