"""What blocks a destroy is removed first, in an order in which nothing comes back."""

from __future__ import annotations

import pytest

from ops.emptying import Emptying, resources
from ops.errors import OpsError
from tests.support.aws_account import Account, managed

JOB = managed("aws_glue_job", name="ingest")
CONNECTION = managed(
    "aws_glue_connection", physical_connection_requirements=[{"security_group_id_list": ["sg-1"]}]
)
RULE = managed("aws_cloudwatch_event_rule", name="keep-running")
MACHINE = managed("aws_sfn_state_machine", name="keep", arn="arn:keep")
PROFILE = managed(
    "aws_appconfig_configuration_profile", name="ruleset", application_id="app", configuration_profile_id="p1"
)
FIRST = managed("aws_appconfig_hosted_configuration_version", configuration_profile_id="p1", version_number=1)
ROLLOUT = managed("aws_appconfig_environment", application_id="app", environment_id="e1")


def test_the_job_is_stopped_after_what_would_start_it_again_and_before_its_interfaces_are_deleted() -> None:
    account = Account(
        JobRuns=[{"Id": "jr_1", "JobRunState": "RUNNING"}, {"Id": "jr_0", "JobRunState": "FAILED"}],
        NetworkInterfaces=[{"NetworkInterfaceId": "eni-1", "Status": "available"}],
        executions=[{"name": "x", "executionArn": "arn:x"}],
    )

    Emptying([JOB, CONNECTION, MACHINE, RULE], account).run()

    assert account.calls() == [
        "disable_rule",
        "stop_execution",
        "batch_stop_job_run",
        "delete_network_interface",
    ]
    assert account.changes[2][1] == {"JobName": "ingest", "JobRunIds": ["jr_1"]}


def test_rulesets_that_terraform_does_not_know_are_deleted_and_the_first_is_left_to_it() -> None:
    account = Account(Items=[{"VersionNumber": 3}, {"VersionNumber": 2}, {"VersionNumber": 1}])

    said = Emptying([PROFILE, FIRST], account).run()

    assert [change["VersionNumber"] for _, change in account.changes] == [3, 2]
    assert said == ["Version 3 of ruleset is deleted.", "Version 2 of ruleset is deleted."]


def test_a_deployment_under_way_is_stopped_and_a_complete_one_is_not() -> None:
    account = Account(
        Items=[
            {"State": "DEPLOYING", "DeploymentNumber": 4},
            {"State": "COMPLETE", "DeploymentNumber": 3},
        ]
    )

    Emptying([ROLLOUT], account).run()

    assert [(call, change["DeploymentNumber"]) for call, change in account.changes] == [
        ("stop_deployment", 4)
    ]


def test_an_interface_in_use_is_waited_for() -> None:
    interface = {"NetworkInterfaceId": "eni-1", "Status": "in-use"}
    account = Account(NetworkInterfaces=[interface])
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            interface["Status"] = "available"

    Emptying([CONNECTION], account, pause).run()

    assert len(waits) == 3
    assert account.calls() == ["delete_network_interface"]


def test_a_run_that_does_not_end_stops_the_destroy() -> None:
    account = Account(JobRuns=[{"Id": "jr_1", "JobRunState": "STOPPING"}])
    account.never_stops = True

    with pytest.raises(
        OpsError, match=r"^Nothing was destroyed: a run of ingest still runs after 15 minutes"
    ):
        Emptying([JOB], account, lambda seconds: None).run()


def test_protected_tables_and_buckets_with_content_are_made_deletable() -> None:
    table = managed("aws_dynamodb_table", name="history", deletion_protection_enabled=True)
    free = managed("aws_dynamodb_table", name="windows", deletion_protection_enabled=False)
    kept = managed("aws_s3_bucket", bucket="landing", force_destroy=False)
    emptied = managed("aws_s3_bucket", bucket="work", force_destroy=True)
    account = Account(
        Versions=[{"Key": "a", "VersionId": "1"}], DeleteMarkers=[{"Key": "a", "VersionId": "2"}]
    )

    said = Emptying([table, free, kept, emptied], account).run()

    assert account.calls() == ["update_table", "delete_objects"]
    assert account.changes[0][1] == {"TableName": "history", "DeletionProtectionEnabled": False}
    assert [each["VersionId"] for each in account.changes[1][1]["Delete"]["Objects"]] == ["1", "2"]
    assert said[1] == "Bucket landing is empty; it had 2 versions of objects."


LOCKED = managed("aws_s3_bucket", bucket="audit-heads", force_destroy=False, object_lock_enabled=True)


def test_objects_that_are_locked_in_governance_mode_are_deleted() -> None:
    account = Account(Versions=[{"Key": "a", "VersionId": "1"}])

    said = Emptying([LOCKED], account).run()

    assert account.changes[0][1]["BypassGovernanceRetention"] is True
    assert said == ["Bucket audit-heads is empty; it had 1 versions of objects."]


def test_objects_that_are_locked_in_compliance_mode_stay_and_stop_nothing_else() -> None:
    account = Account(Versions=[{"Key": "a", "VersionId": "1"}], Errors=[{"Code": "AccessDenied"}])

    said = Emptying([LOCKED], account).run()

    assert said == [
        "Bucket audit-heads keeps 1 objects until their locks end. Terraform destroys all else, and fails to delete this bucket until then."
    ]


def test_another_refusal_stops_the_destroy() -> None:
    account = Account(Versions=[{"Key": "a", "VersionId": "1"}], Errors=[{"Code": "SlowDown"}])

    with pytest.raises(OpsError, match="S3 kept 1 objects of audit-heads: SlowDown"):
        Emptying([LOCKED], account).run()


def test_accesses_are_no_longer_logged_before_the_buckets_are_emptied() -> None:
    logged = managed("aws_s3_bucket_logging", bucket="landing")
    log = managed("aws_s3_bucket", bucket="access-log", force_destroy=False)
    account = Account(Versions=[{"Key": "a", "VersionId": "1"}])

    Emptying([log, logged], account).run()

    assert account.changes[0] == ("put_bucket_logging", {"Bucket": "landing", "BucketLoggingStatus": {}})
    assert account.calls() == ["put_bucket_logging", "delete_objects"]


def test_what_is_gone_already_is_skipped() -> None:
    account = Account()
    account.missing.add("disable_rule")

    assert Emptying([RULE], account).run() == []


def test_resources_of_every_module_are_found_and_looked_up_ones_are_not() -> None:
    looked_up = RULE | {"mode": "data"}
    inner = {"resources": [JOB, looked_up], "child_modules": [{"resources": [RULE]}]}

    assert resources({"values": {"root_module": {"child_modules": [inner]}}}) == [JOB, RULE]
    assert resources({"format_version": "1.0"}) == []
