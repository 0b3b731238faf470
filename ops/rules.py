"""Deploy a ruleset in AWS: AppConfig checks the document again, then rolls it out step by step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import ClientError

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT_TYPE: Final = "application/json"
"""AppConfig's schema validator reads no YAML. Functions read JSON by the same code, because JSON is a part of YAML."""

POLL_SECONDS: Final = 10.0
OUTPUT: Final = "rules"
"""The root module's output: application_id, environment_id, profile_id, deployment_strategy_id."""

RUNNING_STATES: Final = ("BAKING", "VALIDATING", "DEPLOYING", "ROLLING_BACK")


def place(outputs: dict[str, Any], environment: str) -> dict[str, str]:
    """Read from the root module's outputs which AppConfig resources hold the ruleset.

    Raises
    ------
    OpsError
        If the environment is not applied yet.
    """
    if OUTPUT not in outputs:
        raise OpsError(f"{environment} has no ruleset yet; apply it first.")
    found: dict[str, str] = outputs[OUTPUT]
    return found


def deploy(
    appconfig: Any,
    where: dict[str, str],
    document: bytes,
    *,
    started: Callable[[int, bytes], None] = lambda _number, _document: None,
    report: Callable[[str], None] = print,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Deploy a document and follow the deployment until it is complete or rolled back.

    Parameters
    ----------
    appconfig
        AppConfig's client.
    where : dict
        `place`.
    document : bytes
        YAML, checked by `make rules-check`.
    started : callable
        Gets the number of the deployment, and the document as it was sent.
    report : callable
        Gets a line for each step of the deployment.
    wait : callable
        Waits some seconds between two polls.

    Returns
    -------
    str
        The configuration version.

    Raises
    ------
    OpsError
        If AppConfig's validators refuse the document, or the deployment was rolled back. The previous ruleset stays active.
    """
    content = msgspec.json.encode(msgspec.yaml.decode(document))
    version, deployment_number = _start(appconfig, where, content)
    started(deployment_number, content)
    shown = ""
    while True:
        deployment = appconfig.get_deployment(
            ApplicationId=where["application_id"],
            EnvironmentId=where["environment_id"],
            DeploymentNumber=deployment_number,
        )
        state, percent = deployment["State"], deployment.get("PercentageComplete", 0)
        line = f"version {version}: {state.lower()}, {percent:.0f}% of functions"
        if line != shown:
            report(line)
            shown = line
        if state == "COMPLETE":
            return str(version)
        if state not in RUNNING_STATES:
            raise OpsError(
                f"Version {version} is {state.lower().replace('_', ' ')}: {_reason(deployment)}. "
                "The previous ruleset is still active."
            )
        wait(POLL_SECONDS)


def _start(appconfig: Any, where: dict[str, str], content: bytes) -> tuple[int, int]:
    """Store the document as a version and start its deployment; give version and deployment number."""
    try:
        version: int = appconfig.create_hosted_configuration_version(
            ApplicationId=where["application_id"],
            ConfigurationProfileId=where["profile_id"],
            Content=content,
            ContentType=CONTENT_TYPE,
        )["VersionNumber"]
        started = appconfig.start_deployment(
            ApplicationId=where["application_id"],
            EnvironmentId=where["environment_id"],
            DeploymentStrategyId=where["deployment_strategy_id"],
            ConfigurationProfileId=where["profile_id"],
            ConfigurationVersion=str(version),
        )
    except ClientError as error:
        raise OpsError(f"AppConfig refuses the ruleset: {error}") from error
    return version, started["DeploymentNumber"]


def _reason(deployment: dict[str, Any]) -> str:
    """The newest event of a deployment that has a description."""
    described = (entry["Description"] for entry in deployment.get("EventLog", []) if entry.get("Description"))
    return next(described, "no reason given")
