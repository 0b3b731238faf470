"""AWS Glue: runs of a streaming job. They run until they are stopped, have network interfaces, and leave these behind.

moto lets every run succeed at the second look, has no call to stop one, and deletes subnets and groups in use. The interfaces of an
ended run stay, detached, for an hour or longer; here, until they are deleted.
"""

from __future__ import annotations

import json
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.events.models import events_backends
from moto.glue.models import FakeJob, FakeJobRun
from moto.glue.responses import GlueResponse
from moto.moto_api import state_manager

OWNER: Final = "Attached to Glue using role: "
"""How the description of an interface of Glue begins."""


def interfaces(ec2: Any) -> list[Any]:
    """Network interfaces of runs, also of ended ones."""
    return [eni for eni in ec2.enis.values() if (eni.description or "").startswith(OWNER)]


def is_started_again(job: FakeJob) -> bool:
    """Whether an enabled rule reacts to the end of the job's runs."""
    rules = events_backends[job.backend.account_id][job.backend.region_name].event_buses["default"].rules
    patterns = [
        json.loads(str(rule.event_pattern))
        for rule in rules.values()
        if rule.event_pattern and rule.state == "ENABLED"
    ]
    return any(
        "STOPPED" in pattern.get("detail", {}).get("state", [])
        and job.name in pattern["detail"].get("jobName", [])
        for pattern in patterns
    )


def runs() -> None:
    """Runs run until they are stopped; a stopped one is started again by an enabled rule."""
    state_manager.set_transition("glue::job_run", {"progression": "manual", "times": 1_000_000})
    start = FakeJob.start_job_run

    def start_job_run(self: FakeJob, *args: Any, **kwargs: Any) -> str:
        identity = start(self, *args, **kwargs)
        run: Any = self.job_runs[-1]
        run.status = "RUNNING"
        first: Any = self.backend.connections[self.connections["Connections"][0]]
        place = first.connection_input["PhysicalConnectionRequirements"]
        ec2 = ec2_backends[self.backend.account_id][self.backend.region_name]
        run.interface = ec2.create_network_interface(
            ec2.get_subnet(place["SubnetId"]),
            [],
            group_ids=place["SecurityGroupIdList"],
            description=OWNER + self.role,
            tags={"aws-glue-service-resource": "aws-glue-service-resource"},
        )
        run.interface.status = "in-use"
        return identity

    def get_job_runs(self: FakeJob) -> list[FakeJobRun]:
        for run in [run for run in self.job_runs if run.status == "STOPPING"]:
            run.status = "STOPPED"
            run.interface.status = "available"  # type: ignore[attr-defined]
            if is_started_again(self):
                self.start_job_run(None, None, None, None, None, None, None, None, None)
        return list(reversed(self.job_runs))

    def batch_stop_job_run(self: GlueResponse) -> ActionResult:
        job, asked = self._get_param("JobName"), self._get_param("JobRunIds")
        for run in self.glue_backend.get_job(job).job_runs:
            if run.job_run_id in asked:
                run.status = "STOPPING"
        stopped = [{"JobName": job, "JobRunId": identity} for identity in asked]
        return ActionResult({"SuccessfulSubmissions": stopped, "Errors": []})

    FakeJob.start_job_run = start_job_run  # type: ignore[method-assign]
    FakeJob.get_job_runs = get_job_runs  # type: ignore[method-assign]
    GlueResponse.batch_stop_job_run = batch_stop_job_run  # type: ignore[attr-defined]


def interfaces_in_use() -> None:
    """A group or a subnet with an interface in it cannot be deleted."""
    delete_group, delete_subnet = EC2Backend.delete_security_group, EC2Backend.delete_subnet

    def delete_security_group(self: Any, name: str | None = None, group_id: str | None = None) -> None:
        if any(group_id == group.id for eni in interfaces(self) for group in eni.group_set):
            raise DependencyViolationError(f"resource {group_id} has a dependent object")
        delete_group(self, name, group_id)

    def refuse_subnet(self: Any, subnet_id: str) -> Any:
        if any(subnet_id == eni.subnet.id for eni in interfaces(self)):
            raise DependencyViolationError(
                f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            )
        return delete_subnet(self, subnet_id)

    EC2Backend.delete_security_group = delete_security_group  # type: ignore[method-assign]
    EC2Backend.delete_subnet = refuse_subnet  # type: ignore[method-assign]


def install() -> None:
    """Install both."""
    runs()
    interfaces_in_use()
