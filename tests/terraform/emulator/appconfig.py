"""AWS AppConfig: environments, deployment strategies and deployments, beside moto's applications, profiles and versions.

moto has none of the three. A deployment here is complete at once, without validators or alarms. Unlike moto, AppConfig keeps a profile
that has a version.
"""

from __future__ import annotations

import json
from typing import Any

from moto.appconfig import models, urls
from moto.appconfig.responses import AppConfigResponse
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random

Document = dict[str, Any]


class NotFoundError(JsonRESTError):
    """There is no resource with that id."""

    code = 404

    def __init__(self, kind: str, identity: str) -> None:
        super().__init__("ResourceNotFoundException", f"{kind} {identity} could not be found")


class VersionsLeftError(JsonRESTError):
    """A profile that has versions cannot be deleted; the text is AWS's, from the provider's issue 31585."""

    code = 400

    def __init__(self, profile: str) -> None:
        super().__init__(
            "BadRequestException",
            f"Cannot delete configuration profile {profile} because there are still hosted configuration versions existing under it.",
        )


class RolloutBackend(models.AppConfigBackend):
    """moto's resources, and those that a rollout needs."""

    @property
    def _url_module(self) -> Any:
        return urls  # moto would search the class's own module

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.environments: dict[str, Document] = {}
        self.strategies: dict[str, Document] = {}
        self.deployments: dict[str, list[Document]] = {}
        """By environment, in their order; deleted together with it."""

    def arn(self, path: str) -> str:
        """Make an ARN of AppConfig."""
        return f"arn:aws:appconfig:{self.region_name}:{self.account_id}:{path}"

    def delete_configuration_profile(self, app_id: str, config_profile_id: str) -> None:
        """Delete a profile without versions."""
        if self.get_configuration_profile(app_id, config_profile_id).config_versions:
            raise VersionsLeftError(config_profile_id)
        super().delete_configuration_profile(app_id, config_profile_id)

    def find(self, kind: str, identity: str) -> Document:
        """Find an environment or a strategy."""
        known = self.environments if kind == "Environment" else self.strategies
        if identity not in known:
            raise NotFoundError(kind, identity)
        return known[identity]


class RolloutResponse(AppConfigResponse):
    """The calls that Terraform and `make rules-deploy` make and moto does not have."""

    @property
    def backend(self) -> RolloutBackend:
        """The resources of the caller's account and region."""
        backend = models.appconfig_backends[self.current_account][self.region]
        assert isinstance(backend, RolloutBackend)
        return backend

    def document(self, *names: str) -> Document:
        """The request's parameters of these names, if they have a value."""
        found = {name: self._get_param(name) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def create_environment(self) -> str:
        """Create an environment."""
        application, identity = self._get_param("ApplicationId"), mock_random.get_random_hex(7)
        made = {"Id": identity, "ApplicationId": application, "State": "READY_FOR_DEPLOYMENT"}
        self.backend.environments[identity] = made | self.document("Name", "Description", "Monitors")
        arn = self.backend.arn(f"application/{application}/environment/{identity}")
        self.backend.tag_resource(arn, self._get_param("Tags") or {})
        return json.dumps(self.backend.environments[identity])

    def get_environment(self) -> str:
        """Show an environment."""
        return json.dumps(self.backend.find("Environment", self._get_param("EnvironmentId")))

    def update_environment(self) -> str:
        """Change an environment."""
        environment = self.backend.find("Environment", self._get_param("EnvironmentId"))
        environment |= self.document("Name", "Description", "Monitors")
        return json.dumps(environment)

    def delete_environment(self) -> str:
        """Delete an environment and the list of its deployments."""
        identity = self._get_param("EnvironmentId")
        self.backend.find("Environment", identity)
        del self.backend.environments[identity]
        self.backend.deployments.pop(identity, None)
        return "{}"

    def create_deployment_strategy(self) -> str:
        """Create a strategy."""
        names = (
            "Name",
            "Description",
            "DeploymentDurationInMinutes",
            "GrowthFactor",
            "FinalBakeTimeInMinutes",
            "ReplicateTo",
        )
        identity = mock_random.get_random_hex(7)
        defaults = {"Id": identity, "GrowthType": self._get_param("GrowthType") or "LINEAR"}
        self.backend.strategies[identity] = defaults | self.document(*names)
        self.backend.tag_resource(
            self.backend.arn(f"deploymentstrategy/{identity}"), self._get_param("Tags") or {}
        )
        return json.dumps(self.backend.strategies[identity])

    def get_deployment_strategy(self) -> str:
        """Show a strategy."""
        return json.dumps(self.backend.find("Deployment Strategy", self._get_param("DeploymentStrategyId")))

    def delete_deployment_strategy(self) -> str:
        """Delete a strategy."""
        identity = self._get_param("DeploymentStrategyId")
        self.backend.find("Deployment Strategy", identity)
        del self.backend.strategies[identity]
        return "{}"

    def start_deployment(self) -> str:
        """Deploy a version; it is complete at once."""
        names = (
            "ApplicationId",
            "EnvironmentId",
            "DeploymentStrategyId",
            "ConfigurationProfileId",
            "ConfigurationVersion",
        )
        made = self.document(*names, "Description", "KmsKeyIdentifier")
        self.backend.find("Environment", made["EnvironmentId"])
        self.backend.find("Deployment Strategy", made["DeploymentStrategyId"])
        deployments = self.backend.deployments.setdefault(made["EnvironmentId"], [])
        made |= {"DeploymentNumber": len(deployments) + 1, "State": "COMPLETE", "PercentageComplete": 100.0}
        deployments.append(made)
        path = f"application/{made['ApplicationId']}/environment/{made['EnvironmentId']}/deployment/{len(deployments)}"
        self.backend.tag_resource(self.backend.arn(path), self._get_param("Tags") or {})
        return json.dumps(made)

    def get_deployment(self) -> str:
        """Show a deployment."""
        environment, number = self._get_param("EnvironmentId"), int(self._get_param("DeploymentNumber"))
        deployments = self.backend.deployments.get(environment, [])
        if not 0 < number <= len(deployments):
            raise NotFoundError("Deployment", f"{environment}/{number}")
        return json.dumps(deployments[number - 1])

    def list_deployments(self) -> str:
        """List an environment's deployments, the newest first."""
        return json.dumps(
            {"Items": list(reversed(self.backend.deployments.get(self._get_param("EnvironmentId"), [])))}
        )

    def list_hosted_configuration_versions(self) -> str:
        """List the versions of a profile, the newest first."""
        application, profile = self._get_param("ApplicationId"), self._get_param("ConfigurationProfileId")
        versions = self.backend.get_configuration_profile(application, profile).config_versions
        items = [
            {"ApplicationId": application, "ConfigurationProfileId": profile, "VersionNumber": number}
            for number in sorted(versions, reverse=True)
        ]
        return json.dumps({"Items": items})


def install() -> None:
    """Serve AppConfig from here, with moto's own applications, profiles and versions."""
    models.appconfig_backends.backend = RolloutBackend
    environment = "{0}/applications/(?P<app_id>[^/]+)/environments"
    more = (
        f"{environment}$",
        f"{environment}/(?P<env_id>[^/]+)$",
        f"{environment}/(?P<env_id>[^/]+)/deployments$",
        f"{environment}/(?P<env_id>[^/]+)/deployments/(?P<number>[^/]+)$",
        "{0}/deploymentstrategies$",
        "{0}/deploymentstrategies/(?P<strategy_id>[^/]+)$",
        "{0}/deployementstrategies/(?P<strategy_id>[^/]+)$",  # AWS's own spelling, of the deletion only
    )
    for path in (*urls.url_paths, *more):
        urls.url_paths[path] = RolloutResponse.dispatch
