"""A backtest in AWS: documents, exports, job and report, with answers that a test chooses."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.validate import ParamValidator

import lab.models
from glue_scripts.backtest_arguments import parse_backtest_arguments
from lab.pages.page import to_json
from ops import backtesting
from ops.backtest import order_of
from ops.errors import OpsError
from tests.support.report_pages import page_of
from tests.support.two_models import rules_naming, two_models

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "20261127T023001000500"
RUN = f"runs/{NAME}/"
SETTINGS = backtesting.Settings(
    bucket="fraud-dev-backtest-1",
    exports_prefix="exports/",
    runs_prefix="runs/",
    state_machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:fraud-dev-backtest",
    job_name="fraud-dev-backtest",
)
EXPORTED = {"status": "SUCCEEDED", "output": '{"JobRunId": "jr_1"}'}
DECIDED = {"JobRunState": "SUCCEEDED"}


def check(service: str, operation: str, request: dict[str, Any]) -> None:
    """Compare a request with the service's own description of it."""
    shape = get_session().get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()


class StepFunctions:
    def __init__(self, *states: dict[str, Any]) -> None:
        self.started: list[dict[str, Any]] = []
        self._states = iter(states)

    def start_execution(self, **request: Any) -> dict[str, str]:
        check("stepfunctions", "StartExecution", request)
        self.started.append(request)
        return {"executionArn": "arn:execution"}

    def describe_execution(self, **request: Any) -> dict[str, Any]:
        assert request == {"executionArn": "arn:execution"}
        return next(self._states)


class Glue:
    def __init__(self, *states: dict[str, Any]) -> None:
        self._states = iter(states)

    def get_job_run(self, **request: Any) -> dict[str, Any]:
        check("glue", "GetJobRun", request)
        assert request == {"JobName": "fraud-dev-backtest", "RunId": "jr_1"}
        return {"JobRun": next(self._states)}


class S3:
    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = {f"{RUN}{name}": data for name, data in objects.items()}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - S3's names
        assert Bucket == SETTINGS.bucket
        self.objects[Key] = Body

    def get_paginator(self, operation: str) -> S3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert Bucket == SETTINGS.bucket
        yield {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


class Run:
    """One backtest with these answers."""

    def __init__(
        self,
        exports: tuple[dict[str, Any], ...] = (EXPORTED,),
        job: tuple[dict[str, Any], ...] = (DECIDED,),
        scores: dict[str, bytes] | None = None,
    ) -> None:
        self.machine, self.glue = StepFunctions(*exports), Glue(*job)
        self.s3 = S3({"report.txt": b"the report\n"} | (scores or {}))
        self.lines: list[str] = []
        self.waited: list[float] = []

    @property
    def task(self) -> backtesting.Backtest:
        return backtesting.Backtest(
            backtesting.Clients(self.s3, self.machine, self.glue),
            SETTINGS,
            datetime(2026, 11, 27, 2, 30, 1, 500, tzinfo=UTC),
            report=self.lines.append,
            wait=self.waited.append,
        )

    def run(self, scores: Path | None = None, **order: Any) -> str:
        return self.task.run(backtesting.Order(**{"rules": b"rules"} | order), scores)


def test_the_report_comes_back_and_only_it() -> None:
    run = Run()

    assert run.run() == "the report\n"
    assert set(run.s3.objects) == {f"{RUN}report.txt", f"{RUN}rules.yaml"}


def test_the_job_gets_arguments_that_it_reads_and_that_name_what_was_sent() -> None:
    run = Run()

    run.run(model=b"m", named_models={"a1": b"n", "b2": b"o"}, label_delay_days=7.0, has_scores=True)

    (started,) = run.machine.started
    given = json.loads(started["input"])
    assert (given["run"], started["name"]) == (NAME, NAME)
    assert given["as_of"] == "2026-11-27T02:24:01Z"
    read = parse_backtest_arguments([part for pair in given["arguments"].items() for part in pair])
    place = f"s3://fraud-dev-backtest-1/{RUN}"
    assert read.rows_path == read.labels_path == f"s3://fraud-dev-backtest-1/exports/{NAME}/"
    assert (read.rules_path, read.report_path) == (f"{place}rules.yaml", f"{place}report.txt")
    assert (read.model_path, read.named_models_path) == (f"{place}model.json", f"{place}models/")
    assert (read.scores_path, read.label_delay_days) == (f"{place}scores/", 7.0)
    sent = {
        name: run.s3.objects[f"{RUN}{name}"] for name in ("model.json", "models/a1.json", "models/b2.json")
    }
    assert sent == {"model.json": b"m", "models/a1.json": b"n", "models/b2.json": b"o"}


def test_what_was_not_given_is_no_argument() -> None:
    run = Run()

    run.run()

    arguments = json.loads(run.machine.started[0]["input"])["arguments"]
    assert set(arguments) == {"--rows_path", "--rules_path", "--report_path", "--label_delay_days"}


def test_exports_and_job_are_waited_for() -> None:
    run = Run(({"status": "RUNNING"},) * 2 + (EXPORTED,), ({"JobRunState": "STARTING"}, DECIDED))

    assert run.run() == "the report\n"
    assert len(run.waited) == 3
    assert [line.rpartition(" ")[2] for line in run.lines[1:]] == ["STARTING", "SUCCEEDED"]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_failed_exports_end_it_with_their_reason(status: str) -> None:
    with pytest.raises(OpsError, match=f"the exports ended with {status}: because"):
        Run(({"status": status, "cause": "because"},)).run()


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED"])
def test_a_job_that_fails_ends_it_with_its_reason(state: str) -> None:
    with pytest.raises(OpsError, match=f"the job ended with {state}: SystemExit: rules"):
        Run(job=({"JobRunState": state, "ErrorMessage": "SystemExit: rules"},)).run()


def test_scores_are_one_file_with_one_header(tmp_path: Path) -> None:
    parts = {
        "scores/part-1.csv": b"a,b\n3,4\n",
        "scores/part-0.csv": b"a,b\n1,2\n",
        "scores/part-2.csv": b"",
        "scores/_SUCCESS": b"",
    }

    Run(scores=parts).run(tmp_path / "new/scores.csv", has_scores=True)

    assert (tmp_path / "new/scores.csv").read_bytes() == b"a,b\n1,2\n3,4\n"


def test_the_page_of_a_run_is_fetched_and_its_absence_is_one_sentence() -> None:
    run, page = Run(), page_of("a word")

    run.s3.objects[f"{RUN}report.txt.page.json"] = to_json(page)

    assert run.task.page() == page
    with pytest.raises(OpsError, match=f"^backtest {NAME}: AWS refuses its page: .*NoSuchKey"):
        Run().task.page()


def test_a_refused_request_is_one_sentence() -> None:
    run = Run()
    del run.s3.objects[f"{RUN}report.txt"]

    with pytest.raises(OpsError, match=f"^backtest {NAME}: AWS refuses a request: .*NoSuchKey"):
        run.run()


@pytest.mark.parametrize("outputs", [{}, {"backtest": None}])
def test_an_environment_without_backtests_says_how_to_have_them(outputs: dict[str, Any]) -> None:
    with pytest.raises(OpsError, match=r"^dev runs no backtests; set `backtest` in its tfvars"):
        backtesting.settings_of(outputs, "dev")


def test_the_settings_are_those_of_the_module() -> None:
    module = Path("terraform/modules/backtest/outputs.tf").read_text()
    fields = backtesting.Settings.__struct_fields__

    found = backtesting.settings_of({"backtest": {field: field for field in fields}}, "dev")

    assert found.bucket == "bucket"
    assert all(f"    {field} " in module for field in fields)


def options(**changes: Any) -> argparse.Namespace:
    given = {"rules": Path("rules/default.yaml"), "model": None, "out": None, "label_delay_days": 0.0}
    return argparse.Namespace(**given | changes)


def test_the_documents_are_read_with_all_models_that_the_ruleset_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = two_models(tmp_path / "models")
    monkeypatch.setattr(lab.models, "MODELS", tmp_path / "models")
    rules, model = tmp_path / "rules.yaml", Path("models/default.json")
    rules.write_text(rules_naming(*models))

    assert order_of(options(rules=rules, out=tmp_path / "s.csv")) == backtesting.Order(
        rules=rules.read_bytes(), named_models=models, has_scores=True
    )
    assert order_of(options(model=model)).model == model.read_bytes()


def test_a_document_that_is_not_there_is_named(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    with pytest.raises(OpsError, match=r"^There is no file .*rules\.yaml"):
        order_of(options(rules=rules))
    with pytest.raises(OpsError, match=r"^There is no file .*m\.json"):
        order_of(options(model=tmp_path / "m.json"))
    rules.write_text(rules_naming("a" * 64, "b" * 64))
    with pytest.raises(OpsError, match="names models that are not in models/: aaaaaaaaaaaa, bbbbbbbbbbbb"):
        order_of(options(rules=rules))
