"""An environment that nobody uses at night costs no workers and no pollers then."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops import on_demand
from ops.errors import OpsError
from tests.support.aws_account import Account, managed

JOB = managed("aws_glue_job", name="ingest", command=[{"name": "gluestreaming"}])
BACKTEST = managed("aws_glue_job", name="backtest", command=[{"name": "glueetl"}])
MAPPING = managed("aws_lambda_event_source_mapping", uuid="u-1", topics=["transaction_stream"])
STREAM = managed("aws_lambda_event_source_mapping", uuid="u-2", topics=[])
RULE = managed("aws_cloudwatch_event_rule", name="fraud-prod-keep-ingestion-running-ended")
EXPORT = managed("aws_cloudwatch_event_rule", name="fraud-dev-export-history")


def test_start_enables_the_pollers_and_starts_the_job() -> None:
    account = Account()

    said = on_demand.start([MAPPING, STREAM, JOB, BACKTEST], account)

    assert account.changes == [
        ("update_event_source_mapping", {"UUID": "u-1", "Enabled": True}),
        ("start_job_run", {"JobName": "ingest"}),
    ]
    assert said == ["The pollers of transaction_stream are started.", "Job ingest is started."]


def test_a_job_that_runs_already_is_no_error() -> None:
    class Running(Account):
        def start_job_run(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "ConcurrentRunsExceededException"}}, "StartJobRun")

    assert on_demand.start([JOB], Running()) == ["Job ingest runs already."]


def test_stop_disables_the_pollers_and_stops_the_run() -> None:
    account = Account(JobRuns=[{"Id": "jr_1", "JobRunState": "RUNNING"}])

    said = on_demand.stop([MAPPING, JOB], account)

    assert account.calls() == ["update_event_source_mapping", "batch_stop_job_run"]
    assert account.changes[0][1] == {"UUID": "u-1", "Enabled": False}
    assert said == ["The pollers of transaction_stream are stopped.", "Job ingest is stopped."]


def test_an_environment_that_runs_all_the_time_is_refused() -> None:
    on_demand.check_on_demand([JOB, EXPORT], "dev")

    with pytest.raises(OpsError, match=r"^prod runs all the time \(enable_always_on\)"):
        on_demand.check_on_demand([JOB, RULE], "prod")


def test_an_environment_that_is_not_applied_is_refused() -> None:
    with pytest.raises(OpsError, match=r"^dev has no Glue job yet; apply it first\.$"):
        on_demand.check_on_demand([BACKTEST], "dev")
