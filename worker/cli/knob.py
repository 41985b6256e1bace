"""What a setting is made of: how it is reached from outside, and the kinds of its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Knob:
    """How a setting is reached from outside the program."""

    flag: str | None
    env: str | None
    metavar: str
    help: str
    secret: bool = False  # never shown, not even in an error about it


def split(value: object) -> object:
    """A list in an environment variable is separated by commas or blanks."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Group(BaseModel):
    """A table of the TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
