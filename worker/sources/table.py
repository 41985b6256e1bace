"""CSV and its relatives: a header, then rows divided by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from worker.sources.control import NO_CONTROL, control_columns, control_of, named_twice
from worker.sources.decode import MAX_LINE, Line
from worker.sources.ids import BLANKS, find_column, parse_id, wanted_names
from worker.sources.place import Entry, Source, printable

DELIMITERS = ",;\t"
_NAMED_DELIMITERS = ",;\t|:"
_SEP = re.compile(r' *"?sep=(.)"? *', re.IGNORECASE)
_MAX_HEADER_LINES = 20
_UNCLOSED = "a quote that is opened here is not closed, or has text after it; mend the quotes"


def named_delimiter(text: str) -> str | None:
    """Give the delimiter that Excel's ``sep=`` line names; None if it is no such line."""
    found = _SEP.fullmatch(text)
    return found[1] if found and found[1] in _NAMED_DELIMITERS else None


def has_delimiter(text: str) -> bool:
    """Tell whether a first line is divided, so that it must be a header."""
    return any(delimiter in text.strip(BLANKS) for delimiter in DELIMITERS)


def header_delimiter(text: str, column: str | None) -> str | None:
    """Give the delimiter under which the line is a header with the id in it; None if it is no header."""
    fits = [one for one in DELIMITERS if find_column(_cells(text, one), column)]
    return max(fits, key=lambda one: len(_cells(text, one)), default=None)


def is_numbered_header(text: str, column: str | None) -> bool:
    """Tell a header whose first column is named ``#`` from a comment."""
    delimiter = header_delimiter(text, column)
    return delimiter is not None and _cells(text, delimiter)[0].strip() == "#"


def whole_header(first: Line, lines: Iterator[Line], source: Source) -> Line:
    """Add the lines that a quoted header cell goes on over. Raises InputError if it is too long."""
    if first.cut:
        raise source.error(f"longer than {MAX_LINE} characters; is this a list of ids?", first.number)
    text = first.text
    for _ in range(_MAX_HEADER_LINES):
        if text.count('"') % 2 == 0:
            return first._replace(text=text)
        more = next(lines, None)
        if more is None or more.cut:
            break
        text += "\n" + more.text
    raise source.error(_UNCLOSED, first.number)


def no_header(first: Line, source: Source) -> Exception:
    """Make the error for a divided first line that names no column we know."""
    cells = max((_cells(first.text, one) for one in DELIMITERS), key=len)
    if parse_id(cells[0]) is not None:
        return source.error(
            "has several columns but no header; add a first line with their names, "
            "batchId for the one that holds the ids (or put one id on a line)",
            first.number,
        )
    return source.error(
        f"no column {wanted_names(source.column)}; the columns are {_names(cells)}; "
        "name the right one with --column",
        first.number,
    )


def read_table(header: Line, lines: Iterator[Line], delimiter: str, source: Source) -> Iterator[Entry]:
    """Read the rows below a header; ``line`` is where a row begins. Blank rows are skipped.

    Rejected are a row too short to have the id or a control total, and one with more cells than the header
    if the cells may have moved. Raises InputError for a quote left open, for a control total's column that
    is there twice, and for a line or row over MAX_LINE characters.
    """
    names = _cells(header.text, delimiter)
    at = _id_column(names, header.number, source)
    controls = _control_columns(names, header.number, source)
    last = max(at, *controls) if controls else at
    rows = _Rows(lines, delimiter, source)
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        rows.check_swallowed(len(names), at)
        moved = len(cells) > len(names) and (last > 0 or len(names) == 1)
        text = cells[at] if last < len(cells) and not moved else ""
        batch_id = parse_id(text)
        control = control_of([(names[c], cells[c]) for c in controls]) if controls and text else NO_CONTROL
        yield source.entry(number, batch_id, text if text.strip() else delimiter.join(cells), control)


def _id_column(names: list[str], number: int, source: Source) -> int:
    found = find_column(names, source.column)
    if len(found) > 1:
        raise source.error(f"the column '{names[found[0]].strip()}' is there twice; rename one", number)
    if not found:
        raise source.error(
            f"no column {wanted_names(source.column)}; the columns are {_names(names)}; "
            "name the right one with --column",
            number,
        )
    return found[0]


def _control_columns(names: list[str], number: int, source: Source) -> list[int]:
    again = named_twice(names)
    if again is not None:
        raise source.error(f"the column '{again}' is there twice; rename one", number)
    return control_columns(names)


class _Rows:
    """Rows of cells with the line each begins on."""

    def __init__(self, lines: Iterator[Line], delimiter: str, source: Source) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._source = source
        self._raw: list[Line] = []  # the lines of the present row
        self._size = 0

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(self._feed(), delimiter=self._delimiter, strict=True, skipinitialspace=True)
        while True:
            self._raw.clear()
            self._size = 0
            try:
                cells = next(reader, None)
            except csv.Error as error:
                what = "a cell is far too long, or " if "limit" in str(error) else ""
                raise self._source.error(what + _UNCLOSED, self._raw[0].number) from None
            if cells is None:
                return
            yield self._raw[0].number, cells

    def _feed(self) -> Iterator[str]:
        for line in self._lines:
            self._raw.append(line)
            self._size += len(line.text) + 1
            if line.cut or self._size > MAX_LINE:
                raise self._source.error(
                    f"a row of more than {MAX_LINE} characters; is a quote left open?", self._raw[0].number
                )
            yield line.text + "\n"

    def check_swallowed(self, width: int, at: int) -> None:
        """Raise InputError if a quoted cell went on over a line that is itself a row with an id."""
        for line in self._raw[1:]:
            quoted, *_ = line.text.split(
                '"', 1
            )  # after a quote on its last line the row goes on as it should
            cells = quoted.split(self._delimiter)
            if len(cells) >= width and parse_id(cells[at]) is not None:
                raise self._source.error(
                    f"a quoted cell runs on over line {line.number}, which looks like a row of its own; "
                    "close the quote or take the line break out of the cell",
                    self._raw[0].number,
                )


def _cells(text: str, delimiter: str) -> list[str]:
    lines = (line + "\n" for line in text.split("\n"))
    try:
        return next(csv.reader(lines, delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return [text]


def _names(cells: list[str]) -> str:
    shown = [f"'{printable(cell.strip(), 40)}'" for cell in cells[:10]]
    return ", ".join(shown) + (" and more" if len(cells) > 10 else "")
