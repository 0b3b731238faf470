"""A training in AWS: exports, job and model, with answers that a test chooses."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.validate import ParamValidator

from engine.model.drift import Baseline
from engine.model.tables import read_model
from ops import exports, training
from ops.errors import OpsError
from tests.support.model_samples import model_document

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 27, 2, 30, 1, 500, tzinfo=UTC)
AS_OF = datetime(2026, 11, 27, 2, 24, 1, tzinfo=UTC)
RUN = "20261127T023001"
NAME = f"fraud-dev-{RUN}"
PROPOSED = "fraud-dev-rules-1"
SETTINGS = training.Settings(
    trainers_role_arn="arn:aws:iam::123456789012:role/fraud-dev-trainers",
    state_machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:fraud-dev-training",
    job_name_prefix="fraud-dev",
    bucket="fraud-dev-training-1",
    code_prefix="code/",
    proposed_url=f"s3://{PROPOSED}/models/proposed/",
)


def _check(service: str, operation: str, request: dict[str, Any]) -> None:
    """Compare a request with the service's own description of it."""
    shape = get_session().get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class StepFunctions:
    def __init__(self, *states: dict[str, Any]) -> None:
        self.started: list[dict[str, Any]] = []
        self._states = iter(states)

    def start_execution(self, **request: Any) -> dict[str, str]:
        _check("stepfunctions", "StartExecution", request)
        self.started.append(request)
        return {"executionArn": "arn:execution"}

    def describe_execution(self, **request: Any) -> dict[str, Any]:
        assert request == {"executionArn": "arn:execution"}
        return next(self._states)


class Sagemaker:
    def __init__(self, *states: dict[str, Any]) -> None:
        self._states = iter(states)

    def describe_training_job(self, **request: Any) -> dict[str, Any]:
        assert request == {"TrainingJobName": NAME}
        return next(self._states)


class S3:
    def __init__(self, **proposed: bytes) -> None:
        self.sent: dict[tuple[str, str], bytes] = {}
        self._made = {
            f"models/proposed/{NAME}/output/model/{NAME}.{ending}": data for ending, data in proposed.items()
        }

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - S3's names
        self.sent[Bucket, Key] = Body

    def get_paginator(self, operation: str) -> S3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert Bucket == PROPOSED
        found = [{"Key": key} for key in self._made if key.startswith(Prefix)]
        yield {"Contents": found} if found else {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == PROPOSED
        return {"Body": io.BytesIO(self._made[Key])}


STARTED = {"status": "SUCCEEDED", "output": '{"TrainingJobArn": "arn:job"}'}
COMPLETED = {
    "TrainingJobStatus": "Completed",
    "ModelArtifacts": {"S3ModelArtifacts": f"s3://{PROPOSED}/models/proposed/{NAME}/output/model/"},
}


class Run:
    """One training with these answers."""

    def __init__(
        self,
        tmp_path: Path,
        exports: tuple[dict[str, Any], ...] = (STARTED,),
        job: tuple[dict[str, Any], ...] = (COMPLETED,),
        **proposed: bytes,
    ) -> None:
        self.machine, self.sagemaker, self.s3 = StepFunctions(*exports), Sagemaker(*job), S3(**proposed)
        self.lines: list[str] = []
        self.waited: list[float] = []
        self._folder = tmp_path / "models"
        for name in ("rules.yaml", "code.zip", "job.py"):
            (tmp_path / name).write_text(name)
        self._order = training.Order(
            tmp_path / "rules.yaml",
            tmp_path / "code.zip",
            tmp_path / "job.py",
            ("--until", AS_OF.isoformat()),
        )

    def run(self) -> list[Path]:
        clients = training.Clients(self.machine, self.s3, self.sagemaker)
        task = training.Training(clients, SETTINGS, NOW, report=self.lines.append, wait=self.waited.append)
        return task.run(self._order, self._folder)


def test_the_state_machine_is_asked_for_a_run_as_of_one_moment(tmp_path: Path) -> None:
    run = Run(tmp_path, json=b"{}")

    run.run()

    (started,) = run.machine.started
    given = json.loads(started["input"])
    assert (started["stateMachineArn"], started["name"]) == (SETTINGS.state_machine_arn, RUN)
    assert (given["run"], given["as_of"]) == (RUN, "2026-11-27T02:24:01Z")
    assert given["arguments"] == [
        *("--export", "/opt/ml/input/data/export", "--rules", "/opt/ml/input/data/code/rules.yaml"),
        *("--out", f"/opt/ml/model/{NAME}.json", "--until", "2026-11-27T02:24:01+00:00"),
    ]


def test_the_code_is_sent_to_the_folder_of_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path, json=b"{}")

    run.run()

    sent = {key: body.decode() for (bucket, key), body in run.s3.sent.items() if bucket == SETTINGS.bucket}
    assert sent == {f"code/{RUN}/{name}": name for name in ("rules.yaml", "code.zip", "job.py")}


def test_it_waits_for_exports_and_job_and_fetches_what_was_made(tmp_path: Path) -> None:
    running = {"status": "RUNNING"}
    states = [
        {"TrainingJobStatus": "InProgress", "SecondaryStatus": each}
        for each in ("Starting", "Training", "Training")
    ]
    run = Run(
        tmp_path,
        (running, STARTED),
        (*states, COMPLETED),
        baseline=b"[]",
        md=b"card",
        json=b"{}",
        svg=b"<svg/>",
    )

    files = run.run()

    assert [file.name for file in files] == [
        f"{NAME}.{ending}" for ending in ("json", "baseline", "md", "svg")
    ]
    assert files[2].read_bytes() == b"card"
    assert run.waited == [30.0] * 4
    assert run.lines[1:] == [f"job {NAME}: {state}" for state in ("Starting", "Training", "Completed")]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_exports_that_failed_end_it_with_their_reason(tmp_path: Path, status: str) -> None:
    run = Run(tmp_path, ({"status": status, "cause": "no access to the bucket"},))

    with pytest.raises(OpsError, match=f"{NAME}: the exports ended with {status}: no access to the bucket"):
        run.run()


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_ends_otherwise_is_reported_with_its_reason(tmp_path: Path, status: str) -> None:
    run = Run(tmp_path, job=({"TrainingJobStatus": status, "FailureReason": "0 frauds are known"},))

    with pytest.raises(OpsError, match=rf"The job {NAME} has {status.lower()}: 0 frauds are known"):
        run.run()


def test_a_job_that_has_left_no_model_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match=rf"has left no {NAME}\.json at s3://{PROPOSED}/"):
        Run(tmp_path, md=b"card").run()


def test_a_refused_request_is_reported_with_the_trainings_name(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.machine.start_execution = _raise  # type: ignore[assignment] # the refusal

    with pytest.raises(OpsError, match=rf"{NAME}: AWS refuses a request: .*AccessDenied"):
        run.run()


def _raise(**_: Any) -> None:
    raise _refusal("AccessDeniedException")


@pytest.mark.parametrize("outputs", [{}, {"training": None}])
def test_an_environment_without_training_says_how_to_get_it(outputs: dict[str, Any]) -> None:
    with pytest.raises(OpsError, match="dev trains no models; set `training` in its tfvars"):
        training.settings_of(outputs, "dev")


class Sts:
    def __init__(self, *refusals: str) -> None:
        self.asked: list[dict[str, Any]] = []
        self._refusals = list(refusals)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        _check("sts", "AssumeRole", request)
        self.asked.append(request)
        if self._refusals:
            raise _refusal(self._refusals.pop())
        return {"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t"}}


def test_the_trainers_role_is_taken_for_the_hours_of_a_training() -> None:
    sts = Sts()

    found = training.signed_in(sts, SETTINGS)

    assert found == {"aws_access_key_id": "a", "aws_secret_access_key": "s", "aws_session_token": "t"}
    assert [request["DurationSeconds"] for request in sts.asked] == [43_200]


def test_whoever_is_a_role_already_takes_it_for_an_hour() -> None:
    sts = Sts("ValidationError")

    training.signed_in(sts, SETTINGS)

    assert [request["DurationSeconds"] for request in sts.asked] == [43_200, 3_600]


def test_whoever_may_not_take_the_role_is_told_where_it_is_allowed() -> None:
    with pytest.raises(OpsError, match=r"role/fraud-dev-trainers; `training.trainer_arns` lists who may"):
        training.signed_in(Sts("AccessDenied"), SETTINGS)


def _options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    training.add_options(parser)
    return parser.parse_args(arguments)


def _repository(tmp_path: Path) -> Path:
    (tmp_path / "build" / "training-job").mkdir(parents=True)
    (tmp_path / "build" / "training-job" / "code.zip").touch()
    (tmp_path / "rules.yaml").touch()
    return tmp_path


def test_an_order_is_as_of_the_exports_unless_an_earlier_time_is_named(tmp_path: Path) -> None:
    root = _repository(tmp_path)
    rules = str(root / "rules.yaml")

    now = training.order_of(_options("--rules", rules), root, AS_OF)
    then = training.order_of(
        _options("--rules", rules, "--until", "2026-11-01", "--label-delay-days", "3.5", "--weekly"),
        root,
        AS_OF,
    )

    days = ("--train-days", "28", "--label-delay-days")
    assert now.arguments == ("--until", "2026-11-27T02:24:01+00:00", *days, "7")
    assert then.arguments == ("--until", "2026-11-02T00:00:00+00:00", *days, "3.5", "--weekly")


def test_a_time_after_the_exports_is_refused_before_anything_is_exported(tmp_path: Path) -> None:
    root = _repository(tmp_path)
    options = _options("--rules", str(root / "rules.yaml"), "--until", "2026-11-28")

    with pytest.raises(OpsError, match=r"UNTIL is 2026-11-29T00:00.*exported as of 2026-11-27T02:24"):
        training.order_of(options, root, AS_OF)


@pytest.mark.parametrize("missing", ["rules.yaml", "build/training-job/code.zip"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    root = _repository(tmp_path)
    (root / missing).unlink()

    with pytest.raises(OpsError, match=f"There is no file .*{missing}"):
        training.order_of(_options("--rules", str(root / "rules.yaml")), root, AS_OF)


def _fetched(folder: Path, model: bytes, counted: bytes | None = None) -> list[Path]:
    """The files of a model and its baseline, which may have been counted for another one."""
    document, baseline = folder / "m.json", folder / "m.baseline"
    document.write_bytes(model)
    sha256 = read_model(model if counted is None else counted, "m").sha256
    baseline.write_bytes(msgspec.json.encode(Baseline(sha256, 1.0, {}, [1.0])))
    return [document, baseline]


def test_what_was_fetched_is_checked_and_said_to_be_a_proposal(tmp_path: Path) -> None:
    text = training.proposal(_fetched(tmp_path, model_document()), SETTINGS)

    assert "m.baseline belongs to it" in text
    assert "It is proposed, below s3://fraud-dev-rules-1/models/proposed/, and nothing uses it." in text
    assert str(tmp_path / "m.md") in text


def test_a_model_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    files = _fetched(tmp_path, b"{}", model_document())

    with pytest.raises(OpsError, match=r"The job's model cannot be used: .*m\.json"):
        training.proposal(files, SETTINGS)


def test_a_model_whose_baseline_is_missing_or_damaged_or_of_another_model_is_refused(tmp_path: Path) -> None:
    document, baseline = _fetched(tmp_path, model_document(), model_document(intercept=-2.0))

    with pytest.raises(OpsError, match=r"m\.baseline is of model [0-9a-f]{12}, and not of [0-9a-f]{12}"):
        training.proposal([document, baseline], SETTINGS)
    with pytest.raises(OpsError, match=r"has left no m\.baseline"):
        training.proposal([document], SETTINGS)
    baseline.write_bytes(b"{")
    with pytest.raises(OpsError, match=r"cannot be used: .*m\.baseline"):
        training.proposal([document, baseline], SETTINGS)


def test_the_settings_are_those_of_the_module() -> None:
    module = Path("terraform/modules/training/outputs.tf").read_text()
    fields = training.Settings.__struct_fields__

    found = training.settings_of({"training": {field: field for field in fields}}, "dev")

    assert found.bucket == "bucket"
    assert all(f"    {field} " in module for field in fields)


def test_an_export_is_further_back_than_dynamodbs_backup() -> None:
    assert timedelta(minutes=5) < exports.DELAY
