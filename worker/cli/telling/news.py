"""What is told of an end, in every form it is told in."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from worker.cli.session.steps import Ended
from worker.notify.services import Message
from worker.report import render_markdown, render_text
from worker.report.files import summary_json
from worker.report.markdown import code, plain
from worker.report.notice import line_of_end, subject_of
from worker.rules.notice import End
from worker.rules.summary import instant, printable
from worker.words.model import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """An end, ready to be told."""

    end: End
    line: str  # for a dead-man's switch
    message: Message  # for people
    body: bytes  # for programs: JSON
    message_id: str

    @classmethod
    def of_run(
        cls, api_host: str, ended: Ended, folder: Path, state: Path | None, ok: Collection[Outcome]
    ) -> News:
        """A run that has a summary; its exit code is that of the program."""
        exit_code = ended.exit_code
        summary = replace(ended.summary, exit_code=exit_code)
        fault = "" if ended.fault is None else f"{printable(ended.fault, None)}\n\n"
        return cls(
            end=End.of(summary, exit_code),
            line=line_of_end(summary, exit_code),
            message=Message(
                subject=subject_of(api_host, summary, exit_code),
                text=fault + render_text(summary, folder, state=state),
                markdown=plain(fault) + "\n\n" * bool(fault) + render_markdown(summary, ok),
                good=exit_code == 0,
            ),
            body=summary_json(summary),
            message_id=_message_id(),
        )

    @classmethod
    def of_failure(
        cls, api_host: str, run_id: str, line: str, exit_code: int, *, at: float, begun: bool
    ) -> News:
        """A run that has none, for it could not begin, or broke off."""
        how = "broke off" if begun else "could not begin"
        line = printable(line, 1000)
        resume = f"\nbatch-closer resume {printable(run_id)} continues it." if begun else ""
        return cls(
            end=End(exit_code),
            line=f"{how}, exit code {exit_code}: {line}",
            message=Message(
                subject=f"batch-closer at {printable(api_host)}: {how}, exit code {exit_code}",
                text=f"Run {printable(run_id)} {how}: {line}{resume}\n",
                markdown=f"Run {code(run_id)} {how}: {plain(line)}{resume}\n",
                good=False,
            ),
            body=orjson.dumps(
                {"run_id": run_id, "finished_at": instant(at), "exit_code": exit_code, "error": line},
                option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
            ),
            message_id=_message_id(),
        )


def _message_id() -> str:
    return f"msg_{secrets.token_hex(16)}"
