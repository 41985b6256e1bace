"""Where a queue of ids is: ``amqp://HOST/VHOST?queue=NAME``, ``sqs://REGION/NAME``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from worker.rules.summary import printable
from worker.words.errors import ConfigurationError

AMQP: Final = ("amqp", "amqps")
SQS: Final = ("sqs",)
_KNOWN: Final = {"amqp": {"queue", "results", "dead", "heartbeat"}, "sqs": {"results", "dead", "endpoint"}}
_LONGEST_NAME: Final = {"amqp": 255, "sqs": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """A broker, and the names of the three queues."""

    kind: str  # amqp or sqs
    ids: str
    results: str
    dead: str
    shown: str  # without user and password
    url: str | None = field(default=None, repr=False)  # of RabbitMQ; it may hold a password
    region: str | None = None  # of SQS
    endpoint: str | None = None  # of SQS, where it is not Amazon's own

    @property
    def is_sqs(self) -> bool:
        """Whether it is a queue of SQS."""
        return self.kind == "sqs"


def parse_address(text: str) -> Address:
    """Read an address. Raises ConfigurationError, never with a password in it."""
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        raise ConfigurationError("the queue's address can't be used: it is no URL") from None
    kind = "sqs" if parts.scheme in SQS else "amqp"
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = parts.netloc.rpartition("@")[2]
    where = printable(f"{parts.scheme}://{host}{parts.path}")
    if unknown := sorted(set(given) - _KNOWN[kind]):
        raise ConfigurationError(
            f"queue {where} can't be used: parameter {printable(unknown[0], 60)!r} is not known; "
            f"known are {', '.join(sorted(_KNOWN[kind]))}"
        )
    return _sqs(parts, given, where) if kind == "sqs" else _amqp(parts, given, where)


def _amqp(parts: SplitResult, given: dict[str, str], where: str) -> Address:
    if not parts.hostname or not given.get("queue"):
        raise ConfigurationError(f"queue {where} can't be used: write amqp://HOST/VHOST?queue=NAME")
    url = urlunsplit((parts.scheme, parts.netloc, parts.path, f"heartbeat={_heartbeat(given, where)}", ""))
    ids, results, dead = _names("amqp", given["queue"], given, where)
    return Address("amqp", ids, results, dead, f"{where}?queue={printable(ids, 60)}", url=url)


def _heartbeat(given: dict[str, str], where: str) -> str:
    text = given.get("heartbeat", "30")
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 3600):
        raise ConfigurationError(f"queue {where} can't be used: heartbeat is seconds, 1 to 3600")
    return text


def _sqs(parts: SplitResult, given: dict[str, str], where: str) -> Address:
    name = unquote(parts.path.strip("/"))
    if parts.port is not None or not parts.hostname or not name or "/" in name or "@" in parts.netloc:
        raise ConfigurationError(
            f"queue {where} can't be used: write sqs://REGION/NAME, as sqs://eu-west-1/batches "
            "(the credentials come from where AWS tools look for them)"
        )
    endpoint = given.get("endpoint")
    if endpoint is not None and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise ConfigurationError(f"queue {where} can't be used: its endpoint is no http or https URL")
    ids, results, dead = _names("sqs", name, given, where)
    return Address("sqs", ids, results, dead, where, region=parts.hostname, endpoint=endpoint)


def _names(kind: str, ids: str, given: dict[str, str], where: str) -> tuple[str, str, str]:
    """The queues' names; by default results and dead letters are beside the ids."""
    between, fifo = (("-", ".fifo") if ids.endswith(".fifo") else ("-", "")) if kind == "sqs" else (".", "")
    stem = ids.removesuffix(".fifo") if kind == "sqs" else ids
    names = (ids, *(given.get(each) or f"{stem}{between}{each}{fifo}" for each in ("results", "dead")))
    for name in names:
        if len(name) > _LONGEST_NAME[kind]:
            raise ConfigurationError(
                f"queue {where} can't be used: the name {printable(name, 60)} is too long"
            )
    if len(set(names)) < len(names):
        raise ConfigurationError(
            f"queue {where} can't be used: ids, results and dead letters need a queue each"
        )
    return names[0], names[1], names[2]
