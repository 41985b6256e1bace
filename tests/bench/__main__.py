"""Measure it: ``python -m tests.bench [--quick] [--only PART] [--contender NAME] [--out FOLDER]``.

The whole of it takes some twenty minutes and writes RESULTS.md and results.json beside this file; with
--quick, --only or --contender it only prints, unless --out says where to write.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.bench import namespace, quiet
from tests.bench.contenders import CONTENDERS, Contender
from tests.bench.costs import FailedError, own_peak_mib, two_cores
from tests.bench.figures import Record
from tests.bench.machine import describe
from tests.bench.page import page
from tests.bench.parts import asked, closes, rates, sizes, starts
from tests.bench.servers import quickest
from tests.bench.stand import QUICK, Amount, Stand, say

Measure = Callable[[Stand, Amount, Sequence[Contender]], Any]
MEASURES: dict[str, Measure] = {
    "closes": closes.measure,
    "sizes": lambda stand, amount, _: sizes.measure(stand, amount),
    "rates": lambda stand, amount, _: rates.measure(stand, amount),
    "asked": lambda stand, amount, _: asked.measure(stand, amount),
    "starts": lambda stand, amount, _: starts.measure(stand, amount),
}


def main() -> None:
    given = parsed(sys.argv[1:])
    open_why = None if given.inside else namespace.enter(sys.argv[1:])
    if given.inside:
        namespace.raise_loopback()
    else:
        say(f"the network stays open: {open_why}")
    record = measured(given, open_why)
    text = page(record)
    print(text, end="")
    partly = given.quick or given.only or given.contender
    out = given.out or (None if partly else Path(__file__).parent)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "RESULTS.md").write_text(text, encoding="utf-8")
        (out / "results.json").write_text(json.dumps(plain(record), indent=1) + "\n", encoding="utf-8")


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="a minute's worth: less of everything")
    parser.add_argument(
        "--only", action="append", choices=list(MEASURES), help="measure this part; repeatable"
    )
    keys = [each.key for each in CONTENDERS]
    parser.add_argument("--contender", action="append", choices=keys, help="only this one; repeatable")
    parser.add_argument("--closes", type=int, help="of a quick contender")
    parser.add_argument("--rounds", type=int, help="of everything that is repeated")
    parser.add_argument("--largest", type=int, help="ids in the largest run")
    parser.add_argument("--seconds", type=float, help="at each rate")
    parser.add_argument("--out", type=Path, help="write RESULTS.md and results.json there")
    parser.add_argument(namespace.INSIDE, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def amount_of(given: argparse.Namespace) -> Amount:
    amount = QUICK if given.quick else Amount()
    named = {name: getattr(given, name) for name in ("closes", "rounds", "largest", "seconds")}
    return replace(amount, **{name: value for name, value in named.items() if value is not None})


def measured(given: argparse.Namespace, open_why: str | None) -> Record:
    amount, parts = amount_of(given), given.only or list(MEASURES)
    contenders = [each for each in CONTENDERS if not given.contender or each.key in given.contender]
    server_core, client_core = two_cores()
    before = quiet.used()
    with (
        tempfile.TemporaryDirectory(prefix="batch-closer-bench-") as folder,
        quickest(Path(folder), server_core) as server,
    ):
        stand = Stand(
            folder=Path(folder),
            server=server,
            server_core=server_core,
            client_core=client_core,
            open_why=open_why,
        )
        machine = describe(server.name, open_why=open_why)
        learned, failed = {}, {}
        for name in parts:
            try:
                learned[name] = MEASURES[name](stand, amount, contenders)
            except FailedError as error:
                failed[name] = str(error)
                say(f"{name}: {error}")
    others = quiet.told(quiet.by_others(before, quiet.used()))
    return Record(
        machine={**machine, "others at work": others}, floor_mib=own_peak_mib(), failed=failed, **learned
    )


def plain(value: object) -> Any:
    """The record for JSON: its costs by name too."""
    if hasattr(value, "_asdict"):
        return value._asdict()
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value


if __name__ == "__main__":
    main()
