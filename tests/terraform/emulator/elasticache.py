"""Amazon ElastiCache: replication groups and their nodes, parameter groups, user groups, serverless caches.

moto's replication groups lose their key, their users and half of their settings, and have no nodes. moto has no parameter groups,
user groups or serverless caches. Users, subnet groups and tags are moto's own.
"""

from __future__ import annotations

from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache import models, responses, urls

CREATED: Final = "2026-01-01T00:00:00Z"
PORT: Final = 6379

Document = dict[str, Any]


class CacheError(ServiceException):
    """An error of ElastiCache, with the code that the provider checks."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(f"{name}: {code}")
        self.code = code


def is_on(given: Document, name: str, default: str = "false") -> bool:
    """Read a boolean parameter of a request."""
    return {"true": True, "false": False}[str(given.get(name, default)).lower()]


def settings_shown(given: Document) -> Document:
    """Show the settings of a replication group as ElastiCache does, defaults included."""
    tls = is_on(given, "TransitEncryptionEnabled")
    return {
        "Description": given.get("ReplicationGroupDescription"),
        "Engine": given.get("Engine") or "redis",
        "CacheNodeType": given.get("CacheNodeType"),
        "AutomaticFailover": "enabled" if is_on(given, "AutomaticFailoverEnabled") else "disabled",
        "MultiAZ": "enabled" if is_on(given, "MultiAZEnabled") else "disabled",
        "SnapshotRetentionLimit": int(given.get("SnapshotRetentionLimit") or 0),
        "SnapshotWindow": given.get("SnapshotWindow") or "05:00-06:00",
        "TransitEncryptionEnabled": tls,
        "TransitEncryptionMode": given.get("TransitEncryptionMode") or ("required" if tls else None),
        "AtRestEncryptionEnabled": is_on(given, "AtRestEncryptionEnabled"),
        "AuthTokenEnabled": bool(given.get("AuthToken")),
        "KmsKeyId": given.get("KmsKeyId"),
        "UserGroupIds": given.get("UserGroupIds") or [],
        "AutoMinorVersionUpgrade": is_on(given, "AutoMinorVersionUpgrade", "true"),
        "DataTiering": "disabled",
        "NetworkType": given.get("NetworkType") or "ipv4",
        "IpDiscovery": given.get("IpDiscovery") or "ipv4",
        "LogDeliveryConfigurations": [
            log | {"Status": "active"} for log in given.get("LogDeliveryConfigurations") or []
        ],
    }


def shard_shown(shard: str, nodes: list[str], suffix: str) -> Document:
    """Show a shard and the role of each of its nodes; the first one is the primary."""
    return {
        "NodeGroupId": shard,
        "Status": "available",
        "PrimaryEndpoint": {"Address": f"master.{suffix}", "Port": PORT},
        "ReaderEndpoint": {"Address": f"replica.{suffix}", "Port": PORT},
        "NodeGroupMembers": [
            {"CacheClusterId": node, "CacheNodeId": "0001", "CurrentRole": "replica" if i else "primary"}
            for i, node in enumerate(nodes)
        ],
    }


class CacheBackend(models.ElastiCacheBackend):
    """moto's users, subnet groups and tags; all other resources by kind and name."""

    @property
    def _url_module(self) -> Any:
        return urls  # moto would search the class's own module

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.stored: dict[str, dict[str, Document]] = {
            "parametergroup": {},
            "usergroup": {},
            "replicationgroup": {},
            "cluster": {},
            "serverlesscache": {},
        }
        self.last_snapshots: set[str] = set()
        """Names; nothing here deletes one, as nobody deletes the last snapshot of a group."""

    def list_tags_for_resource(self, arn: str) -> dict[str, list[dict[str, str]]]:
        """Tags of any kind of resource; moto supports six kinds."""
        return self.tagging_service.list_tags_for_resource(arn)

    def arn(self, kind: str, name: str) -> str:
        """Make an ARN of ElastiCache."""
        return f"arn:aws:elasticache:{self.region_name}:{self.account_id}:{kind}:{name}"

    def store(self, kind: str, name: str, document: Document, tags: list[dict[str, str]] | None) -> Document:
        """Store one resource and its tags."""
        document["ARN"] = self.arn(kind, name)
        self.stored[kind][name] = document
        if tags:
            self.tagging_service.tag_resource(document["ARN"], tags)
        return document

    def find(self, kind: str, name: str, missing: str) -> Document:
        """Find one resource, or raise with the code `missing`."""
        if name not in self.stored[kind]:
            raise CacheError(missing, name)
        return self.stored[kind][name]

    def remove(self, kind: str, name: str, missing: str) -> Document:
        """Remove one resource and its tags, at once."""
        document = self.find(kind, name, missing)
        self.tagging_service.delete_all_tags_for_resource(document["ARN"])
        return self.stored[kind].pop(name)

    def delete_cache_subnet_group(self, name: str) -> None:
        """Remove a subnet group; moto has no such call."""
        group = self.cache_subnet_groups.pop(name, None)
        if group is None:
            raise CacheError("CacheSubnetGroupNotFoundFault", name)
        self.tagging_service.delete_all_tags_for_resource(group.arn)

    def create_replication_group(self, given: Document) -> Document:  # type: ignore[override] # the request, whole
        """Store a replication group and one cache cluster for each node."""
        name = given["ReplicationGroupId"]
        shards = int(given.get("NumNodeGroups") or 1)
        clustered = given.get("ClusterMode") == "enabled" or shards > 1 or "NumNodeGroups" in given
        replicas = given.get("ReplicasPerNodeGroup")
        replicas = int(given.get("NumCacheClusters") or 1) - 1 if replicas is None else int(replicas)
        suffix = f"{name}.emulator.use1.cache.amazonaws.com"
        nodes_by_shard = {
            f"{shard:04d}": [
                f"{name}-{shard:04d}-{number:03d}" if clustered else f"{name}-{number:03d}"
                for number in range(1, replicas + 2)
            ]
            for shard in range(1, shards + 1)
        }
        members = [node for nodes in nodes_by_shard.values() for node in nodes]
        group = {
            "ReplicationGroupId": name,
            "Status": "available",
            "MemberClusters": members,
            "NodeGroups": [shard_shown(shard, nodes, suffix) for shard, nodes in nodes_by_shard.items()],
            "ClusterEnabled": clustered,
            "ClusterMode": "enabled" if clustered else "disabled",
            **settings_shown(given),
        }
        if clustered:
            group["ConfigurationEndpoint"] = {"Address": f"clustercfg.{suffix}", "Port": PORT}
        for node in members:
            self.store("cluster", node, self.node(node, group, given), None)
        return self.store("replicationgroup", name, group, given.get("Tags"))

    def node(self, name: str, group: Document, given: Document) -> Document:
        """Show one node as a cache cluster; the provider reads half of a group's settings there."""
        version = str(given.get("EngineVersion") or "8.0")
        family = group["Engine"] + version.split(".", maxsplit=1)[0]
        return {
            "CacheClusterId": name,
            "CacheClusterStatus": "available",
            "ReplicationGroupId": group["ReplicationGroupId"],
            "Engine": group["Engine"],
            "EngineVersion": version if version.count(".") > 1 else f"{version}.0",
            "CacheNodeType": group["CacheNodeType"],
            "NumCacheNodes": 1,
            "CacheNodes": [
                {
                    "CacheNodeId": "0001",
                    "CacheNodeStatus": "available",
                    "Endpoint": {"Address": name, "Port": PORT},
                }
            ],
            "CacheParameterGroup": {
                "CacheParameterGroupName": given.get("CacheParameterGroupName") or f"default.{family}"
            },
            "CacheSubnetGroupName": given.get("CacheSubnetGroupName"),
            "SecurityGroups": [
                {"SecurityGroupId": s, "Status": "active"} for s in given.get("SecurityGroupIds") or []
            ],
            "PreferredMaintenanceWindow": given.get("PreferredMaintenanceWindow") or "sun:05:00-sun:06:00",
            "NotificationConfiguration": {"TopicArn": given["NotificationTopicArn"], "TopicStatus": "active"}
            if given.get("NotificationTopicArn")
            else None,
            "SnapshotWindow": group["SnapshotWindow"],
            "SnapshotRetentionLimit": group["SnapshotRetentionLimit"],
            "TransitEncryptionEnabled": group["TransitEncryptionEnabled"],
            "TransitEncryptionMode": group["TransitEncryptionMode"],
            "AtRestEncryptionEnabled": group["AtRestEncryptionEnabled"],
            "AutoMinorVersionUpgrade": group["AutoMinorVersionUpgrade"],
            "LogDeliveryConfigurations": group["LogDeliveryConfigurations"],
            "NetworkType": group["NetworkType"],
            "IpDiscovery": group["IpDiscovery"],
        }

    MODIFIABLE: Final = {
        "ReplicationGroupDescription": "Description",
        "CacheNodeType": "CacheNodeType",
        "SnapshotRetentionLimit": "SnapshotRetentionLimit",
        "SnapshotWindow": "SnapshotWindow",
    }

    def modify_replication_group(self, given: Document) -> Document:  # type: ignore[override] # the request, whole
        """Change what can be changed in place; refuse any other change."""
        group = self.find("replicationgroup", given["ReplicationGroupId"], "ReplicationGroupNotFoundFault")
        known = {*self.MODIFIABLE, "ReplicationGroupId", "ApplyImmediately"}
        if unknown := sorted(set(given) - known):
            raise CacheError(
                "InvalidParameterCombination", f"the emulator cannot modify {', '.join(unknown)}"
            )
        for theirs, shown in self.MODIFIABLE.items():
            if theirs in given:
                group[shown] = int(given[theirs]) if theirs == "SnapshotRetentionLimit" else given[theirs]
        return group

    def delete_replication_group(self, name: str, snapshot: str | None = None) -> Document:  # type: ignore[override]
        """Remove a group and its nodes at once, and keep a last snapshot under a name that is not in use."""
        if snapshot in self.last_snapshots:
            raise CacheError("SnapshotAlreadyExistsFault", snapshot)
        if snapshot:
            self.last_snapshots.add(snapshot)
        group = self.remove("replicationgroup", name, "ReplicationGroupNotFoundFault")
        for node in group["MemberClusters"]:
            self.remove("cluster", node, "CacheClusterNotFound")
        return group | {"Status": "deleting"}


class CacheResponse(responses.ElastiCacheResponse):
    """The calls that Terraform makes and moto does not have."""

    @property
    def backend(self) -> CacheBackend:
        """The resources of the caller's account and region."""
        held = models.elasticache_backends[self.current_account][self.region]
        assert isinstance(held, CacheBackend)
        return held

    def given(self) -> Document:
        """The request's parameters that have a value."""
        return {key: value for key, value in self._get_params().items() if value is not None}

    def create_replication_group(self) -> ActionResult:
        """Create a replication group."""
        return ActionResult({"ReplicationGroup": self.backend.create_replication_group(self.given())})

    def describe_replication_groups(self) -> ActionResult:
        """Show one replication group, or all."""
        return self.described(
            "ReplicationGroups", "replicationgroup", "ReplicationGroupId", "ReplicationGroupNotFoundFault"
        )

    def modify_replication_group(self) -> ActionResult:
        """Change a replication group."""
        return ActionResult({"ReplicationGroup": self.backend.modify_replication_group(self.given())})

    def delete_replication_group(self) -> ActionResult:
        """Delete a replication group."""
        name, snapshot = self._get_param("ReplicationGroupId"), self._get_param("FinalSnapshotIdentifier")
        return ActionResult({"ReplicationGroup": self.backend.delete_replication_group(name, snapshot)})

    def describe_cache_clusters(self) -> ActionResult:
        """Show one node, or all."""
        return self.described("CacheClusters", "cluster", "CacheClusterId", "CacheClusterNotFound")

    def delete_cache_subnet_group(self) -> ActionResult:
        """Delete a subnet group."""
        self.backend.delete_cache_subnet_group(self._get_param("CacheSubnetGroupName"))
        return EmptyResult()

    def described(self, answer: str, kind: str, parameter: str, missing: str) -> ActionResult:
        """Show one resource by name, or all of its kind."""
        name = self._get_param(parameter)
        found = [self.backend.find(kind, name, missing)] if name else list(self.backend.stored[kind].values())
        return ActionResult({answer: found})

    def create_cache_parameter_group(self) -> ActionResult:
        """Create an empty parameter group."""
        given = self.given()
        tags, name = given.pop("Tags", None), given["CacheParameterGroupName"]
        document = {**given, "IsGlobal": False, "Parameters": {}}
        return ActionResult(
            {"CacheParameterGroup": self.backend.store("parametergroup", name, document, tags)}
        )

    def describe_cache_parameter_groups(self) -> ActionResult:
        """Show one parameter group, or all."""
        return self.described(
            "CacheParameterGroups", "parametergroup", "CacheParameterGroupName", "CacheParameterGroupNotFound"
        )

    def parameters(self) -> Document:
        """The parameters of the named parameter group."""
        name = self._get_param("CacheParameterGroupName")
        parameters: Document = self.backend.find("parametergroup", name, "CacheParameterGroupNotFound")[
            "Parameters"
        ]
        return parameters

    def modify_cache_parameter_group(self) -> ActionResult:
        """Set parameters."""
        for entry in self._get_param("ParameterNameValues") or []:
            self.parameters()[entry["ParameterName"]] = entry["ParameterValue"]
        return ActionResult({"CacheParameterGroupName": self._get_param("CacheParameterGroupName")})

    def reset_cache_parameter_group(self) -> ActionResult:
        """Reset parameters to their defaults."""
        for entry in self._get_param("ParameterNameValues") or []:
            self.parameters().pop(entry["ParameterName"], None)
        return ActionResult({"CacheParameterGroupName": self._get_param("CacheParameterGroupName")})

    def describe_cache_parameters(self) -> ActionResult:
        """Show the parameters that the user set."""
        items = self.parameters().items()
        return ActionResult(
            {"Parameters": [{"ParameterName": k, "ParameterValue": v, "Source": "user"} for k, v in items]}
        )

    def delete_cache_parameter_group(self) -> ActionResult:
        """Delete a parameter group."""
        self.backend.remove(
            "parametergroup", self._get_param("CacheParameterGroupName"), "CacheParameterGroupNotFound"
        )
        return EmptyResult()

    def create_user_group(self) -> ActionResult:
        """Create a group of users."""
        given = self.given()
        tags = given.pop("Tags", None)
        document = {"UserIds": [], **given, "Status": "active"}
        return ActionResult(self.backend.store("usergroup", given["UserGroupId"], document, tags))

    def describe_user_groups(self) -> ActionResult:
        """Show one group of users, or all."""
        return self.described("UserGroups", "usergroup", "UserGroupId", "UserGroupNotFound")

    def delete_user_group(self) -> ActionResult:
        """Delete a group of users."""
        return ActionResult(
            self.backend.remove("usergroup", self._get_param("UserGroupId"), "UserGroupNotFound")
        )


def install() -> None:
    """Serve ElastiCache from here, with moto's own users, subnet groups and tags."""
    models.elasticache_backends.backend = CacheBackend
    for path in urls.url_paths:
        urls.url_paths[path] = CacheResponse.dispatch
