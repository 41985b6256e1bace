"""What the checks mean together, and what no server on loopback can be made to say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.energycap.failures import TABLE
from worker.rules.readiness import (
    Check,
    CheckState,
    Readiness,
    failed,
    ok,
    skipped,
    warning,
    way,
    worth_another,
)
from worker.words.answer import Answer, Heard

STAGES = ["dns", "connection", "tls", "answer"]


def _code(*codes: int) -> int:
    checks = tuple(failed(f"check_{code}", "found", "remedy", code) for code in codes)
    return Readiness(base_url="https://x", checked_at=0.0, checks=checks).exit_code


def test_the_exit_code_is_that_of_the_most_serious_failure() -> None:
    """Configuration, then the API, then the lock, then the disk, then the rest."""
    assert _code(3, 1, 75, 5, 2) == 2
    assert _code(3, 1, 75, 5) == 5
    assert _code(3, 1, 75) == 75
    assert _code(3, 1) == 1
    assert _code(3) == 3
    assert _code() == 0


_MADE = st.sampled_from([ok("a", "x"), warning("b", "x", "y"), skipped("c", "x"), failed("d", "x", "y", 5)])


@given(st.lists(_MADE))
def test_only_what_failed_counts(checks: list[Check]) -> None:
    """The exit code is 0 unless a check failed; the counts add up."""
    found = Readiness(base_url="https://x", checked_at=0.0, checks=tuple(checks))
    assert (found.exit_code != 0) == any(check.state is CheckState.FAILED for check in checks)
    assert sum(found.counts.values()) == len(checks)


@pytest.mark.parametrize(("heard", "word"), sorted({(heard.value, word) for _, heard, word in TABLE}))
@pytest.mark.parametrize("proxied", [True, False])
def test_every_way_a_request_can_fail(heard: str, word: str, proxied: bool) -> None:
    """One stage fails, those before it did not, those after it are skipped."""
    answer = Answer(Heard(heard), error=word)
    checks = way(answer, host="energycap.example", tls=True, proxied=proxied)
    assert [check.name for check in checks] == STAGES
    (at,) = [number for number, check in enumerate(checks) if check.state is CheckState.FAILED]
    assert all(check.state is not CheckState.FAILED for check in checks[:at])
    assert all(check.state is CheckState.SKIPPED for check in checks[at + 1 :])
    assert checks[at].remedy
    assert checks[at].exit_code == 5
    if heard == "lost":
        assert STAGES[at] == "answer"


@pytest.mark.parametrize(
    ("word", "proxied", "stage"),
    [
        ("dns", False, "dns"),
        ("dns", True, "connection"),
        ("connect_timeout", False, "connection"),
        ("proxy_refused", True, "connection"),
        ("tls", False, "tls"),
        ("tls_certificate", True, "tls"),
    ],
)
def test_the_stage_of_a_failed_connection(word: str, proxied: bool, stage: str) -> None:
    """A name that can't be resolved is the proxy's own where there is one."""
    checks = way(Answer(Heard.NOT_SENT, error=word), host="x.example", tls=True, proxied=proxied)
    assert [check.name for check in checks if check.state is CheckState.FAILED] == [stage]


@pytest.mark.parametrize(
    ("answer", "worth"),
    [
        (Answer(Heard.ANSWER, 200), False),
        (Answer(Heard.ANSWER, 404), False),
        (Answer(Heard.ANSWER, 500), True),
        (Answer(Heard.ANSWER, 429), True),
        (Answer(Heard.ANSWER, 429, retry_after_s=30.0), True),
        (Answer(Heard.ANSWER, 503, retry_after_s=31.0), False),
        (Answer(Heard.LOST, error="disconnected"), True),
        (Answer(Heard.LOST, error="timeout"), False),
        (Answer(Heard.NOT_SENT, error="dns"), False),
    ],
)
def test_what_is_worth_another_request(answer: Answer, worth: bool) -> None:
    """What may pass while somebody waits."""
    assert worth_another(answer) is worth


@given(st.text(), st.text())
def test_text_is_made_fit_to_be_shown(found: str, remedy: str) -> None:
    """Whatever a server says, a check's words are printable."""
    for check in (failed("name", found, remedy), warning("name", found, remedy), ok("name", found)):
        assert check.found.isprintable()
        assert (check.remedy or "").isprintable()
    assert skipped("name", found).found.isprintable()
