"""Backtest a ruleset in AWS on what an environment has stored: ``make backtest ENV=``.

A state machine exports the history and the labels, and starts a Glue job over the exports. The payments never leave the account: this machine
sends a ruleset and a model, and gets the report, and the scores only if it asks for them.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from lab.pages.page import PAGE_SUFFIX, from_json
from ops import exports
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from lab.pages.page import Page

OUTPUT: Final = "backtest"
"""The root module's output: what terraform/modules/backtest says."""

POLL_SECONDS: Final = 15.0

RULES_FILE: Final = "rules.yaml"
REPORT_FILE: Final = "report.txt"
SCORES_FOLDER: Final = "scores/"
MODEL_FILE: Final = "model.json"
NAMED_MODELS_FOLDER: Final = "models/"

_ENDED: Final = frozenset({"SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED"})
"""States of a Glue run that do not change any more."""


class Settings(msgspec.Struct, frozen=True):
    """What terraform/modules/backtest says."""

    bucket: str
    exports_prefix: str
    runs_prefix: str
    state_machine_arn: str
    job_name: str


class Clients(msgspec.Struct, frozen=True):
    """Clients of the services that are called."""

    s3: Any
    stepfunctions: Any
    glue: Any


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be decided again."""

    rules: bytes
    """The ruleset's document."""
    named_models: dict[str, bytes] = {}
    """By sha256, of the models that it names, its candidate's too."""
    model: bytes | None = None
    """Of a model in the place of the champion's."""
    label_delay_days: float = 0.0
    has_scores: bool = False


def settings_of(outputs: dict[str, Any], environment: str) -> Settings:
    """Read the settings from the root module's outputs; OpsError if the environment runs no backtests."""
    if outputs.get(OUTPUT) is None:
        raise OpsError(
            f"{environment} runs no backtests; set `backtest` in its tfvars and apply it (docs/guide-backtest-rows.md)."
        )
    return msgspec.convert(outputs[OUTPUT], Settings)


class Backtest:
    """One run, from the documents to the report.

    Parameters
    ----------
    clients : Clients
        With the caller's rights.
    settings : Settings
        Of the environment.
    started_at : datetime
        Now, UTC; the run is named for it.
    report : callable
        Gets a line for each step.
    wait : callable
        Waits some seconds between two looks.
    """

    def __init__(
        self,
        clients: Clients,
        settings: Settings,
        started_at: datetime,
        *,
        report: Callable[[str], None] = print,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = f"{started_at:%Y%m%dT%H%M%S%f}"
        self._as_of = exports.moment(started_at)
        self._clients = clients
        self._settings = settings
        self._report = report
        self._wait = wait
        self._prefix = f"{settings.runs_prefix}{self.name}/"

    def run(self, order: Order, scores: Path | None = None) -> str:
        """Export, decide again, and fetch the report.

        Parameters
        ----------
        order : Order
            What is to be decided again.
        scores : Path | None
            The file that gets the scores, if the order has them.

        Returns
        -------
        str
            The report.

        Raises
        ------
        OpsError
            Saying which step failed, and why.
        """
        try:
            job_run = self._exported(self._start(order))
            self._decided(job_run)
            if scores is not None:
                self._fetch_scores(scores)
            return self._read(f"{self._prefix}{REPORT_FILE}").decode()
        except (BotoCoreError, ClientError) as error:
            raise OpsError(f"backtest {self.name}: AWS refuses a request: {error}") from error

    def page(self) -> Page:
        """Fetch the page of a run that is complete.

        Raises
        ------
        OpsError
            Where it cannot be fetched.
        """
        try:
            return from_json(self._read(f"{self._prefix}{REPORT_FILE}{PAGE_SUFFIX}"))
        except (BotoCoreError, ClientError) as error:
            raise OpsError(f"backtest {self.name}: AWS refuses its page: {error}") from error

    def _start(self, order: Order) -> str:
        """Send the documents and start the state machine; give the execution's ARN."""
        documents = {RULES_FILE: order.rules}
        for sha256, data in order.named_models.items():
            documents[f"{NAMED_MODELS_FOLDER}{sha256}.json"] = data
        if order.model is not None:
            documents[MODEL_FILE] = order.model
        for name, data in documents.items():
            self._clients.s3.put_object(Bucket=self._settings.bucket, Key=f"{self._prefix}{name}", Body=data)
        url = f"s3://{self._settings.bucket}/"
        arguments = {
            "--rows_path": f"{url}{self._settings.exports_prefix}{self.name}/",
            "--rules_path": f"{url}{self._prefix}{RULES_FILE}",
            "--report_path": f"{url}{self._prefix}{REPORT_FILE}",
            "--label_delay_days": str(order.label_delay_days),
        }
        if order.named_models:
            arguments["--named_models_path"] = f"{url}{self._prefix}{NAMED_MODELS_FOLDER}"
        if order.model is not None:
            arguments["--model_path"] = f"{url}{self._prefix}{MODEL_FILE}"
        if order.has_scores:
            arguments["--scores_path"] = f"{url}{self._prefix}{SCORES_FOLDER}"
        machine = self._settings.state_machine_arn
        execution = exports.start(self._clients.stepfunctions, machine, self.name, self._as_of, arguments)
        self._report(
            f"backtest {self.name}: exporting the history and the labels to {arguments['--rows_path']}"
        )
        return execution

    def _exported(self, execution_arn: str) -> str:
        """Wait for the exports; give the id of the job's run."""
        wait = partial(self._wait, POLL_SECONDS)
        answer = exports.until_started(
            self._clients.stepfunctions, execution_arn, f"backtest {self.name}", wait
        )
        job_run: str = answer["JobRunId"]
        return job_run

    def _decided(self, job_run: str) -> None:
        shown = ""
        while True:
            found = self._clients.glue.get_job_run(JobName=self._settings.job_name, RunId=job_run)["JobRun"]
            state = found["JobRunState"]
            if state != shown:
                self._report(f"{self._settings.job_name} {job_run}: {state}")
                shown = state
            if state == "SUCCEEDED":
                return
            if state in _ENDED:
                reason = found.get("ErrorMessage", "no reason given")
                raise OpsError(f"backtest {self.name}: the job ended with {state}: {reason}")
            self._wait(POLL_SECONDS)

    def _fetch_scores(self, file: Path) -> None:
        """Write the parts of the scores as one file with one header."""
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._settings.bucket, Prefix=f"{self._prefix}{SCORES_FOLDER}"
        )
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        header = b""
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as whole:
            for key in sorted(key for key in keys if key.endswith(".csv")):
                first, _, rest = self._read(key).partition(b"\n")
                if first and not header:
                    header = first
                    whole.write(header + b"\n")
                whole.write(rest)

    def _read(self, key: str) -> bytes:
        body: bytes = self._clients.s3.get_object(Bucket=self._settings.bucket, Key=key)["Body"].read()
        return body
