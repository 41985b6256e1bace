"""From flags, environment and TOML to checked settings: each value remembers where it came from."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import SecretStr, ValidationError

from worker.cli.settings.tree import Entry, Settings, entries
from worker.rules.guards import parse_action
from worker.words.errors import ConfigurationError

CONFIG_ENV = "BATCH_CLOSER_CONFIG"
YES_ENV = "BATCH_CLOSER_YES"
_PREFIX = "BATCH_CLOSER_"
KEY_ENV = "ENERGYCAP_API_KEY"
GUARD = "guard"
"""The parameter of ``--guard``, which stands for a setting of each guard."""
KEY_FILE_ENV = "ENERGYCAP_API_KEY_FILE"
_KEY_LENGTH = 8  # what is shorter is no key of the API's, and may stand anywhere by chance


class Given(NamedTuple):
    """A value and where it came from, in words for an error."""

    value: object
    source: str


def resolve(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    config: Path | None,
    earlier: Mapping[str, Any] | None = None,
) -> Settings:
    """Check and combine: flags before environment before TOML before ``earlier`` (a resumed run's) settings.

    Raises ConfigurationError: one line that names the setting and its source.
    """
    layers = [_from_flags(flags), _from_environment(environ), _from_toml(_config_file(environ, config))]
    layers.append(_from_tables(earlier or {}, "the run's own settings"))
    given: dict[str, Given] = {}
    for layer in reversed(layers):
        given.update(layer)
    tables: dict[str, dict[str, object]] = {"api": {}}
    for entry in entries():
        if entry.path in given:
            tables.setdefault(entry.group, {})[entry.name] = given[entry.path].value
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        raise ConfigurationError(_explain(error, given)) from None


def _from_flags(flags: Mapping[str, object]) -> dict[str, Given]:
    given = {
        entry.path: Given(flags[entry.parameter], entry.knob.flag or "")
        for entry in entries()
        if flags.get(entry.parameter) not in (None, ())
    }
    for text in cast("Iterable[str]", flags.get(GUARD) or ()):
        name, action = parse_action(text)
        given[f"guards.{name}"] = Given(action, "--guard")
    return given


def _from_environment(environ: Mapping[str, str]) -> dict[str, Given]:
    _refuse_slips(environ)
    return {
        entry.path: Given(environ[entry.knob.env], f"environment variable {entry.knob.env}")
        for entry in entries()
        if entry.knob.env and environ.get(entry.knob.env)
    }


def _refuse_slips(environ: Mapping[str, str]) -> None:
    """A bound whose name is misspelt would be missing without a word; what is named otherwise is others'."""
    known = {entry.knob.env for entry in entries() if entry.knob.env} | {CONFIG_ENV, YES_ENV}
    endings = sorted(name.removeprefix(_PREFIX) for name in known if name.startswith(_PREFIX))
    for name in sorted(environ):
        if not name.startswith(_PREFIX) or name in known:
            continue
        for ending in difflib.get_close_matches(name.removeprefix(_PREFIX), endings, n=1, cutoff=0.8):
            raise ConfigurationError(
                f"environment variable {name} is no setting; did you mean {_PREFIX}{ending}?"
            )


def _config_file(environ: Mapping[str, str], config: Path | None) -> Path | None:
    if config is not None:
        return config
    named = environ.get(CONFIG_ENV)
    return Path(named) if named else None


def _from_toml(path: Path | None) -> dict[str, Given]:
    if path is None:
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"config file {path} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or a number of thousands of digits
        raise ConfigurationError(f"config file {path} is no TOML: {error}") from None
    _refuse_unknown(data, path)
    return _from_tables(data, f"config file {path}")


def _refuse_unknown(data: Mapping[str, Any], path: Path) -> None:
    known = [entry.path for entry in entries()]
    groups = {entry.group for entry in entries()}
    for group, table in data.items():
        if group not in groups:
            _unknown(group, [*groups, *known], path)
        if not isinstance(table, dict):
            raise ConfigurationError(
                f"config file {path}: {group} must be a table: write [{group}] above its keys"
            )
        for name in table:
            if f"{group}.{name}" not in known:
                _unknown(f"{group}.{name}", known, path)


def _unknown(key: str, known: list[str], path: Path) -> None:
    begun = [each for each in sorted(known) if each.startswith(key)]
    close = begun or difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"
    raise ConfigurationError(f"config file {path}: unknown key {key}{hint}")


def _from_tables(data: Mapping[str, Any], source: str) -> dict[str, Given]:
    return {
        f"{group}.{name}": Given(value, source)
        for group, table in data.items()
        for name, value in table.items()
    }


_NO_BASE_URL = (
    "no base URL: give --base-url https://HOST, set BATCH_CLOSER_BASE_URL, "
    "or put api.base_url into the config file"
)


def _explain(error: ValidationError, given: Mapping[str, Given]) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    path = ".".join(str(part) for part in first["loc"][:2])
    if first["type"] == "missing" and path == "api.base_url":
        return _NO_BASE_URL
    what = first["msg"].removeprefix("Value error, ")
    what = what.rpartition(" can't be used: ")[2]
    what = what[:1].lower() + what[1:]
    entry: Entry | None = next((entry for entry in entries() if entry.path == path), None)
    if path not in given or entry is None:
        return f"setting {path} can't be used: {what}"
    if entry.knob.secret:
        return f"setting {path} (from {given[path].source}) can't be used: {what}"
    value = given[path].value
    shown = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return f"setting {path} = {shown!r} (from {given[path].source}) can't be used: {what}"


def read_key(environ: Mapping[str, str], settings: Settings) -> SecretStr:
    """The API key: from the environment, else from the file that it or the config file names.

    Raises ConfigurationError, never with the key in it.
    """
    key = _find_key(environ, settings)
    refuse_key_in(key, settings.model_dump_json(), "a setting")
    return key


def refuse_key_in(key: SecretStr, text: str, what: str) -> None:
    """Raise ConfigurationError where the key stands in what would be written down."""
    if len(key.get_secret_value()) >= _KEY_LENGTH and key.get_secret_value() in text:
        raise ConfigurationError(f"the API key stands in {what}, which is written down: take it out there")


def _find_key(environ: Mapping[str, str], settings: Settings) -> SecretStr:
    if environ.get(KEY_ENV, "").strip():
        return _check_key(environ[KEY_ENV], KEY_ENV)
    file = settings.api.key_file
    if file is None:
        raise ConfigurationError(
            f"no API key: set {KEY_ENV}, or name a file that holds it in {KEY_FILE_ENV} or api.key_file"
        )
    name = _name_of(file)
    try:
        return _check_key(file.read_text(encoding="utf-8-sig"), name)
    except OSError as error:
        raise ConfigurationError(f"{name} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name} is no text") from None


def _name_of(file: Path) -> str:
    """The key file's name, unless it may be the key itself, put where the file's name belongs."""
    is_name = file.is_absolute() or file.suffix or os.path.lexists(file)
    if is_name or (len(file.parts) > 1 and os.path.lexists(file.parent)):
        return f"key file {file}"
    return f"the key file that {KEY_FILE_ENV} or api.key_file names (the key itself belongs in {KEY_ENV})"


def _check_key(text: str, source: str) -> SecretStr:
    key = text.strip()
    if not key:
        raise ConfigurationError(f"{source} is empty: it must hold the API key")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(f"{source} holds no API key: it must be one word of printable ASCII")
    return SecretStr(key)
