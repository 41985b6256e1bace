"""What redis-py raises, in our own words: what passes, what nothing mends, and what means lost data."""

from __future__ import annotations

from enum import Enum
from typing import Final

import redis.exceptions as foreign


class Failure(Enum):
    """What a failed call means."""

    AWAY = "away"  # it may work in a moment
    LOST = "lost"  # the queue is not there any more
    REFUSED = "refused"  # asking again won't help


FOREIGN: Final = (foreign.RedisError, OSError, TimeoutError)
_PASSING: Final = (
    *(foreign.ConnectionError, foreign.TimeoutError, foreign.BusyLoadingError, foreign.TryAgainError),
    *(foreign.ReadOnlyError, foreign.ClusterDownError, foreign.MasterDownError, foreign.OutOfMemoryError),
    *(OSError, TimeoutError),
)
_REFUSING: Final = (
    *(foreign.AuthenticationError, foreign.AuthorizationError, foreign.NoPermissionError),
    *(foreign.AuthenticationWrongNumberOfArgsError, foreign.MaxConnectionsError),
)
_PASSING_WORDS: Final = ("MISCONF", "OOM", "LOADING", "BUSY ", "READONLY", "NOREPLICAS", "UNBLOCKED")


def meaning_of(error: BaseException) -> Failure:
    """What to make of an exception of redis-py."""
    if isinstance(error, _REFUSING):
        return Failure.REFUSED
    if isinstance(error, _PASSING):
        return Failure.AWAY
    text = str(error)
    if "NOGROUP" in text:
        return Failure.LOST
    return Failure.AWAY if any(word in text for word in _PASSING_WORDS) else Failure.REFUSED


def is_loading(error: BaseException) -> bool:
    """Whether the store has begun, and reads its data."""
    return isinstance(error, foreign.BusyLoadingError)


def in_words(error: BaseException) -> str:
    """Why, in a few words of our own: a foreign text may hold the address with its password."""
    if isinstance(
        error, foreign.AuthenticationError | foreign.NoPermissionError | foreign.AuthorizationError
    ):
        return "it refuses the user or password, or a command"
    if isinstance(error, foreign.TimeoutError | TimeoutError):
        return "it does not answer in time"
    if isinstance(error, foreign.BusyLoadingError):
        return "it is still loading its data"
    if isinstance(error, foreign.ConnectionError | OSError):
        return "no connection"
    word = str(error).partition(" ")[0]
    return f"it answers {word}" if word.isalpha() and word.isupper() else type(error).__name__
