"""Whether a broker answers is said when that changes, and not each time it is asked."""

from __future__ import annotations

import pytest

from tests.engine.support import Ears
from worker.cli.broker.contact import Contact


@pytest.mark.parametrize(
    ("noticed", "told", "is_up"),
    [
        ("", [], False),
        ("t", [], True),  # nobody missed it
        ("tt", [], True),
        ("gg", ["queue.away"], False),
        ("gt", ["queue.away", "queue.back"], True),
        ("tggttgt", ["queue.away", "queue.back", "queue.away", "queue.back"], True),
    ],
)
def test_each_change_is_told_once(noticed: str, told: list[str], is_up: bool) -> None:
    """``t``: it was there, ``g``: it was gone."""
    ears = Ears()
    contact = Contact("amqp://host/?queue=ids", ears)
    for each in noticed:
        if each == "t":
            contact.there()
        else:
            contact.gone("no connection")
    assert [name for name, _ in ears.events] == told
    assert contact.is_up is is_up
