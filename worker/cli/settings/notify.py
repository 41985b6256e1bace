"""The settings that say whom to tell how a run went.

Most of them are secrets: whoever has such a URL may write there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from worker.cli.settings.base_url import is_loopback
from worker.cli.settings.knob import Group, Knob
from worker.rules.notice import When
from worker.words.errors import ConfigurationError

SHORTEST_SECRET: Final = 24
"""Bytes; what the Standard Webhooks specification asks for at least."""


def _words(value: object) -> object:
    """A list in an environment variable is separated by blanks: a URL may hold commas."""
    return value.split() if isinstance(value, str) else value


def _check_url(secret: SecretStr | None) -> SecretStr | None:
    """Raise ValueError, which never holds the URL, where it can't be used."""
    if secret is None:
        return None
    text = secret.get_secret_value().strip()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("it is no URL") from None
    if parts.scheme not in {"http", "https"} or not host or not text.isascii() or not text.isprintable():
        raise ValueError("it must be a URL that begins with https://")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("it must be https (http is for loopback hosts only)")
    if parts.fragment:
        raise ValueError("it must have no fragment (#...)")
    return SecretStr(text)


SecretUrl = Annotated[SecretStr | None, AfterValidator(_check_url)]


class NotifySettings(Group):
    """Whom to tell how a run went, and when."""

    urls: Annotated[
        tuple[SecretStr, ...],
        BeforeValidator(_words),
        Knob(
            None,
            "BATCH_CLOSER_NOTIFY_URLS",
            "URL",
            "Tell these services (mail, Teams, Slack, ...) how a run ended: Apprise URLs.",
            secret=True,
        ),
    ] = ()
    urls_file: Annotated[
        Path | None,
        Knob(None, "BATCH_CLOSER_NOTIFY_URLS_FILE", "FILE", "A file with such URLs, one a line."),
    ] = None
    when: Annotated[
        When,
        Knob(
            "--notify-when",
            "BATCH_CLOSER_NOTIFY_WHEN",
            "WHEN",
            "Tell them on failure (exit code not 0), always, or on change from the run before.",
        ),
    ] = When.FAILURE
    ping_url: Annotated[
        SecretUrl,
        Knob(
            None,
            "BATCH_CLOSER_NOTIFY_PING_URL",
            "URL",
            "A dead-man's switch: called with /start, then bare on success or with /fail.",
            secret=True,
        ),
    ] = None
    webhook_url: Annotated[
        SecretUrl,
        Knob(
            None,
            "BATCH_CLOSER_NOTIFY_WEBHOOK_URL",
            "URL",
            "POST summary.json here at the end of every run, signed.",
            secret=True,
        ),
    ] = None
    webhook_secret: Annotated[
        SecretStr | None,
        Knob(
            None,
            "BATCH_CLOSER_NOTIFY_WEBHOOK_SECRET",
            "SECRET",
            "What the webhook is signed with (HMAC-SHA256).",
            secret=True,
        ),
    ] = None
    webhook_secret_file: Annotated[
        Path | None,
        Knob(None, "BATCH_CLOSER_NOTIFY_WEBHOOK_SECRET_FILE", "FILE", "A file that holds that secret."),
    ] = None

    @property
    def is_set(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self.urls or self.urls_file or self.ping_url or self.webhook_url)

    def all_urls(self) -> tuple[SecretStr, ...]:
        """The URLs given, then those of the file. Raises ConfigurationError where that can't be read."""
        if self.urls_file is None:
            return self.urls
        lines = (line.strip() for line in _read(self.urls_file, "notify.urls_file").splitlines())
        return (*self.urls, *(SecretStr(line) for line in lines if line and not line.startswith("#")))

    def signing_secret(self) -> SecretStr | None:
        """The webhook's secret; None without a webhook. Raises ConfigurationError where none is of use."""
        if self.webhook_url is None:
            return None
        secret, source = self.webhook_secret, "notify.webhook_secret"
        if secret is None and self.webhook_secret_file is not None:
            source = f"notify.webhook_secret_file {self.webhook_secret_file}"
            secret = SecretStr(_read(self.webhook_secret_file, "notify.webhook_secret_file"))
        text = "" if secret is None else secret.get_secret_value().strip()
        if not text:
            raise ConfigurationError(
                "notify.webhook_url needs a secret to sign with: give notify.webhook_secret_file, "
                "or BATCH_CLOSER_NOTIFY_WEBHOOK_SECRET"
            )
        if len(text) < SHORTEST_SECRET:
            raise ConfigurationError(f"{source} is too short: give {SHORTEST_SECRET} characters or more")
        return SecretStr(text)


def _read(file: Path, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{name} {file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name} {file} is no text") from None
