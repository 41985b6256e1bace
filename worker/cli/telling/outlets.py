"""Where news go: from the settings to what can be sent to, checked before anything else is done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from worker.cli.settings.tree import Settings
from worker.cli.signals import Ears, restored
from worker.cli.telling.news import News
from worker.energycap.connection import proxy_for, trust
from worker.notify import Delivery, Outside, Ping, PingKind, Sending, Webhook, deliver
from worker.notify.aside import in_thread
from worker.notify.services import Service, services_of
from worker.rules.notice import End, When, is_due

WITHIN_S: Final = 30.0
"""So long all of it may take; whoever does not answer in that time is told nothing."""
START_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """Everything that the settings name, in order to tell of an end."""

    services: tuple[Service, ...]
    when: When
    ping: Ping | None
    webhook: Webhook | None
    outside: Outside

    @classmethod
    def of(cls, settings: Settings) -> Outlets:
        """Raises ConfigurationError where something named can't be used, an extra not installed included."""
        asked = settings.notify
        urls, secret = asked.all_urls(), asked.signing_secret()
        webhook = None
        if asked.webhook_url is not None and secret is not None:
            webhook = Webhook(url=asked.webhook_url, secret=secret)
        return cls(
            services=services_of(urls) if urls else (),
            when=asked.when,
            ping=None if asked.ping_url is None else Ping(url=asked.ping_url),
            webhook=webhook,
            outside=Outside(trust=trust(settings.api.ca_file), proxy_for=proxy_for),
        )

    def tell_start(self) -> list[Delivery]:
        """Tell the dead-man's switch that a run begins, within ``START_WITHIN_S``."""
        if self.ping is None:
            return []
        start = Sending("ping start", partial(self.ping.send, PingKind.START, "", self.outside))
        return asyncio.run(deliver([start], START_WITHIN_S, asyncio.Event()))

    def sendings(self, news: News, before: End | None) -> Iterator[Sending]:
        """What is to be sent of an end, when the one before it was ``before``."""
        if self.ping is not None:
            kind = PingKind.SUCCESS if news.end.exit_code == 0 else PingKind.FAIL
            yield Sending("ping", partial(self.ping.send, kind, news.line, self.outside))
        if self.webhook is not None:
            post = partial(self.webhook.send, news.message_id, news.body, self.outside)
            yield Sending("webhook", post)
        if is_due(self.when, news.end, before):
            for service in self.services:
                send = partial(service.send, news.message)
                yield Sending(service.name, partial(in_thread, send))


def send_all(sendings: Sequence[Sending]) -> list[Delivery]:
    """Send all, within ``WITHIN_S`` or until a signal comes."""
    if not sendings:
        return []
    with restored():
        ears = Ears()
        ears.open()
        return asyncio.run(_deliver(sendings, ears))


async def _deliver(sendings: Sequence[Sending], ears: Ears) -> list[Delivery]:
    hurry = asyncio.Event()
    with ears.listening(lambda _: hurry.set()):
        return await deliver(sendings, WITHIN_S, hurry)
