"""The webhook: summary.json, signed as the Standard Webhooks specification says (standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from worker.notify.outside import Outside
from worker.words.errors import ConfigurationError

_CODED: Final = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where a summary is posted, and the key it is signed with."""

    url: SecretStr
    secret: SecretStr

    def __post_init__(self) -> None:
        """Raise ConfigurationError for a secret that claims to be base64 and is not."""
        key_of(self.secret)

    async def send(
        self, message_id: str, body: bytes, outside: Outside, clock: Callable[[], float] = time.time
    ) -> str | None:
        """Post it; why it was not taken, in a word. Every try has the same id and a time of its own."""
        key = key_of(self.secret)

        def headers() -> dict[str, str]:
            at = int(clock())
            return {
                "Content-Type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(at),
                "webhook-signature": signature(key, message_id, at, body),
            }

        return await outside.send("POST", self.url.get_secret_value(), body, headers)


def key_of(secret: SecretStr) -> bytes:
    """The key: what base64 after ``whsec_`` means, else the text itself. Raises ConfigurationError."""
    text = secret.get_secret_value()
    if not text.startswith(_CODED):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_CODED), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            f"the webhook's secret can't be used: what follows {_CODED} must be base64"
        ) from None


def signature(key: bytes, message_id: str, at: int, body: bytes) -> str:
    """``v1,`` and HMAC-SHA256 over id, Unix time and body with full stops between, in base64.

    The time is in what is signed, so that an old message can't be sent again as a new one.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), at, body)
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
