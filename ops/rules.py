"""A ruleset into force in AWS: checked here, checked again by AppConfig, then rolled out little by little."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import ClientError

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT_TYPE: Final = "application/json"
"""AppConfig's schema validator reads no YAML; functions read JSON by the same code, as a part of YAML."""

POLL_SECONDS: Final = 10.0
OUTPUT: Final = "rules"
"""The root module's output: application_id, environment_id, profile_id, deployment_strategy_id."""

UNDER_WAY: Final = ("BAKING", "VALIDATING", "DEPLOYING", "ROLLING_BACK")


def place(outputs: dict[str, Any], environment: str) -> dict[str, str]:
    """Read from the outputs where the ruleset lives.

    Raises
    ------
    OpsError
        Where the environment is not applied.
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
    tell: Callable[[str], None] = print,
    wait: Callable[[float], None] = time.sleep,
) -> str:
    """Put a document into force and follow it until it is, or is taken back.

    Parameters
    ----------
    appconfig
        AppConfig's client.
    where : dict
        `place`.
    document : bytes
        YAML, checked by `make rules-check`.
    tell : callable
        Gets a line for each step of the rollout.
    wait : callable
        Waits some seconds between two looks.

    Returns
    -------
    str
        The configuration version.

    Raises
    ------
    OpsError
        Where AppConfig's own validators refuse it, or it was rolled back; what was in force still is.
    """
    try:
        version = appconfig.create_hosted_configuration_version(
            ApplicationId=where["application_id"],
            ConfigurationProfileId=where["profile_id"],
            Content=msgspec.json.encode(msgspec.yaml.decode(document)),
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
    number, shown = started["DeploymentNumber"], ""
    while True:
        deployment = appconfig.get_deployment(
            ApplicationId=where["application_id"],
            EnvironmentId=where["environment_id"],
            DeploymentNumber=number,
        )
        state, percent = deployment["State"], deployment.get("PercentageComplete", 0)
        line = f"version {version}: {state.lower()}, {percent:.0f}% of functions"
        if line != shown:
            tell(line)
            shown = line
        if state == "COMPLETE":
            return str(version)
        if state not in UNDER_WAY:
            why = next(
                (
                    entry["Description"]
                    for entry in deployment.get("EventLog", [])
                    if entry.get("Description")
                ),
                "no reason given",
            )
            raise OpsError(
                f"Version {version} is {state.lower().replace('_', ' ')}: {why}. What was in force still is."
            )
        wait(POLL_SECONDS)
