"""The repository's pages, and what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *(ROOT / "deploy").rglob("*.md"),
)
_SKIPPED = {"__pycache__", "build", "demo", "dist"}
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_VARIES = re.compile(r"(?<=127\.0\.0\.1:)\d+")


@dataclass(frozen=True, slots=True)
class Shown:
    """A command of a ``console`` block, and the output shown under it."""

    command: str
    output: tuple[str, ...]

    def parts(self, *, exact: bool) -> list[str]:
        """The output between the ``...`` lines, in the form of ``masked``."""
        text = "\n".join("\0" if line == "..." else line for line in self.output)
        return [masked(part, exact=exact) for part in text.split("\0") if part.strip()]


def masked(text: str, *, exact: bool) -> str:
    """A text in which line breaks, the ``...`` at a line's end and numbers (``exact``: ports) don't count."""
    ended = re.sub(r" \.\.\.$", "", text, flags=re.MULTILINE)
    return " ".join((_VARIES if exact else _NUMBER).sub("N", ended).split())


def fences(text: str, language: str) -> list[str]:
    """The blocks in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[Shown]:
    """The commands of a ``console`` block, those on lines that begin with ``$ ``."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return [Shown(command, tuple(output)) for command, output in found]


def sections(text: str) -> dict[str, str]:
    """The text under each heading of the second level."""
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def cells(text: str) -> list[list[str]]:
    """The cells of every table row, code marks taken away."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").replace("`", "").split("|")] for row in rows]


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-")


def text_files() -> Iterator[Path]:
    """Every file of the repository that people wrote."""
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part not in {".ci", ".gitignore"} for part in inside)
        if path.is_file() and not hidden and not _SKIPPED & set(inside) and "egg-info" not in str(path):
            yield path
