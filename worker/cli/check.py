"""``check``: is everything ready for a close?"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import SecretStr

from worker.cli.checks.here import check_key, check_settings, check_state
from worker.cli.here import make_log
from worker.cli.options import setting_options, settings_from
from worker.cli.session.wiring import connection_of
from worker.cli.settings.resolve import KEY_ENV
from worker.cli.settings.tree import Settings
from worker.cli.telling.call import check_telling
from worker.report.readiness import render_readiness
from worker.rules.readiness import Check, Readiness
from worker.telemetry.terminal import width_of


@click.command(
    "check",
    epilog="""\b
Examples:
  batch-closer check --base-url https://app.energycap.com
  batch-closer check --config nightly.toml --json
""",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")
@setting_options()
def command(as_json: bool, config: Path | None, **flags: Any) -> int:
    """Check that everything is ready for a close, and say what to do about what isn't.

    It only reads: no more than eight requests, under the rate. It takes the settings of a close, and its
    exit code is 0 unless something failed; a warning is no failure.
    """
    checked_at = time.time()
    settings = settings_from(flags, config)
    check_telling(settings)
    present, key = check_key(settings, os.environ)
    checks = [check_settings(settings, os.environ, config), present]
    checks += _check_api(settings, key, present) + check_state(settings)
    secret = key.get_secret_value() if key is not None else _unusable_key(settings)
    found = Readiness(
        base_url=_without_key(settings.api.base_url, secret),
        checked_at=checked_at,
        checks=tuple(_redacted(check, secret) for check in checks),
    )
    if as_json:
        click.echo(orjson.dumps(found.to_json_dict(), option=orjson.OPT_INDENT_2))
    else:
        click.echo(render_readiness(found, width=width_of(sys.stdout)), nl=False)
    return found.exit_code


def _check_api(settings: Settings, key: SecretStr | None, present: Check) -> list[Check]:
    from worker.cli.checks.api import check_api, unasked

    if key is None:
        return unasked(present.name)
    log = make_log(settings)
    connection = connection_of(settings, settings.api.base_url, key)
    limits = settings.limits
    try:
        return asyncio.run(check_api(connection, limits.rate_per_s, limits.burst, log))
    finally:
        log.close()


def _unusable_key(settings: Settings) -> str:
    """A key that was refused, as because it stands in another setting too: it must not be shown either."""
    secret = os.environ.get(KEY_ENV, "").strip()
    if not secret and settings.api.key_file is not None:
        with suppress(OSError, ValueError):
            secret = settings.api.key_file.read_text(encoding="utf-8").strip()
    return secret


def _redacted(check: Check, secret: str) -> Check:
    remedy = None if check.remedy is None else _without_key(check.remedy, secret)
    return replace(check, found=_without_key(check.found, secret), remedy=remedy)


def _without_key(text: str, secret: str) -> str:
    """A server may repeat it, and a user may have put it into another setting."""
    return text.replace(secret, "***") if len(secret) >= 4 else text
