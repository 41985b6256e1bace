"""How far the way to the API goes: name, connection, TLS, an answer; and whether its clock agrees."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from worker.rules.readiness.record import Check, failed, ok, skipped, warning
from worker.rules.verdict import asks_to_wait, is_trouble
from worker.words.answer import Answer, Heard

MOST_SKEW_S: Final = 60.0
LONGEST_WAIT_S: Final = 30.0

_UNREACHABLE: Final = 5
_STAGES: Final = ("dns", "connection", "tls", "answer")
_STAGE_OF: Final = {"dns": "dns", "tls": "tls", "tls_certificate": "tls"}
_NETWORK: Final = "check the base URL, this machine's network and firewall, and HTTPS_PROXY if one is needed"
_REMEDIES: Final = {
    "dns": "check the host in the base URL, and this machine's name server",
    "tls_certificate": "name the CA's certificate in --ca-file, or check that this is the right host",
    "tls": "check that the host speaks TLS on this port, and what stands between it and this machine",
    "proxy_unreachable": "check HTTPS_PROXY, or except this host in NO_PROXY",
    "proxy_refused": "check HTTPS_PROXY and its rights, or except this host in NO_PROXY",
}


def worth_another(answer: Answer) -> bool:
    """Whether one more request may bring another answer, soon enough for somebody who waits."""
    if asks_to_wait(answer):
        return (answer.retry_after_s or 0.0) <= LONGEST_WAIT_S
    return is_trouble(answer) and answer.heard is not Heard.NOT_SENT and answer.error != "timeout"


def is_answered(answer: Answer) -> bool:
    """Whether the API itself answered, so that it can be asked for more."""
    status = answer.status
    return answer.heard is Heard.ANSWER and status is not None and not 300 <= status < 400


def way(answer: Answer, *, host: str, tls: bool, proxied: bool) -> list[Check]:
    """The checks ``dns``, ``connection``, ``tls`` and ``answer``, by the first request's answer."""
    fails_at = _fails_at(answer, proxied=proxied)
    passed = {
        "dns": _name(host, proxied=proxied),
        "connection": ok("connection", "the proxy accepts it" if proxied else "the host accepts it"),
        "tls": ok("tls", "the host's certificate is trusted")
        if tls
        else skipped("tls", "plain http, which is for this machine alone"),
    }
    checks = []
    for at, stage in enumerate(_STAGES):
        if at < fails_at:
            checks.append(passed[stage] if stage in passed else _answered(answer))
        elif at == fails_at:
            checks.append(_failed(stage, answer))
        else:
            checks.append(skipped(stage, f"{_STAGES[fails_at]} failed"))
    return checks


def _fails_at(answer: Answer, *, proxied: bool) -> int:
    if answer.heard is Heard.ANSWER and answer.status is not None:
        return len(_STAGES)
    if answer.heard is Heard.LOST:
        return _STAGES.index("answer")
    stage = _STAGE_OF.get(answer.reason, "connection")
    # With a proxy it is the proxy's own name that could not be resolved.
    return _STAGES.index("connection" if stage == "dns" and proxied else stage)


def _name(host: str, *, proxied: bool) -> Check:
    if proxied:
        return skipped("dns", "left to the proxy")
    try:
        ip_address(host)
    except ValueError:
        return ok("dns", f"{host} can be resolved")
    return skipped("dns", f"{host} is an address")


def _failed(stage: str, answer: Answer) -> Check:
    if answer.heard is Heard.LOST:
        words = {
            "timeout": "connected, but no answer came in time",
            "bad_http": "connected, but what answers is no HTTP",
        }
        found = words.get(answer.reason, f"connected, but the answer was lost ({answer.reason})")
    else:
        found = answer.message or f"no connection ({answer.reason})"
    return failed(stage, found, _REMEDIES.get(answer.reason, _NETWORK), _UNREACHABLE)


def _answered(answer: Answer) -> Check:
    status, took = answer.status or 0, f"in {answer.elapsed_s:.2f} s"
    if 300 <= status < 400:
        return failed(
            "answer",
            f"HTTP {status}, a redirect, which is never followed",
            "give the base URL where it leads, if that is EnergyCAP",
        )
    if asks_to_wait(answer):
        wait = "" if answer.retry_after_s is None else f" and asks to wait {answer.retry_after_s:,.0f} s"
        return warning("answer", f"HTTP {status}: the API throttles{wait}", "check again later")
    if is_trouble(answer):
        return warning("answer", f"HTTP {status}: the API is in trouble", "check again later")
    return ok("answer", f"HTTP {status} {took}")


def clock(answer: Answer) -> Check:
    """The check ``clock``: this machine's against the Date header, whose seconds are cut off."""
    if answer.server_at is None:
        return skipped("clock", "the answer has no Date header")
    ahead_s = (answer.sent_at + answer.received_at) / 2 - (answer.server_at + 0.5)
    by = f"{abs(ahead_s):,.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the server's"
    if abs(ahead_s) > MOST_SKEW_S:
        return warning("clock", f"this machine's is {by}", "set this machine's clock, best by NTP")
    return ok("clock", f"agrees with the server's within {max(abs(ahead_s), 1.0):,.0f} s")
