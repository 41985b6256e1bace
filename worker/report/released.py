"""Whose a key is, and what a close releases, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.rules.summary import KeyOwner, printable
from worker.words.answer import Identity

_RELEASES: Final = {
    "never": "bills are never exported",
    "after entry": "bills may be exported even before a close",
    "after batch": "closing releases the bills",
    "after approval": "bills are released once approved",
    "after batch approval": "bills are released once the batch is approved",
}


def whose(identity: Identity | KeyOwner | None) -> str:
    """The key's user, and the environment."""
    if identity is None:
        return "the API does not say whose it is"
    name = printable(identity.full_name or identity.user_code or "a user without a name", 60)
    number = f" ({identity.user_id})" if identity.user_id is not None else ""
    where = printable(identity.environment, 60) if identity.environment else "not known"
    return f"{name}{number}, environment {where}"


def released(can_export: Mapping[str, str | None]) -> str:
    """What a close releases, by export mode."""
    asked = [f"{mode} {_release(word)}" for mode, word in sorted(can_export.items())]
    return "; ".join(asked if "GL" in can_export else [*asked, "GL not asked, to keep requests few"])


def _release(word: str | None) -> str:
    if word is None:
        return "not known"
    meaning = _RELEASES.get(word.strip().casefold())
    return f"{printable(word, 60)} ({meaning})" if meaning else printable(word, 60)
