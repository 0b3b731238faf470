"""What blocks the destruction of an environment, removed in order: running jobs, their network interfaces, rulesets, protection.

It reads the state, not the outputs, so that a destroy that failed half-way can be repeated. What is already gone is skipped.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ACTIVE_RUN_STATES: Final = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})
"""States of a Glue run that still uses the network."""

STOPPED_AT_A_TIME: Final = 25
"""Glue's BatchStopJobRun takes as many runs."""

WAIT_SECONDS: Final = 900.0
"""How long to wait for the end of a run, and for its network interfaces."""

PAUSE_SECONDS: Final = 10.0
"""Time between two looks."""

GONE: Final = frozenset(
    {
        "EntityNotFoundException",
        "InvalidNetworkInterfaceID.NotFound",
        "NoSuchBucket",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)
"""AWS's codes for a resource that does not exist."""

Resource = dict[str, Any]
"""A resource as ``terraform show -json`` prints it: type, address, values."""


def resources(document: dict[str, Any]) -> list[Resource]:
    """List the managed resources of a state, those of all modules included."""

    def inside(module: dict[str, Any]) -> Iterator[Resource]:
        yield from module.get("resources", [])
        for child in module.get("child_modules", []):
            yield from inside(child)

    root = document.get("values", {}).get("root_module", {})
    return [resource for resource in inside(root) if resource["mode"] == "managed"]


class Emptying:
    """Removes what blocks a destroy.

    Parameters
    ----------
    held : sequence of Resource
        What `resources` lists.
    client : callable
        Makes a client of an AWS service by its name.
    pause : callable
        Waits for some seconds.
    """

    def __init__(
        self,
        held: Sequence[Resource],
        client: Callable[[str], Any],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._held = held
        self._client = client
        self._pause = pause

    def run(self) -> list[str]:
        """Remove everything that blocks a destroy; one sentence for each thing that was done.

        Raises
        ------
        OpsError
            If a run or its network interfaces are still there after `WAIT_SECONDS`.
        """
        # A run that is stopped while a rule is enabled is started again, by the rule on the run's end.
        steps = (
            self._disable_rules,
            self._stop_executions,
            self.stop_runs,
            self._delete_interfaces,
            self._stop_deployments,
            self._delete_rulesets,
            self._unprotect_tables,
            self._stop_access_logs,
            self._empty_buckets,
        )
        return [sentence for step in steps for sentence in step()]

    def _values(self, kind: str) -> Iterator[dict[str, Any]]:
        return (resource["values"] for resource in self._held if resource["type"] == kind)

    def _disable_rules(self) -> Iterator[str]:
        for rule in self._values("aws_cloudwatch_event_rule"):
            if _exists(self._client("events").disable_rule, Name=rule["name"]):
                yield f"Rule {rule['name']} is disabled."

    def _stop_executions(self) -> Iterator[str]:
        # An execution waits before it starts the job, so one may be under way although its rule is disabled.
        for machine in self._values("aws_sfn_state_machine"):
            states = self._client("stepfunctions")
            pages = states.get_paginator("list_executions").paginate(
                stateMachineArn=machine["arn"], statusFilter="RUNNING"
            )
            for execution in _items(pages, "executions"):
                states.stop_execution(executionArn=execution["executionArn"])
                yield f"Execution {execution['name']} of {machine['name']} is stopped."

    def stop_runs(self) -> Iterator[str]:
        """Stop every run of a job and wait for its end; a sentence for each job."""
        glue = self._client("glue")
        for job in self._values("aws_glue_job"):
            active = self._active_runs(job["name"])
            for start in range(0, len(active), STOPPED_AT_A_TIME):
                some = active[start : start + STOPPED_AT_A_TIME]
                glue.batch_stop_job_run(JobName=job["name"], JobRunIds=some)
            self._wait(partial(self._none_active, job["name"]), f"a run of {job['name']} still runs")
            if active:
                yield f"Job {job['name']} is stopped."

    def _none_active(self, job: str) -> bool:
        return not self._active_runs(job)

    def _active_runs(self, job: str) -> list[str]:
        pages = self._client("glue").get_paginator("get_job_runs").paginate(JobName=job)
        return [run["Id"] for run in _items(pages, "JobRuns") if run["JobRunState"] in ACTIVE_RUN_STATES]

    def _delete_interfaces(self) -> Iterator[str]:
        # Glue leaves a run's interfaces behind for an hour or longer, detached. Until they are deleted, neither the security group nor
        # the subnet can be.
        groups = {
            group
            for connection in self._values("aws_glue_connection")
            for requirement in connection["physical_connection_requirements"]
            for group in requirement["security_group_id_list"]
        }
        if not groups:
            return
        deleted: list[str] = []
        filters = [{"Name": "group-id", "Values": sorted(groups)}]

        def none_left() -> bool:
            ec2 = self._client("ec2")
            pages = ec2.get_paginator("describe_network_interfaces").paginate(Filters=filters)
            left = list(_items(pages, "NetworkInterfaces"))
            for interface in left:
                name = interface["NetworkInterfaceId"]
                if interface["Status"] == "available" and _exists(
                    ec2.delete_network_interface, NetworkInterfaceId=name
                ):
                    deleted.append(name)
            return all(interface["Status"] == "available" for interface in left)

        self._wait(none_left, "network interfaces of the Glue job are still in use")
        for name in deleted:
            yield f"Network interface {name} is deleted."

    def _stop_deployments(self) -> Iterator[str]:
        for environment in self._values("aws_appconfig_environment"):
            place = {
                "ApplicationId": environment["application_id"],
                "EnvironmentId": environment["environment_id"],
            }
            appconfig = self._client("appconfig")
            pages = appconfig.get_paginator("list_deployments").paginate(**place)
            for deployment in _items(pages, "Items"):
                if deployment["State"] == "DEPLOYING":
                    appconfig.stop_deployment(**place, DeploymentNumber=deployment["DeploymentNumber"])
                    yield f"Deployment {deployment['DeploymentNumber']} of a ruleset is stopped."

    def _delete_rulesets(self) -> Iterator[str]:
        # Terraform knows the first version only; those that were deployed later would stay, and AppConfig keeps a profile that has any.
        known = {
            (version["configuration_profile_id"], version["version_number"])
            for version in self._values("aws_appconfig_hosted_configuration_version")
        }
        for profile in self._values("aws_appconfig_configuration_profile"):
            identity = profile["configuration_profile_id"]
            place = {"ApplicationId": profile["application_id"], "ConfigurationProfileId": identity}
            appconfig = self._client("appconfig")
            pages = appconfig.get_paginator("list_hosted_configuration_versions").paginate(**place)
            for number in [version["VersionNumber"] for version in _items(pages, "Items")]:
                if (identity, number) not in known:
                    appconfig.delete_hosted_configuration_version(**place, VersionNumber=number)
                    yield f"Version {number} of {profile['name']} is deleted."

    def _unprotect_tables(self) -> Iterator[str]:
        for table in self._values("aws_dynamodb_table"):
            if table["deletion_protection_enabled"] and _exists(
                self._client("dynamodb").update_table,
                TableName=table["name"],
                DeletionProtectionEnabled=False,
            ):
                yield f"Table {table['name']} can be deleted."

    def _stop_access_logs(self) -> Iterator[str]:
        # Each further call would be logged into a bucket that is empty already. S3 may still deliver for some hours; if that blocks the
        # destroy, repeat it.
        for logging in self._values("aws_s3_bucket_logging"):
            call = self._client("s3").put_bucket_logging
            if _exists(call, Bucket=logging["bucket"], BucketLoggingStatus={}):
                yield f"Accesses of {logging['bucket']} are no longer logged."

    def _empty_buckets(self) -> Iterator[str]:
        # Terraform itself empties those with force_destroy.
        for bucket in self._values("aws_s3_bucket"):
            if bucket["force_destroy"]:
                continue
            s3, count, locked = self._client("s3"), 0, 0
            # A lock in governance mode gives way to this; one in compliance mode to nothing.
            is_locked = bucket.get("object_lock_enabled", False)
            bypass = {"BypassGovernanceRetention": True} if is_locked else {}
            for page in _pages(s3.get_paginator("list_object_versions").paginate(Bucket=bucket["bucket"])):
                found = [
                    {"Key": each["Key"], "VersionId": each["VersionId"]}
                    for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                ]
                if not found:
                    continue
                answer = s3.delete_objects(
                    Bucket=bucket["bucket"], Delete={"Objects": found, "Quiet": True}, **bypass
                )
                refused = answer.get("Errors", [])
                if is_locked and {each["Code"] for each in refused} == {"AccessDenied"}:
                    locked += len(refused)
                elif refused:
                    code = refused[0]["Code"]
                    raise OpsError(f"S3 kept {len(refused)} objects of {bucket['bucket']}: {code}.")
                count += len(found)
            if locked:
                yield (
                    f"Bucket {bucket['bucket']} keeps {locked} objects until their locks end. Terraform destroys all else, and fails to "
                    "delete this bucket until then."
                )
            elif count:
                yield f"Bucket {bucket['bucket']} is empty; it had {count} versions of objects."

    def _wait(self, is_over: Callable[[], bool], otherwise: str) -> None:
        for _ in range(int(WAIT_SECONDS / PAUSE_SECONDS)):
            if is_over():
                return
            self._pause(PAUSE_SECONDS)
        raise OpsError(
            f"Nothing was destroyed: {otherwise} after {WAIT_SECONDS / 60:.0f} minutes; repeat it."
        )


def _exists(call: Callable[..., Any], **parameters: Any) -> bool:
    """Make a call; whether its resource exists."""
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return False
        raise
    return True


def _pages(pages: Any) -> Iterator[dict[str, Any]]:
    """Pages of a list; none if what is listed is in a resource that does not exist."""
    try:
        yield from pages
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise


def _items(pages: Any, key: str) -> Iterator[dict[str, Any]]:
    for page in _pages(pages):
        yield from page.get(key, [])
