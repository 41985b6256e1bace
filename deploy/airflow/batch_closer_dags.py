"""Two DAGs that call batch-closer: every night; and at month-end, with a person between plan and close.

For Airflow 3.1 or newer. They run where the state folder is: one worker, always the same (README.md).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, BaseOperator, Param
from airflow.sdk.exceptions import AirflowException, AirflowFailException

PROGRAM = os.environ.get("BATCH_CLOSER_PROGRAM", "/opt/batch-closer/.venv/bin/batch-closer")
STATE = os.environ.get("BATCH_CLOSER_STATE", "/var/lib/batch-closer")
# The DAG run's name, in letters that a run's name may have: a retried task continues the same run.
RUN = "{{ dag.dag_id }}-{{ run_id | replace(':', '') | replace('+', '') }}"
# It ended as it said, and another try would help nothing: a person must look.
FINAL = {1, 2, 3, 4, 5}


class BatchCloser(BaseOperator):
    """Runs the command. What is killed or stopped, or finds another run under way, is tried again."""

    template_fields: Sequence[str] = ("words",)

    def __init__(self, *, words: list[str], fine: frozenset[int] = frozenset({0}), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words
        self.fine = fine
        self._hook = SubprocessHook()

    def execute(self, context: Any) -> None:  # noqa: ARG002 - Airflow's signature
        """Run it; its log and summary go to the task's log."""
        environ = {**os.environ, "BATCH_CLOSER_STATE": STATE}
        code = self._hook.run_command([PROGRAM, *self.words], env=environ).exit_code
        if code in self.fine:
            return
        told = f"batch-closer {self.words[0]} ended with exit code {code}; the task's log says why"
        raise AirflowFailException(told) if code in FINAL else AirflowException(told)

    def on_kill(self) -> None:
        """Have it drain: SIGTERM, as Airflow was told to stop the task."""
        self._hook.send_sigterm()


USUAL: dict[str, Any] = {
    "start_date": pendulum.datetime(2026, 1, 1, tz="UTC"),
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {"retries": 3, "retry_delay": timedelta(minutes=1)},
    "tags": ["energycap"],
}

with DAG("batch_closer_nightly", schedule="30 1 * * *", doc_md=__doc__, **USUAL):
    # What is closed: the open batches of the key's own user, a day old at least. Make it yours.
    BatchCloser(
        task_id="close",
        words=[
            "close",
            "--open",
            "--owner=me",
            "--older-than=1d",
            "--max-batches=500",
            f"--run-id={RUN}",
            "--resume",
            "--yes",
            "--log-level=warning",
        ],
    )

with DAG(
    "batch_closer_month_end",
    schedule=None,
    params={
        "period": Param("last-month", type="string", pattern="^(last-month|this-month|[0-9]{4}-[0-9]{2})$")
    },
    doc_md=__doc__,
    **USUAL,
):
    plan = BatchCloser(
        task_id="plan",
        words=["plan", "--open", "--period={{ params.period }}", f"--out={STATE}/plan-{RUN}.json"],
        fine=frozenset({0, 3}),  # 3: something would be held; whoever reads the plan decides
    )
    approve = ApprovalOperator(
        task_id="approve",
        subject="Close what the plan says?",
        body="What would be closed, and what it releases, is at the end of the log of the task `plan`. "
        "A close can't be undone.",
    )
    close = BatchCloser(
        task_id="close",
        words=[
            "close",
            f"--plan={STATE}/plan-{RUN}.json",
            f"--run-id={RUN}",
            "--resume",
            "--yes",
            "--log-level=warning",
        ],
    )
    plan >> approve >> close
