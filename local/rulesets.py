"""The ruleset in the local stack's AppConfig, and how a new version becomes active."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from common.ruleset_bucket import keep_ruleset
from common.ruleset_changes import ChangeRows
from contract.active_ruleset import ACTIVE, ActiveRuleset, active_position
from contract.ruleset_change import document_digest
from local.components.aws_api import make_client
from local.resources import BUCKETS
from ops.rollout import put_models

if TYPE_CHECKING:
    from local.resources import RulesLocation

CONTENT_TYPE: Final = "application/x-yaml"


class RulesetDeploymentError(Exception):
    """A version that AppConfig accepted but did not deploy."""


class DeployedVersion(NamedTuple):
    """AppConfig's numbers of what was deployed."""

    version: int
    """Of the document."""
    deployment: int


class Rulesets:
    """Deploys rulesets through AppConfig.

    Parameters
    ----------
    aws_endpoint : str
        Endpoint URL of the AWS API.
    location : RulesLocation
        Application, environment, profile and strategy; created if they are missing.
    bucket : str
        The rules bucket, for the models that rulesets name.
    """

    def __init__(self, aws_endpoint: str, location: RulesLocation, bucket: str = BUCKETS["rules"]) -> None:
        self._client = make_client("appconfig", aws_endpoint)
        self._s3 = make_client("s3", aws_endpoint)
        self._dynamodb = make_client("dynamodb", aws_endpoint)
        self._location = location
        self._bucket = bucket

    def deploy_first(self, document: str, changes_table: str) -> RulesLocation:
        """Deploy a document unless one is active already; give the place with AppConfig's ids, as Terraform gives them to functions.

        What the guardrails do in their first minute is done here at once: the document is kept, and the table of changes says that it is active.
        """
        application, environment, _ = self._place()
        if not self._client.list_deployments(ApplicationId=application, EnvironmentId=environment)["Items"]:
            self.deploy(document)
            self.note_active(changes_table)
        return msgspec.structs.replace(
            self._location,
            application=application,
            environment=environment,
            at_once_strategy=self._strategy(),
            gradual_strategy=self._strategy(),  # here nothing is gradual
        )

    def note_active(self, changes_table: str) -> None:
        """Keep the active document, and write into the table of changes that it is active, as the guardrails do each minute."""
        deployment, document = self._newest()
        digest = document_digest(document)
        keep_ruleset(self._s3, self._bucket, digest, document)
        row = ActiveRuleset(
            changed_in=ACTIVE,
            change_key=ACTIVE,
            digest=digest,
            version=str(msgspec.yaml.decode(document)["version"]),
            deployment=deployment,
            position=active_position(deployment, is_undone=False),
            appconfig="/".join(self._place()[:2]),
            since=datetime.now(UTC),
        )
        ChangeRows(self._dynamodb, changes_table, logging.getLogger(__name__)).put_active(row)

    def deploy(self, document: str) -> DeployedVersion:
        """Deploy a document, and put the models that it names into the rules bucket first; functions use it after their next poll.

        Like AppConfig, this checks nothing in it.

        Parameters
        ----------
        document : str
            YAML.

        Returns
        -------
        DeployedVersion
            AppConfig's numbers.

        Raises
        ------
        RulesetDeploymentError
            If the deployment did not complete at once.
        """
        put_models(self._s3, self._bucket, document.encode())
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
        return DeployedVersion(version, started["DeploymentNumber"])

    def active(self) -> str:
        """The document that was deployed last and is not undone."""
        return self._newest()[1].decode()

    def _newest(self) -> tuple[int, bytes]:
        application, environment, profile = self._place()
        items = self._client.list_deployments(ApplicationId=application, EnvironmentId=environment)["Items"]
        versions = {
            item["DeploymentNumber"]: item["ConfigurationVersion"]
            for item in items
            if item["State"] == "COMPLETE"
        }
        number = max(versions)
        stored = self._client.get_hosted_configuration_version(
            ApplicationId=application,
            ConfigurationProfileId=profile,
            VersionNumber=int(versions[number]),
        )
        return number, stored["Content"].read()

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
        name = self._location.at_once_strategy
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
    """The id of what has a name, or this id."""
    items = list_call(**arguments)["Items"]
    return next((item["Id"] for item in items if name in (item["Id"], item["Name"])), None)
