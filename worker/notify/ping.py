"""Dead-man's switches: a service that raises the alarm when a run does not report in time.

The calls are those of healthchecks.io (its pinging API), which others take as well: the URL with
``/start`` when a run begins, bare when it succeeded, with ``/fail`` when it did not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

from worker.notify.outside import Outside


class PingKind(Enum):
    """What is reported, and what the URL gets for it."""

    START = "/start"
    SUCCESS = ""
    FAIL = "/fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """A switch."""

    url: SecretStr

    async def send(self, kind: PingKind, line: str, outside: Outside) -> str | None:
        """Report, with a line for the service's log; why it was not taken, in a word.

        A service that takes no POST is asked again with GET, which is all that some of them know.
        """
        url = place(self.url.get_secret_value(), kind)
        plain = {"Content-Type": "text/plain; charset=utf-8"}
        why = await outside.send("POST", url, line.encode("utf-8", "replace"), lambda: plain)
        if why == "http_405":
            why = await outside.send("GET", url, b"", dict)
        return why


def place(url: str, kind: PingKind) -> str:
    """The URL for a report: the path gets the word, a query stays behind it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + kind.value if kind.value else parts.path))
