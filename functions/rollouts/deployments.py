"""The ruleset's deployments in AppConfig: which one is active, and how another takes its place."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError

from rollouts.errors import NotDeployedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_appconfig import AppConfigClient
    from mypy_boto3_appconfig.type_defs import DeploymentSummaryTypeDef

RUNNING: Final = frozenset({"VALIDATING", "DEPLOYING", "BAKING"})
"""States of a deployment that is not complete yet."""
ROLLING_BACK: Final = "ROLLING_BACK"
"""State of one that is undone just now: until that is complete, no other starts."""
_ACTIVE: Final = RUNNING | {"COMPLETE"}
_UNDONE: Final = frozenset({ROLLING_BACK, "ROLLED_BACK", "REVERTED"})
MAX_DESCRIPTION: Final = 1_024
"""Characters that AppConfig takes."""


class Deployment(NamedTuple):
    """One deployment."""

    number: int
    """AppConfig's; each is higher than the one before."""
    state: str
    document: bytes
    """What it deploys."""
    profile_id: str
    changed_at: datetime
    """When it started, or, of one that was undone, when that was complete; UTC."""
    reason: str
    """Its newest event that has a description."""
    content_type: str
    description: str = ""
    """What whoever started it wrote for people."""

    @property
    def is_undone(self) -> bool:
        """Whether an earlier deployment decides again."""
        return self.state in _UNDONE


class Listed(NamedTuple):
    """One deployment as AppConfig lists it, without its document."""

    number: int
    is_undone: bool
    started_at: datetime
    """UTC."""


class Deployments:
    """The deployments of an environment.

    Parameters
    ----------
    client : AppConfigClient
        A low-level client.
    application, environment, strategy : str
        AppConfig's ids; the strategy deploys at once, unless a call names another.
    """

    def __init__(self, client: AppConfigClient, application: str, environment: str, strategy: str) -> None:
        self._client = client
        self._application = application
        self._environment = environment
        self._strategy = strategy

    @property
    def place(self) -> str:
        """Ids of application and environment: deployments are numbered in these."""
        return f"{self._application}/{self._environment}"

    def newest(self) -> list[Deployment]:
        """Give the deployment that is active, and before it those that came later and were undone; the newest first.

        Returns
        -------
        list[Deployment]
            Empty where nothing was ever deployed.
        """
        return self._down_to_active(None)

    def before(self, number: int) -> list[Deployment]:
        """Give the deployment that was active before another one began, and those between them that were undone; the newest first.

        Which of those between were undone by the other one, AppConfig does not say: each of them may have been active until then.

        Parameters
        ----------
        number : int
            The other one's.

        Returns
        -------
        list[Deployment]
            Empty where there is none before, among the 50 newest.
        """
        return self._down_to_active(number)

    def listed(self) -> list[Listed]:
        """Give the 50 newest deployments, the oldest first, also those that others have replaced since."""
        return [
            Listed(each["DeploymentNumber"], each["State"] in _UNDONE, each["StartedAt"].astimezone(UTC))
            for each in reversed(self._summaries())
        ]

    def find(self, number: int) -> Deployment | None:
        """Give one deployment by its number; None where there is none."""
        try:
            return self._read(number)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return None
            raise

    def stop(self, deployment: Deployment) -> None:
        """Stop a deployment that is not complete: the document before it decides again."""
        self._client.stop_deployment(
            ApplicationId=self._application,
            EnvironmentId=self._environment,
            DeploymentNumber=deployment.number,
            AllowRevert=True,
        )

    def replace(
        self,
        newest: Sequence[Deployment],
        document: bytes,
        why: str,
        *,
        strategy: str | None = None,
        content_type: str | None = None,
    ) -> int:
        """Deploy a document after a deployment that is complete. AppConfig refuses it while one is under way: see :meth:`stop`.

        Parameters
        ----------
        newest : Sequence[Deployment]
            As :meth:`newest` gave them; the document was made from the active one, which is the last.
        document : bytes
            The new one.
        why : str
            For people who look at AppConfig.
        strategy : str | None
            Another than the one that deploys at once.
        content_type : str | None
            Another than that of the active document.

        Returns
        -------
        int
            The number of the new deployment.

        Raises
        ------
        NotDeployedError
            Where the new version is not active.
        ClientError, BotoCoreError
            Where AppConfig did not answer, refused the document, or somebody deployed another one meanwhile.
        """
        active = newest[-1]
        version = self._client.create_hosted_configuration_version(
            ApplicationId=self._application,
            ConfigurationProfileId=active.profile_id,
            Content=document,
            ContentType=content_type or active.content_type,
            Description=why[:MAX_DESCRIPTION],
        )["VersionNumber"]
        started = self._client.start_deployment(
            ApplicationId=self._application,
            EnvironmentId=self._environment,
            DeploymentStrategyId=strategy or self._strategy,
            ConfigurationProfileId=active.profile_id,
            ConfigurationVersion=str(version),
            Description=why[:MAX_DESCRIPTION],
            LatestDeploymentNumber=newest[0].number,
        )
        number, state = started["DeploymentNumber"], started["State"]
        if state not in _ACTIVE:
            raise NotDeployedError(number, state)
        return number

    def _down_to_active(self, below: int | None) -> list[Deployment]:
        found = []
        for number, state in self._states():
            if below is not None and number >= below:
                continue
            if state in _ACTIVE or state in _UNDONE:
                found.append(self._read(number))
            if state in _ACTIVE:
                break
        return found

    def _states(self) -> Iterator[tuple[int, str]]:
        yield from ((each["DeploymentNumber"], each["State"]) for each in self._summaries())

    def _summaries(self) -> list[DeploymentSummaryTypeDef]:
        """The newest first. AppConfig lists 50 deployments at a time, in that order."""
        items = self._client.list_deployments(
            ApplicationId=self._application, EnvironmentId=self._environment, MaxResults=50
        )["Items"]
        return sorted(items, key=lambda each: each["DeploymentNumber"], reverse=True)

    def _read(self, number: int) -> Deployment:
        deployment: Any = self._client.get_deployment(
            ApplicationId=self._application, EnvironmentId=self._environment, DeploymentNumber=number
        )
        stored: Any = self._client.get_hosted_configuration_version(
            ApplicationId=self._application,
            ConfigurationProfileId=deployment["ConfigurationProfileId"],
            VersionNumber=int(deployment["ConfigurationVersion"]),
        )
        events = deployment.get("EventLog", [])
        changed_at = deployment["StartedAt"]
        if deployment["State"] in _UNDONE:
            changed_at = max([changed_at, *(each["OccurredAt"] for each in events if "OccurredAt" in each)])
        return Deployment(
            number,
            deployment["State"],
            stored["Content"].read(),
            deployment["ConfigurationProfileId"],
            changed_at.astimezone(UTC),
            next((each["Description"] for each in events if each.get("Description")), "no reason given"),
            stored["ContentType"],
            deployment.get("Description", ""),
        )
