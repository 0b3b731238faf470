"""AppConfig's deployments in memory, by the calls that we make. Each deployment is complete at once, unless a test says otherwise."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

_UNDER_WAY = ("DEPLOYING", "BAKING", "ROLLING_BACK")

START = datetime(2026, 12, 1, 9, tzinfo=UTC)


class MemoryAppConfig:
    """One application with one environment, one profile and one strategy.

    Attributes
    ----------
    documents : list[tuple[bytes, str]]
        Versions and their content types; version 1 is the first.
    deployments : list[dict[str, Any]]
        Number 1 is the first.
    state_of_new : str
        Of a deployment that starts.
    state_of_stopped : str
        Of one that is stopped: it is rolled back at once, or ``ROLLING_BACK`` first.
    """

    def __init__(self) -> None:
        self.documents: list[tuple[bytes, str]] = []
        self.deployments: list[dict[str, Any]] = []
        self.state_of_new = "COMPLETE"
        self.state_of_stopped = "ROLLED_BACK"
        self.now = START

    @property
    def active(self) -> bytes:
        """What functions get that ask now."""
        done = [each for each in self.deployments if each["State"] in ("COMPLETE", "BAKING", "DEPLOYING")]
        return self.documents[int(done[-1]["ConfigurationVersion"]) - 1][0]

    def deploy(
        self, document: bytes, state: str = "COMPLETE", content_type: str = "application/json"
    ) -> None:
        """What somebody else deploys."""
        self.documents.append((document, content_type))
        self._append(str(len(self.documents)), state, "")

    def create_hosted_configuration_version(self, **sent: Any) -> dict[str, Any]:
        assert (sent["ApplicationId"], sent["ConfigurationProfileId"]) == ("a", "p")
        self.documents.append((sent["Content"], sent["ContentType"]))
        return {"VersionNumber": len(self.documents)}

    def get_hosted_configuration_version(self, **asked: Any) -> dict[str, Any]:
        content, content_type = self.documents[asked["VersionNumber"] - 1]
        return {"Content": io.BytesIO(content), "ContentType": content_type}

    def start_deployment(self, **started: Any) -> dict[str, Any]:
        running = [each for each in self.deployments if each["State"] in _UNDER_WAY]
        if running or started.get("LatestDeploymentNumber", len(self.deployments)) != len(self.deployments):
            raise ClientError(
                {"Error": {"Code": "ConflictException", "Message": "deploying"}}, "StartDeployment"
            )
        self._append(started["ConfigurationVersion"], self.state_of_new, started.get("Description", ""))
        self.deployments[-1]["DeploymentStrategyId"] = started["DeploymentStrategyId"]
        return self.deployments[-1]

    def stop_deployment(self, **stopped: Any) -> dict[str, Any]:
        deployment: dict[str, Any] = self.deployments[stopped["DeploymentNumber"] - 1]
        assert deployment["State"] == "DEPLOYING" or stopped.get("AllowRevert")
        deployment["State"] = self.state_of_stopped
        deployment["EventLog"].insert(0, {"Description": "stopped by hand", "OccurredAt": self.now})
        return deployment

    def list_deployments(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"ApplicationId": "a", "EnvironmentId": "e", "MaxResults": 50}
        return {"Items": list(self.deployments)}

    def get_deployment(self, **asked: Any) -> dict[str, Any]:
        if asked["DeploymentNumber"] > len(self.deployments):
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetDeployment")
        deployment: dict[str, Any] = self.deployments[asked["DeploymentNumber"] - 1]
        return deployment

    def _append(self, version: str, state: str, description: str) -> None:
        self.deployments.append(
            {
                "DeploymentNumber": len(self.deployments) + 1,
                "ConfigurationVersion": version,
                "ConfigurationProfileId": "p",
                "State": state,
                "StartedAt": self.now,
                "Description": description,
                "EventLog": [{"Description": "Deployment started", "OccurredAt": self.now}],
            }
        )
