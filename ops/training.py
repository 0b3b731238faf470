"""Train a model in AWS on what an environment has stored: ``make train ENV=``.

A state machine exports the history and the labels as of one moment and starts a SageMaker job, which trains on the exports, and what it made is fetched. The
payments never leave the account: this machine sends code and rules, and gets a model and its card.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from engine.errors import InvalidModelError
from engine.model.drift import read_baseline
from engine.model.tables import read_model
from ops import exports
from ops.errors import OpsError
from training.baseline import SUFFIX
from training.options import TRAIN_DAYS, add_delay, until_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from datetime import datetime

OUTPUT: Final = "training"
"""The root module's output: what terraform/modules/training says of a training."""

POLL_SECONDS: Final = 30.0
SESSION_SECONDS: Final = 12 * 3600
"""Of the trainers' role, if it is not taken by another role: then AWS allows an hour."""
CHAINED_SECONDS: Final = 3600

INPUT: Final = "/opt/ml/input/data"
"""Where SageMaker puts a job's input, a folder for each channel."""
OUT: Final = "/opt/ml/model"
"""What is there at a job's end is stored."""

JOB_FILE: Final = "job.py"
RULES_FILE: Final = "rules.yaml"


class Settings(msgspec.Struct, frozen=True):
    """What terraform/modules/training says."""

    trainers_role_arn: str
    state_machine_arn: str
    job_name_prefix: str
    bucket: str
    code_prefix: str
    proposed_url: str


class Clients(msgspec.Struct, frozen=True):
    """Clients of the services that are called."""

    stepfunctions: Any
    s3: Any
    sagemaker: Any


class Order(msgspec.Struct, frozen=True):
    """What is to be trained."""

    rules: Path
    """The ruleset beside which the model will decide."""
    code: Path
    """The zip that ``make train`` has built."""
    job_file: Path
    """The file that unpacks it: ``training/job.py``."""
    arguments: tuple[str, ...]
    """Further options of ``python -m training``."""


def settings_of(outputs: dict[str, Any], environment: str) -> Settings:
    """Read the settings from the root module's outputs; OpsError if the environment trains no models."""
    if outputs.get(OUTPUT) is None:
        raise OpsError(
            f"{environment} trains no models; set `training` in its tfvars and apply it (docs/guide-training.md)."
        )
    return msgspec.convert(outputs[OUTPUT], Settings)


def signed_in(sts: Any, settings: Settings) -> dict[str, str]:
    """Take the trainers' role.

    Returns
    -------
    dict
        Of boto3's client: the credentials.

    Raises
    ------
    OpsError
        If the caller may not take the role.
    """
    for seconds in (SESSION_SECONDS, CHAINED_SECONDS):
        try:
            answer = sts.assume_role(
                RoleArn=settings.trainers_role_arn, RoleSessionName="make-train", DurationSeconds=seconds
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError" and seconds != CHAINED_SECONDS:
                continue
            raise OpsError(
                f"You may not take the role {settings.trainers_role_arn}; `training.trainer_arns` lists who may: {error}"
            ) from error
        found = answer["Credentials"]
        return {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }
    raise AssertionError("unreachable: the last try returns or raises")


class Training:
    """One training, from the exports to the model.

    Parameters
    ----------
    clients : Clients
        With the trainers' rights.
    settings : Settings
        Of the environment.
    started_at : datetime
        Now, UTC; the training is named for it.
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
        self._run = f"{started_at:%Y%m%dT%H%M%S}"
        self.name = f"{settings.job_name_prefix}-{self._run}"
        self.as_of = exports.moment(started_at)
        self._clients = clients
        self._settings = settings
        self._report = report
        self._wait = wait

    def run(self, order: Order, folder: Path) -> list[Path]:
        """Export, train, and fetch what was made.

        Parameters
        ----------
        order : Order
            What is to be trained.
        folder : Path
            Where the model, its baseline, its card and its picture are put.

        Returns
        -------
        list[Path]
            The files, the model's document first.

        Raises
        ------
        OpsError
            Saying which step failed, and why.
        """
        try:
            self._send(order)
            self._start(order)
            url = self._follow()
            return self._fetch(url, folder)
        except (BotoCoreError, ClientError) as error:
            raise OpsError(f"{self.name}: AWS refuses a request: {error}") from error

    def _send(self, order: Order) -> None:
        prefix = f"{self._settings.code_prefix}{self._run}/"
        files = {order.code.name: order.code, JOB_FILE: order.job_file, RULES_FILE: order.rules}
        for name, file in files.items():
            self._clients.s3.put_object(
                Bucket=self._settings.bucket, Key=f"{prefix}{name}", Body=file.read_bytes()
            )

    def _start(self, order: Order) -> None:
        """Have the tables exported and the job started."""
        arguments = ["--export", f"{INPUT}/export", "--rules", f"{INPUT}/code/{RULES_FILE}"]
        arguments += ["--out", f"{OUT}/{self.name}.json", *order.arguments]
        clients, settings = self._clients, self._settings
        execution = exports.start(
            clients.stepfunctions, settings.state_machine_arn, self._run, self.as_of, arguments
        )
        self._report(
            f"{self.name}: exporting the history and the labels as of {self.as_of.isoformat()} to s3://{settings.bucket}/"
        )
        exports.until_started(clients.stepfunctions, execution, self.name, partial(self._wait, POLL_SECONDS))

    def _follow(self) -> str:
        """Wait for the job's end; give the URL of what it made."""
        shown = ""
        while True:
            found = self._clients.sagemaker.describe_training_job(TrainingJobName=self.name)
            line = f"job {self.name}: {found.get('SecondaryStatus', found['TrainingJobStatus'])}"
            if line != shown:
                self._report(line)
                shown = line
            match found["TrainingJobStatus"]:
                case "Completed":
                    url: str = found["ModelArtifacts"]["S3ModelArtifacts"]
                    return url
                case "Failed" | "Stopped" as status:
                    reason = found.get("FailureReason", "no reason given")
                    raise OpsError(f"The job {self.name} has {status.lower()}: {reason}")
            self._wait(POLL_SECONDS)

    def _fetch(self, url: str, folder: Path) -> list[Path]:
        place = urlsplit(url)
        prefix = place.path.lstrip("/")
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(Bucket=place.netloc, Prefix=prefix)
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        own = [key for key in keys if key.rpartition("/")[2].startswith(f"{self.name}.")]
        document = f"{self.name}.json"
        if document not in {key.rpartition("/")[2] for key in own}:
            raise OpsError(f"The job {self.name} has left no {document} at {url}")
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for key in sorted(own, key=lambda key: (not key.endswith(document), key)):
            file = folder / key.rpartition("/")[2]
            file.write_bytes(self._clients.s3.get_object(Bucket=place.netloc, Key=key)["Body"].read())
            files.append(file)
        return files


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``make train ENV=``."""
    parser.add_argument("--rules", type=Path, required=True, help="the ruleset beside which it will decide")
    parser.add_argument(
        "--until", type=until_of, help="train as of then (default: when the tables are exported)"
    )
    parser.add_argument("--train-days", type=int, default=TRAIN_DAYS)
    add_delay(parser)
    parser.add_argument("--weekly", action="store_true", help="train four times, a week apart")
    parser.add_argument("--folder", type=Path, default=Path("models"), help="gets the model and its card")


def order_of(options: argparse.Namespace, root: Path, as_of: datetime) -> Order:
    """Make the order of a training from the command's options.

    Parameters
    ----------
    options : Namespace
        Parsed options of :func:`add_options`.
    root : Path
        The repository.
    as_of : datetime
        As of when the tables are exported, UTC.

    Raises
    ------
    OpsError
        If a file is missing, or ``UNTIL=`` is after the exports, which have no labels of later.
    """
    until = options.until or as_of
    if until > as_of:
        raise OpsError(f"UNTIL is {until.isoformat()}; the tables are exported as of {as_of.isoformat()}")
    code = root / "build" / "training-job" / "code.zip"
    for file in (options.rules, code):
        if not file.is_file():
            raise OpsError(f"There is no file {file}.")
    arguments = ["--until", until.isoformat(), "--train-days", str(options.train_days)]
    arguments += [
        "--label-delay-days",
        f"{options.label_delay_days:g}",
        *(["--weekly"] if options.weekly else []),
    ]
    return Order(options.rules, code, root / "training" / JOB_FILE, tuple(arguments))


def proposal(files: Sequence[Path], settings: Settings) -> str:
    """Check the model that was fetched with its baseline, and say what it is and what may be done with it.

    Raises
    ------
    OpsError
        If it does not fit this version of the system, or its baseline is missing or that of another model.
    """
    baseline = files[0].with_suffix(SUFFIX)
    if baseline not in files:
        raise OpsError(f"The job has left no {baseline.name}: without it nobody would see the model drift.")
    try:
        model = read_model(files[0].read_bytes(), str(files[0]))
        counted = read_baseline(baseline.read_bytes(), str(baseline)).model
    except InvalidModelError as error:
        raise OpsError(f"The job's model cannot be used: {error}") from error
    if counted != model.sha256:
        raise OpsError(f"{baseline} is of model {counted[:12]}, and not of {model.sha256[:12]}.")
    training = model.document.training
    return (
        f"{files[0]}: model {model.sha256}, of {training.payments:,} payments with {training.frauds:,} frauds, "
        f"labels as of {training.labels_until[:16]}Z.\n"
        f"It is proposed, below {settings.proposed_url}, and nothing uses it. Read its card, {files[0].with_suffix('.md')}; "
        f"{baseline.name} belongs to it. docs/guide-training.md says how it gets into a ruleset."
    )
