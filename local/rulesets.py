"""The ruleset in AppConfig: where the local stack keeps it, and how a new version comes into force.

``python -m local.rulesets FILE`` puts a file into force on the stack that runs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from local.components.aws_api import make_client

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENT_TYPE: Final = "application/x-yaml"


class RulesetDeploymentError(Exception):
    """A version that AppConfig took and did not put into force."""


class RulesLocation(msgspec.Struct, frozen=True):
    """Where the ruleset lives in AppConfig, by name."""

    application: str = "payment-fraud"
    environment: str = "local"
    profile: str = "ruleset"


class Rulesets:
    """The ruleset in AppConfig: where it lives, and how a new version comes into force.

    Parameters
    ----------
    aws_endpoint : str
        Endpoint URL of the AWS API.
    location : RulesLocation
        Application, environment and profile; made where they are missing.
    """

    def __init__(self, aws_endpoint: str, location: RulesLocation) -> None:
        self._client = make_client("appconfig", aws_endpoint)
        self._location = location

    def deploy_first(self, document: str) -> None:
        """Put a document into force unless one is already."""
        application, environment, _ = self._place()
        if not self._client.list_deployments(ApplicationId=application, EnvironmentId=environment)["Items"]:
            self.deploy(document)

    def deploy(self, document: str) -> int:
        """Put a document into force; functions have it after their next poll. Nothing is checked here, as in AppConfig.

        Parameters
        ----------
        document : str
            YAML.

        Returns
        -------
        int
            The configuration version.

        Raises
        ------
        RulesetDeploymentError
            Where the deployment did not complete at once.
        """
        application, environment, profile = self._place()
        version: int = self._client.create_hosted_configuration_version(
            ApplicationId=application,
            ConfigurationProfileId=profile,
            Content=document.encode(),
            ContentType=CONTENT_TYPE,
        )["VersionNumber"]
        started = self._client.start_deployment(
            ApplicationId=application,
            EnvironmentId=environment,
            DeploymentStrategyId=self._strategy(),
            ConfigurationProfileId=profile,
            ConfigurationVersion=str(version),
        )
        deployment = self._client.get_deployment(
            ApplicationId=application,
            EnvironmentId=environment,
            DeploymentNumber=started["DeploymentNumber"],
        )
        # The strategy takes no time, so anything else will not become complete by waiting.
        if deployment["State"] != "COMPLETE":
            raise RulesetDeploymentError(
                f"ruleset: deployment {started['DeploymentNumber']} is {deployment['State']}"
            )
        return version

    def _place(self) -> tuple[str, str, str]:
        client = self._client
        application = _found(client.list_applications, self._location.application)
        if application is None:
            application = client.create_application(Name=self._location.application)["Id"]
        inside = {"ApplicationId": application}
        environment = _found(client.list_environments, self._location.environment, **inside)
        if environment is None:
            environment = client.create_environment(Name=self._location.environment, **inside)["Id"]
        profile = _found(client.list_configuration_profiles, self._location.profile, **inside)
        if profile is None:
            profile = client.create_configuration_profile(
                Name=self._location.profile, LocationUri="hosted", Type="AWS.Freeform", **inside
            )["Id"]
        return application, environment, profile

    def _strategy(self) -> str:
        name = "at-once-without-bake"
        found = _found(self._client.list_deployment_strategies, name)
        if found is not None:
            return found
        made: str = self._client.create_deployment_strategy(
            Name=name,
            DeploymentDurationInMinutes=0,
            GrowthFactor=100,
            FinalBakeTimeInMinutes=0,
            ReplicateTo="NONE",
        )["Id"]
        return made


def _found(list_call: Any, name: str, **arguments: str) -> str | None:
    return next((item["Id"] for item in list_call(**arguments)["Items"] if item["Name"] == name), None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Put a file into force on the stack that runs; 1 where there is none."""
    # Here and not above: the stack imports this module.
    from local.stack import read_state
    from local.stack.state import DEFAULT_BUILD_DIR

    parser = argparse.ArgumentParser(prog="python -m local.rulesets", description=__doc__)
    parser.add_argument("file", type=Path, help="the YAML document")
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    options = parser.parse_args(arguments)
    state = read_state(options.build_dir)
    if state is None or state.resources is None:
        print(f"no stack is up in {options.build_dir}; `make up` starts one", file=sys.stderr)
        return 1
    version = Rulesets(state.aws_endpoint, state.resources.rules).deploy(options.file.read_text())
    print(
        f"{options.file} is deployed as version {version}; functions take it at their next poll, or refuse it"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
