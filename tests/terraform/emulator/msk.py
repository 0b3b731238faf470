"""Amazon MSK: clusters of both kinds and configurations, stored as the documents that the API returns.

moto has clusters only: they stay in state CREATING, their ARN lacks the name, encryption and connectivity have no defaults, and
there are no configurations, bootstrap brokers or operations.
"""

from __future__ import annotations

import json
import re
import uuid
from copy import deepcopy
from typing import Any, Final
from urllib.parse import unquote

from moto.core.base_backend import BaseBackend
from moto.core.responses import BaseResponse
from moto.kafka import models, urls
from moto.kafka.exceptions import BadRequestException, NotFoundException

CREATED: Final = "2026-01-01T00:00:00.000Z"
PORTS: Final = {"iam": 9098, "scram": 9096, "tls": 9094}
"""Ports of the brokers inside the VPC, by kind of sign-in."""

Document = dict[str, Any]


def merged(defaults: Document, given: Document) -> Document:
    """Add defaults for what `given` lacks, at every depth.

    Parameters
    ----------
    defaults, given : dict
        Documents; neither is changed.

    Returns
    -------
    dict
        `given`, and what only `defaults` has.
    """
    result = deepcopy(defaults)
    for key, value in given.items():
        default = result.get(key)
        if isinstance(default, dict) and isinstance(value, dict):
            result[key] = merged(default, value)
        else:
            result[key] = value
    return result


class MskBackend(BaseBackend):
    """The resources of one account and region."""

    @property
    def _url_module(self) -> Any:
        return urls  # moto would search the class's own module

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.clusters: dict[str, Document] = {}
        self.configurations: dict[str, Document] = {}
        self.tags: dict[str, dict[str, str]] = {}

    def new_arn(self, kind: str, name: str) -> str:
        """Make an ARN of MSK: the name, a UUID and a partition of the service."""
        return f"arn:aws:kafka:{self.region_name}:{self.account_id}:{kind}/{name}/{uuid.uuid4()}-1"

    def provisioned(self, given: Document) -> Document:
        """Show a provisioned cluster's part as MSK does, defaults included."""
        off = {"enabled": False}
        defaults: Document = {
            "brokerNodeGroupInfo": {
                "brokerAZDistribution": "DEFAULT",
                "connectivityInfo": {
                    "publicAccess": {"type": "DISABLED"},
                    "vpcConnectivity": {
                        "clientAuthentication": {"sasl": {"iam": off, "scram": off}, "tls": off}
                    },
                },
                "storageInfo": {"ebsStorageInfo": {"volumeSize": 1000}},
            },
            "encryptionInfo": {
                "encryptionAtRest": {"dataVolumeKMSKeyId": self.service_key},
                "encryptionInTransit": {"clientBroker": "TLS", "inCluster": True},
            },
            "enhancedMonitoring": "DEFAULT",
            "storageMode": "LOCAL",
        }
        shown = merged(defaults, given)
        software: Document = {"kafkaVersion": shown.pop("kafkaVersion")}
        if configuration := shown.pop("configurationInfo", None):
            software |= {
                "configurationArn": configuration["arn"],
                "configurationRevision": int(configuration["revision"]),
            }
        return shown | {"currentBrokerSoftwareInfo": software}

    @property
    def service_key(self) -> str:
        """The key that AWS owns, used if a cluster names none."""
        return f"arn:aws:kms:{self.region_name}:{self.account_id}:key/aws-kafka"

    def create(self, name: str, tags: dict[str, str] | None, kind: str, part: Document) -> Document:
        """Store a cluster; it is active at once."""
        if any(cluster["clusterName"] == name for cluster in self.clusters.values()):
            raise BadRequestException(f"A cluster named {name} exists already.")
        arn = self.new_arn("cluster", name)
        self.clusters[arn] = {
            "clusterArn": arn,
            "clusterName": name,
            "clusterType": kind.upper(),
            "creationTime": CREATED,
            "currentVersion": "K1",
            "state": "ACTIVE",
            kind: self.provisioned(part) if kind == "provisioned" else part,
        }
        self.tags[arn] = dict(tags or {})
        return {"clusterArn": arn, "clusterName": name, "state": "ACTIVE", "clusterType": kind.upper()}

    def cluster(self, arn: str) -> Document:
        """Find one cluster, with its tags."""
        if arn not in self.clusters:
            raise NotFoundException(f"No cluster {arn}.")
        return self.clusters[arn] | {"tags": self.tags[arn]}

    def operate(self, arn: str, change: Document) -> Document:
        """Change a provisioned cluster; the operation is complete at once, and its ARN identifies it."""
        shown = self.clusters[arn]
        shown["provisioned"] = merged(shown["provisioned"], change)
        shown["currentVersion"] = f"K{int(shown['currentVersion'][1:]) + 1}"
        return {"clusterArn": arn, "clusterOperationArn": arn.replace(":cluster/", ":cluster-operation/")}

    def create_configuration(self, body: Document) -> Document:
        """Store a configuration with its first revision."""
        arn = self.new_arn("configuration", body["name"])
        self.configurations[arn] = {
            "name": body["name"],
            "kafkaVersions": body.get("kafkaVersions") or [],
            "revisions": [],
        }
        self.tags[arn] = {}
        return self.revise(arn, body)

    def revise(self, arn: str, body: Document) -> Document:
        """Add a revision: the configuration's content, and when it was created."""
        revisions = self.configurations[arn]["revisions"]
        revisions.append(
            {
                "revision": len(revisions) + 1,
                "creationTime": CREATED,
                "description": body.get("description") or "",
                "serverProperties": body["serverProperties"],
            }
        )
        return self.configuration(arn)

    def configuration(self, arn: str) -> Document:
        """Show a configuration and its latest revision."""
        if arn not in self.configurations:
            raise BadRequestException(
                "Configuration ARN does not exist"
            )  # the provider checks for these words
        stored = self.configurations[arn]
        latest = {key: value for key, value in stored["revisions"][-1].items() if key != "serverProperties"}
        return {
            "arn": arn,
            "name": stored["name"],
            "kafkaVersions": stored["kafkaVersions"],
            "creationTime": CREATED,
            "description": latest["description"],
            "latestRevision": latest,
            "state": "ACTIVE",
        }

    def bootstrap_brokers(self, arn: str) -> Document:
        """Addresses of three brokers for each kind of sign-in that the cluster accepts."""
        shown = self.cluster(arn)
        part = shown.get("provisioned") or shown["serverless"]
        sasl = (part.get("clientAuthentication") or {}).get("sasl") or {}
        kinds = [kind for kind in ("iam", "scram") if (sasl.get(kind) or {}).get("enabled")] or ["tls"]
        names = {
            "iam": "bootstrapBrokerStringSaslIam",
            "scram": "bootstrapBrokerStringSaslScram",
            "tls": "bootstrapBrokerStringTls",
        }
        host = f"{shown['clusterName']}.emulator.c1.kafka.{self.region_name}.amazonaws.com"
        return {names[kind]: ",".join(f"b-{i}.{host}:{PORTS[kind]}" for i in (1, 2, 3)) for kind in kinds}


class MskResponse(BaseResponse):
    """The calls that Terraform makes, by the operation names of the service's model."""

    def __init__(self) -> None:
        super().__init__(service_name="kafka")

    @property
    def backend(self) -> MskBackend:
        """The resources of the caller's account and region."""
        backend: Any = models.kafka_backends[self.current_account][self.region]
        assert isinstance(backend, MskBackend)
        return backend

    @property
    def document(self) -> Document:
        """The request's document."""
        given: Document = json.loads(self.body or "{}")
        return given

    def arn(self, collection: str) -> str:
        """Read the ARN from the path: it is after `collection` and before the name of the call."""
        rest = unquote(self.parsed_url.path.split(f"/{collection}/", 1)[1])
        found = re.match(r"arn:[^/]+/[^/]+/[^/]+", rest)
        if found is None:
            raise BadRequestException(f"{rest} has no ARN.")
        return found[0]

    def create_cluster(self) -> str:
        """Create a provisioned cluster."""
        body = self.document
        name, tags = body.pop("clusterName"), body.pop("tags", None)
        return json.dumps(self.backend.create(name, tags, "provisioned", body))

    def create_cluster_v2(self) -> str:
        """Create a cluster of either kind."""
        body = self.document
        kind = "serverless" if body.get("serverless") else "provisioned"
        return json.dumps(self.backend.create(body["clusterName"], body.get("tags"), kind, body[kind]))

    def describe_cluster(self) -> str:
        """Show a provisioned cluster without nesting, as the first version of the API does."""
        shown = self.backend.cluster(self.arn("clusters"))
        return json.dumps(
            {"clusterInfo": {k: v for k, v in shown.items() if k != "provisioned"} | shown["provisioned"]}
        )

    def describe_cluster_v2(self) -> str:
        """Show a cluster of either kind."""
        return json.dumps({"clusterInfo": self.backend.cluster(self.arn("clusters"))})

    def delete_cluster(self) -> str:
        """Remove a cluster at once."""
        arn = self.arn("clusters")
        self.backend.cluster(arn)
        del self.backend.clusters[arn], self.backend.tags[arn]
        return json.dumps({"clusterArn": arn, "state": "DELETING"})

    def update_connectivity(self) -> str:
        """Change who may reach the brokers."""
        change = {"brokerNodeGroupInfo": {"connectivityInfo": self.document["connectivityInfo"]}}
        return json.dumps(self.backend.operate(self.arn("clusters"), change))

    def update_broker_storage(self) -> str:
        """Increase the brokers' disks."""
        size = self.document["targetBrokerEBSVolumeInfo"][0]["volumeSizeGB"]
        change = {"brokerNodeGroupInfo": {"storageInfo": {"ebsStorageInfo": {"volumeSize": size}}}}
        return json.dumps(self.backend.operate(self.arn("clusters"), change))

    def update_broker_type(self) -> str:
        """Change the brokers' size."""
        change = {"brokerNodeGroupInfo": {"instanceType": self.document["targetInstanceType"]}}
        return json.dumps(self.backend.operate(self.arn("clusters"), change))

    def update_cluster_configuration(self) -> str:
        """Set the revision of a configuration that the cluster uses."""
        given = self.document["configurationInfo"]
        software = {"configurationArn": given["arn"], "configurationRevision": int(given["revision"])}
        return json.dumps(self.backend.operate(self.arn("clusters"), {"currentBrokerSoftwareInfo": software}))

    def describe_cluster_operation(self) -> str:
        """Show an operation; it is always complete."""
        arn = self.arn("operations")
        info = {"operationArn": arn, "clusterArn": arn.replace(":cluster-operation/", ":cluster/")}
        return json.dumps({"clusterOperationInfo": info | {"operationState": "UPDATE_COMPLETE"}})

    def get_bootstrap_brokers(self) -> str:
        """Show the addresses of the brokers."""
        return json.dumps(self.backend.bootstrap_brokers(self.arn("clusters")))

    def create_configuration(self) -> str:
        """Create a configuration."""
        return json.dumps(self.backend.create_configuration(self.document))

    def update_configuration(self) -> str:
        """Add a revision to a configuration."""
        shown = self.backend.revise(self.arn("configurations"), self.document)
        return json.dumps({"arn": shown["arn"], "latestRevision": shown["latestRevision"]})

    def describe_configuration(self) -> str:
        """Show a configuration."""
        return json.dumps(self.backend.configuration(self.arn("configurations")))

    def describe_configuration_revision(self) -> str:
        """Show the content of one revision of a configuration."""
        arn = self.arn("configurations")
        revision = int(self.parsed_url.path.rsplit("/", 1)[1])
        self.backend.configuration(arn)
        return json.dumps({"arn": arn} | self.backend.configurations[arn]["revisions"][revision - 1])

    def delete_configuration(self) -> str:
        """Remove a configuration that no cluster uses."""
        arn = self.arn("configurations")
        software = [
            c.get("provisioned", {}).get("currentBrokerSoftwareInfo", {})
            for c in self.backend.clusters.values()
        ]
        if any(used.get("configurationArn") == arn for used in software):
            raise BadRequestException("Configuration is in use by one or more clusters.")
        self.backend.configuration(arn)
        del self.backend.configurations[arn], self.backend.tags[arn]
        return json.dumps({"arn": arn, "state": "DELETING"})

    def list_tags_for_resource(self) -> str:
        """Show the tags of a cluster or configuration."""
        return json.dumps({"tags": self.backend.tags.get(self.arn("tags"), {})})

    def tag_resource(self) -> str:
        """Add tags, or change them."""
        self.backend.tags[self.arn("tags")] |= self.document["tags"]
        return "{}"

    def untag_resource(self) -> str:
        """Remove tags."""
        for key in self.querystring.get("tagKeys", []):
            self.backend.tags[self.arn("tags")].pop(key, None)
        return "{}"


def install() -> None:
    """Serve MSK from here instead of moto."""
    models.kafka_backends.backend = MskBackend  # type: ignore[assignment] # same base, other contents
    urls.url_paths.clear()
    for path in ("api/v2/clusters", "v1/clusters", "v1/configurations"):
        urls.url_paths[f"{{0}}/{path}$"] = MskResponse.dispatch
        urls.url_paths[f"{{0}}/{path}/(?P<rest>.+)$"] = MskResponse.dispatch
    for path in ("v1/operations", "v1/tags"):
        urls.url_paths[f"{{0}}/{path}/(?P<rest>.+)$"] = MskResponse.dispatch
