"""What each endpoint answers. Pure but for the world it changes: time is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from worker.simulator.answers import Answer, as_json, error
from worker.simulator.faults import Route
from worker.simulator.filters import FilterError, predicate
from worker.simulator.options import Block, Options
from worker.simulator.view import OWNERS, batch_response
from worker.simulator.world import SimBatch, State, World
from worker.words.model import MAX_BATCH_ID, MIN_BATCH_ID

_DEFAULT_PAGE, _LARGEST_PAGE = 250, 1000
_NEEDS = {"Open": {State.PENDING}, "Pending": {State.OPEN}, "Closed": {State.OPEN, State.PENDING}}
_PERMISSIONS = {"view": True, "create": True, "edit": True, "delete": False, "manage": True}


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the endpoints see it."""

    route: Route
    batch_id: int | None
    query: Mapping[str, str]
    body: bytes
    now: float


class Api:
    """The endpoints, over one world."""

    def __init__(self, world: World, options: Options) -> None:
        self.world = world
        self.options = options
        self._unknowns = options.unknowns

    def answer(self, call: Call) -> Answer:
        """The true answer; a write takes effect."""
        if call.batch_id is not None:
            if not MIN_BATCH_ID <= call.batch_id <= MAX_BATCH_ID:
                return self.error(400, f"The value '{call.batch_id}' is not valid for batchId.")
            batch = self.world.find(call.batch_id)
            if batch.state is State.MISSING:
                return self.error(404, f"Batch {call.batch_id} was not found.")
            match call.route:
                case Route.PUT:
                    return self._close(batch, call.now)
                case Route.GET:
                    return self.shown(batch, call.query.get("field"))
                case Route.STATUS:
                    return self._set_status(batch, call)
        match call.route:
            case Route.LIST:
                return self._listing(call)
            case Route.ME:
                return self._me()
            case Route.EXPORT:
                return self._export(call)
        return self.error(404, "No such resource.")

    def error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
        """An error in the shape chosen."""
        return error(self._unknowns.error_body, status, message, headers)

    def shown(self, batch: SimBatch, fields: str | None = None) -> Answer:
        """A batch, narrowed to ``field=``."""
        return as_json(_narrowed(batch_response(batch, self._unknowns), fields))

    def _close(self, batch: SimBatch, now: float) -> Answer:
        unknowns = self._unknowns
        if batch.state is State.CLOSED:
            if unknowns.already_closed == 200:
                return self.shown(batch)
            return self.error(unknowns.already_closed, f"Batch {batch.batch_id} is already closed.")
        if batch.owner and unknowns.foreign != 200:
            return self.error(unknowns.foreign, f"You may not close batch {batch.batch_id}.")
        if batch.state is State.PENDING and not unknowns.pending_closes:
            return self.error(unknowns.refusal, f"Batch {batch.batch_id} is pending.")
        if block := self._block(batch):
            return self.error(unknowns.refusal, f"Batch {batch.batch_id} has {block}.")
        self.world.close(batch.batch_id, now, "us")
        return self.shown(batch)

    def _block(self, batch: SimBatch) -> str | None:
        has = {
            Block.FLAGS: (batch.flags > 0, "unresolved flags"),
            Block.ANALYZING: (batch.analyzing > 0, "bills being analyzed"),
            Block.KICKOUTS: (batch.kickouts, "import kickouts"),
        }
        return next(
            (words for block, (is_so, words) in has.items() if is_so and block in self._unknowns.blocked_by),
            None,
        )

    def _set_status(self, batch: SimBatch, call: Call) -> Answer:
        try:
            body: Any = orjson.loads(call.body)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict) or body.get("batchStatus") not in _NEEDS:
            return self.error(400, "batchStatus must be 'Open', 'Pending' or 'Closed'.")
        note = body.get("note")
        if not (note is None or (isinstance(note, str) and len(note) <= 255)):
            return self.error(400, "note must be 0 to 255 characters.")
        if not isinstance(body.get("leaveOpenBatchesAsIs", False), bool):
            return self.error(400, "leaveOpenBatchesAsIs must be true or false.")
        wanted = body["batchStatus"]
        if batch.state not in _NEEDS[wanted]:
            return self.error(400, f"Batch {batch.batch_id} is {batch.state} and can't become {wanted}.")
        if wanted == "Closed":
            self.world.close(batch.batch_id, call.now, "us")
        else:
            batch.state = State(wanted.lower())
            batch.voided = batch.state is State.PENDING
        batch.note = note if note is not None else batch.note
        return Answer(204, b"", None)

    def _listing(self, call: Call) -> Answer:
        if not self._unknowns.listing:
            return self.error(403, "You may not list batches.")
        size, number = (_whole(call.query.get(name, default)) for name, default in _PAGE)
        if size is None or number is None:
            return self.error(400, "pageSize and pageNumber must be whole numbers from 1.")
        batches = [batch for batch in self.world.batches.values() if batch.state is not State.MISSING]
        if text := call.query.get("filter"):
            try:
                passes = predicate(text, self._unknowns, call.now)
            except FilterError as problem:
                return self.error(400, f"The filter can't be read: {problem}.")
            batches = [batch for batch in batches if passes(batch)]
        size = min(size, _LARGEST_PAGE)
        page = batches[(number - 1) * size : number * size]
        paging = {
            "PageNumber": str(number),
            "PageSize": str(size),
            "TotalNumberOfRecords": str(len(batches)),
            "TotalPages": str(-(-len(batches) // size)),
        }
        fields = call.query.get("field")
        rows = [_narrowed(batch_response(batch, self._unknowns), fields) for batch in page]
        return as_json(rows, headers=paging if self._unknowns.paging_headers else None)

    def _me(self) -> Answer:
        if self._unknowns.me != 200:
            return self.error(self._unknowns.me, "This resource is not available.")
        owner = OWNERS[0]
        return as_json(
            {
                "systemUserId": owner["userId"],
                "systemUserCode": owner["userCode"],
                "fullName": owner["fullName"],
                "environment": "simulator",
                "permissions": {"billsAndBatches": _PERMISSIONS},
            }
        )

    def _export(self, call: Call) -> Answer:
        if call.query.get("exportMode") not in {"AP", "GL"}:
            return self.error(400, "exportMode must be AP or GL.")
        can = self.options.can_export
        return as_json({"exportModeEnabled": can != "never", "canExport": can})


_PAGE = (("pageSize", str(_DEFAULT_PAGE)), ("pageNumber", "1"))


def _whole(text: str) -> int | None:
    is_whole = text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0
    return int(text) if is_whole else None


def _narrowed(row: dict[str, object], fields: str | None) -> dict[str, object]:
    if not fields:
        return row
    wanted = {name.strip().lower() for name in fields.split(",")}
    return {key: value for key, value in row.items() if key.lower() in wanted}
