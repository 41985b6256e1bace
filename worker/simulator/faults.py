"""The kinds of fault, and which request gets which. No state: a choice depends on its arguments alone.

KIND, as written in options and scripts ("done" means that a close took effect before the fault):

ok                the true answer
500, 429, 401...  any status from 400 to 599, not done; with Retry-After: 429:2, 503:1, 429:date, 429:soon
close_then_500    done, then that status; Retry-After as above
drop_before       not done, connection closed without an answer;      drop_after    done first
reset_before      not done, connection reset (RST);                   reset_after   done first
drop_late:S       connection closed at once, and S seconds later it is done all the same
drop_reused       dropped, not done, if its connection carried a request before; else ok
drop_reused_after the same, done
drop_headers      done, closed in the middle of the headers
truncated         done, body shorter than Content-Length;             truncated_before  not done
slow:S            done, the answer comes after S seconds
hang              not done, never answered;                           hang_after    done
html              not done, 200 with a login page;                    html_after    done
garbage           not done, 200 that is no JSON;                      garbage_after done
empty             not done, 200 without a body;                       empty_after   done
not_closed        not done, 200 with the batch still open
wrong_id          not done, 200 with another batch, closed
huge              done, a body of many megabytes of JSON;             gzip_bomb     done, small until inflated
redirect          not done, 302 to another origin;                    redirect_after  done
bad_http          not done, bytes that are no HTTP;                   bad_http_after  done
key_dead          not done, 401, and from now on 401 for everything
echo_key          not done, 400 whose body repeats every request header
rival             another user closes the batch first, then the true answer;  rival:S  did so S seconds ago

On a read nothing is ever done, and not_closed gives the true answer: a fault does not lie about the state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from types import MappingProxyType

from worker.words.errors import ConfigurationError


class Route(StrEnum):
    """A kind of request."""

    PUT = "put"  # PUT /api/v3/batch/close/{id}
    GET = "get"  # GET /api/v3/batch/{id}
    LIST = "list"
    ME = "me"
    STATUS = "status"
    EXPORT = "export"
    OTHER = "other"  # anything else: 404 or 405

    @property
    def writes(self) -> bool:
        """Whether the request may change a batch."""
        return self is Route.PUT or self is Route.STATUS


class Content(Enum):
    """What the answer says."""

    TRUE = auto()
    STATUS = auto()
    HTML = auto()
    GARBAGE = auto()
    EMPTY = auto()
    NOT_CLOSED = auto()
    WRONG_ID = auto()
    REDIRECT = auto()
    ECHO = auto()


class Wire(Enum):
    """How the answer is sent."""

    WHOLE = auto()
    DROP = auto()
    RESET = auto()
    HEADERS = auto()
    TRUNCATED = auto()
    HANG = auto()
    BAD_HTTP = auto()
    HUGE = auto()
    GZIP_BOMB = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request, in words that combine: is it done, what is said, how is it sent."""

    name: str
    acts: bool = True
    content: Content = Content.TRUE
    wire: Wire = Wire.WHOLE
    status: int = 200
    retry_after: str | None = None
    delay_s: float = 0.0  # between the act and the answer
    late_s: float | None = None  # the act comes this long after the connection was closed
    only_reused: bool = False
    kills_key: bool = False
    rival_s: float | None = None  # another user closed it so long before


OK = Fault("ok")

_PLAIN = (
    OK,
    Fault("drop_before", False, wire=Wire.DROP),
    Fault("drop_after", wire=Wire.DROP),
    Fault("reset_before", False, wire=Wire.RESET),
    Fault("reset_after", wire=Wire.RESET),
    Fault("drop_reused", False, wire=Wire.DROP, only_reused=True),
    Fault("drop_reused_after", wire=Wire.DROP, only_reused=True),
    Fault("drop_headers", wire=Wire.HEADERS),
    Fault("truncated", wire=Wire.TRUNCATED),
    Fault("truncated_before", False, wire=Wire.TRUNCATED),
    Fault("hang", False, wire=Wire.HANG),
    Fault("hang_after", wire=Wire.HANG),
    Fault("html", False, Content.HTML),
    Fault("html_after", True, Content.HTML),
    Fault("garbage", False, Content.GARBAGE),
    Fault("garbage_after", True, Content.GARBAGE),
    Fault("empty", False, Content.EMPTY),
    Fault("empty_after", True, Content.EMPTY),
    Fault("not_closed", False, Content.NOT_CLOSED),
    Fault("wrong_id", False, Content.WRONG_ID),
    Fault("huge", wire=Wire.HUGE),
    Fault("gzip_bomb", wire=Wire.GZIP_BOMB),
    Fault("redirect", False, Content.REDIRECT, status=302),
    Fault("redirect_after", True, Content.REDIRECT, status=302),
    Fault("bad_http", False, wire=Wire.BAD_HTTP),
    Fault("bad_http_after", wire=Wire.BAD_HTTP),
    Fault("key_dead", False, Content.STATUS, status=401, kills_key=True),
    Fault("echo_key", False, Content.ECHO, status=400),
    Fault("rival", rival_s=0.0),
)
BY_NAME: Mapping[str, Fault] = MappingProxyType({fault.name: fault for fault in _PLAIN})
_STATUS = re.compile(r"(?P<done>close_then_)?(?P<status>[45]\d\d)(?::(?P<retry_after>[\x21-\x7e]{1,60}))?")
_TIMED = re.compile(r"(?P<kind>slow|drop_late|rival):(?P<seconds>\d{1,6}(?:\.\d{1,6})?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """Faults by script and by share. A request with a script follows it alone; after its end comes ok."""

    scripts: Mapping[tuple[Route, int | None], tuple[Fault, ...]] = field(default_factory=dict)
    shares: Mapping[Route, tuple[tuple[Fault, float], ...]] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for route, shares in self.shares.items():
            if (
                not all(0 <= share <= 1 for _, share in shares)
                or sum(share for _, share in shares) > 1 + 1e-9
            ):
                raise ConfigurationError(f"the fault shares of {route} must add up to at most 100%")

    @property
    def empty(self) -> bool:
        """Whether no request can get a fault."""
        return not self.scripts and not self.shares


def fault(text: str) -> Fault:
    """The fault of that KIND. Raises ConfigurationError for a word that is none."""
    word = text.strip().lower()
    if word in BY_NAME:
        return BY_NAME[word]
    if found := _STATUS.fullmatch(word):
        done, status = found["done"] is not None, int(found["status"])
        return Fault(word, done, Content.STATUS, status=status, retry_after=found["retry_after"])
    if found := _TIMED.fullmatch(word):
        seconds = float(found["seconds"])
        if found["kind"] == "slow":
            return Fault(word, delay_s=seconds)
        if found["kind"] == "rival":
            return Fault(word, rival_s=seconds)
        return Fault(word, False, wire=Wire.DROP, late_s=seconds)
    raise ConfigurationError(
        f"unknown fault {text!r}: use a status (500, 429:2, close_then_500), slow:S, drop_late:S, rival:S "
        "or one of " + ", ".join(BY_NAME)
    )


def pick(plan: FaultPlan, route: Route, batch_id: int | None, turn: int) -> Fault:
    """The fault of a batch's request number ``turn`` (from 0) on a route."""
    script = plan.scripts.get((route, batch_id))
    if script is not None:
        return script[turn] if turn < len(script) else OK
    shares = plan.shares.get(route)
    if not shares:
        return OK
    left = _draw(plan.seed, tuple(Route).index(route), batch_id or 0, turn)
    for kind, share in shares:
        left -= share
        if left < 0:
            return kind
    return OK


def _draw(*words: int) -> float:
    """A number from 0 up to 1 that looks random and depends on the words alone (splitmix64's finaliser)."""
    mask = (1 << 64) - 1
    state = 0
    for word in words:
        state = (state ^ word) + 0x9E3779B97F4A7C15 & mask
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
        state = (state ^ state >> 27) * 0x94D049BB133111EB & mask
        state ^= state >> 31
    return state / (mask + 1)
