"""Every result that did not end fine is found in the problem that counts it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.rules.test_summary import rejected, results, tally
from worker.rules.proof import Proof
from worker.rules.summary import Verified
from worker.rules.summary.matching import Matcher
from worker.words.model import FINE_BY_DEFAULT, Outcome, Result


@given(st.lists(results, max_size=30), st.integers(1, 3))
def test_each_is_found(batch: list[Result], cap: int) -> None:
    """The results found in each problem are as many as it counts, however few messages were told apart."""
    problems = tally(batch, cap).problems
    matcher = Matcher(problems)
    found = Counter(matcher.place_of(each) for each in batch if each.outcome not in FINE_BY_DEFAULT)
    assert found == {place: problem.count for place, problem in enumerate(problems)}


def test_those_that_ended_fine_are_in_none() -> None:
    """Closed batches are found by their ids alone, where a proof disagrees."""
    closed = [
        Result(run_id="r", batch_id=n, outcome=Outcome.CLOSED, settled_at=0, source="s", line=n)
        for n in range(5)
    ]
    proof = Proof(Verified(5, 3), still_open=(1, 2), gone=(4,))
    problems = (*proof.problems, *tally([rejected(9, "no")]).problems)
    assert [Matcher(problems).place_of(each) for each in closed] == [None, 0, 0, None, 1]
    assert Matcher(problems).place_of(rejected(9, "no")) == 2
    assert Matcher(problems).place_of(rejected(9, "another")) == 2  # the only group of its kind
    assert Matcher(()).place_of(rejected(9, "no")) is None
