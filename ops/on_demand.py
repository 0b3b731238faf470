"""Start and stop the Glue job and the event pollers of an environment that does not run all the time (`enable_always_on = false`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ops.emptying import Emptying, Resource
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def check_on_demand(held: Sequence[Resource], environment: str) -> None:
    """Raise for an environment that is not applied, or whose job is kept running by rules."""
    if not any(_is_streaming_job(resource) for resource in held):
        raise OpsError(f"{environment} has no Glue job yet; apply it first.")
    if any("keep-ingestion-running" in resource["values"].get("name", "") for resource in _rules(held)):
        raise OpsError(
            f"{environment} runs all the time (enable_always_on); there is nothing to start or stop."
        )


def start(held: Sequence[Resource], client: Callable[[str], Any]) -> list[str]:
    """Enable the pollers and start the job; one sentence for each.

    Parameters
    ----------
    held : sequence of Resource
        What `ops.emptying.resources` lists.
    client : callable
        Makes a client of an AWS service by its name.
    """
    said = _set_pollers(held, client, is_enabled=True)
    for resource in held:
        if not _is_streaming_job(resource):
            continue
        job = resource["values"]["name"]
        try:
            client("glue").start_job_run(JobName=job)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConcurrentRunsExceededException":
                raise
            said.append(f"Job {job} runs already.")
        else:
            said.append(f"Job {job} is started.")
    return said


def stop(held: Sequence[Resource], client: Callable[[str], Any]) -> list[str]:
    """Disable the pollers and stop the job; one sentence for each. The topic keeps what arrives meanwhile, as long as it keeps records."""
    return [*_set_pollers(held, client, is_enabled=False), *Emptying(held, client).stop_runs()]


def _set_pollers(held: Sequence[Resource], client: Callable[[str], Any], *, is_enabled: bool) -> list[str]:
    said = []
    for resource in held:
        if resource["type"] != "aws_lambda_event_source_mapping" or not resource["values"]["topics"]:
            continue
        topics = ", ".join(resource["values"]["topics"])
        client("lambda").update_event_source_mapping(UUID=resource["values"]["uuid"], Enabled=is_enabled)
        said.append(f"The pollers of {topics} are {'started' if is_enabled else 'stopped'}.")
    return said


def _is_streaming_job(resource: Resource) -> bool:
    """Whether it is the ingestion job; that of backtests runs when somebody asks for one."""
    return resource["type"] == "aws_glue_job" and "gluestreaming" in {
        command["name"] for command in resource["values"]["command"]
    }


def _rules(held: Sequence[Resource]) -> list[Resource]:
    return [resource for resource in held if resource["type"] == "aws_cloudwatch_event_rule"]
