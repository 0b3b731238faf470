"""Amazon ElastiCache: replication groups and their nodes, parameter groups, user groups, serverless caches.

moto has replication groups that forget their key, their users and half of their settings, groups without nodes, and no
parameter groups, user groups or serverless caches. Users, subnet groups and tags are moto's own.
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
    """What ElastiCache refuses, under the code that the provider looks for."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(f"{name}: {code}")
        self.code = code


class CacheBackend(models.ElastiCacheBackend):
    """moto's users, subnet groups and tags, and the rest by kind and name."""

    @property
    def _url_module(self) -> Any:
        return urls  # moto looks beside the class's own module

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.kept: dict[str, dict[str, Document]] = {
            "parametergroup": {},
            "usergroup": {},
            "replicationgroup": {},
            "cluster": {},
            "serverlesscache": {},
        }

    def list_tags_for_resource(self, arn: str) -> dict[str, list[dict[str, str]]]:
        """Tags of any kind of resource; moto knows six kinds."""
        return self.tagging_service.list_tags_for_resource(arn)

    def arn(self, kind: str, name: str) -> str:
        """Name something as ElastiCache does."""
        return f"arn:aws:elasticache:{self.region_name}:{self.account_id}:{kind}:{name}"

    def keep(self, kind: str, name: str, document: Document, tags: list[dict[str, str]] | None) -> Document:
        """Keep one thing and its tags."""
        document["ARN"] = self.arn(kind, name)
        self.kept[kind][name] = document
        if tags:
            self.tagging_service.tag_resource(document["ARN"], tags)
        return document

    def find(self, kind: str, name: str, missing: str) -> Document:
        """Look one thing up, or refuse with the code `missing`."""
        if name not in self.kept[kind]:
            raise CacheError(missing, name)
        return self.kept[kind][name]

    def forget(self, kind: str, name: str, missing: str) -> Document:
        """Remove one thing and its tags, at once."""
        document = self.find(kind, name, missing)
        self.tagging_service.delete_all_tags_for_resource(document["ARN"])
        return self.kept[kind].pop(name)

    def delete_cache_subnet_group(self, name: str) -> None:
        """Remove a subnet group; moto cannot."""
        group = self.cache_subnet_groups.pop(name, None)
        if group is None:
            raise CacheError("CacheSubnetGroupNotFoundFault", name)
        self.tagging_service.delete_all_tags_for_resource(group.arn)

    def create_replication_group(self, given: Document) -> Document:  # type: ignore[override] # the request, whole
        """Keep a replication group and one cache cluster for each node."""
        name = given["ReplicationGroupId"]
        shards = int(given.get("NumNodeGroups") or 1)
        replicas = given.get("ReplicasPerNodeGroup")
        replicas = int(given.get("NumCacheClusters") or 1) - 1 if replicas is None else int(replicas)
        clustered = given.get("ClusterMode") == "enabled" or shards > 1 or "NumNodeGroups" in given
        on = {"true": True, "false": False}
        tls = on[str(given.get("TransitEncryptionEnabled", "false")).lower()]
        suffix = f"{name}.emulator.use1.cache.amazonaws.com"
        groups, members = [], []
        for shard in range(1, shards + 1):
            nodes = [
                f"{name}-{shard:04d}-{i:03d}" if clustered else f"{name}-{i:03d}"
                for i in range(1, replicas + 2)
            ]
            members += nodes
            groups.append(
                {
                    "NodeGroupId": f"{shard:04d}",
                    "Status": "available",
                    "PrimaryEndpoint": {"Address": f"master.{suffix}", "Port": PORT},
                    "ReaderEndpoint": {"Address": f"replica.{suffix}", "Port": PORT},
                    "NodeGroupMembers": [
                        {
                            "CacheClusterId": n,
                            "CacheNodeId": "0001",
                            "CurrentRole": "replica" if i else "primary",
                        }
                        for i, n in enumerate(nodes)
                    ],
                }
            )
        group: Document = {
            "ReplicationGroupId": name,
            "Description": given.get("ReplicationGroupDescription"),
            "Status": "available",
            "MemberClusters": members,
            "NodeGroups": groups,
            "ClusterEnabled": clustered,
            "ClusterMode": "enabled" if clustered else "disabled",
            "Engine": given.get("Engine") or "redis",
            "CacheNodeType": given.get("CacheNodeType"),
            "AutomaticFailover": "enabled"
            if on[str(given.get("AutomaticFailoverEnabled", "false")).lower()]
            else "disabled",
            "MultiAZ": "enabled" if on[str(given.get("MultiAZEnabled", "false")).lower()] else "disabled",
            "SnapshotRetentionLimit": int(given.get("SnapshotRetentionLimit") or 0),
            "SnapshotWindow": given.get("SnapshotWindow") or "05:00-06:00",
            "TransitEncryptionEnabled": tls,
            "TransitEncryptionMode": given.get("TransitEncryptionMode") or ("required" if tls else None),
            "AtRestEncryptionEnabled": on[str(given.get("AtRestEncryptionEnabled", "false")).lower()],
            "AuthTokenEnabled": bool(given.get("AuthToken")),
            "KmsKeyId": given.get("KmsKeyId"),
            "UserGroupIds": given.get("UserGroupIds") or [],
            "AutoMinorVersionUpgrade": on[str(given.get("AutoMinorVersionUpgrade", "true")).lower()],
            "DataTiering": "disabled",
            "NetworkType": given.get("NetworkType") or "ipv4",
            "IpDiscovery": given.get("IpDiscovery") or "ipv4",
            "LogDeliveryConfigurations": [
                log | {"Status": "active"} for log in given.get("LogDeliveryConfigurations") or []
            ],
        }
        if clustered:
            group["ConfigurationEndpoint"] = {"Address": f"clustercfg.{suffix}", "Port": PORT}
        for node in members:
            self.keep("cluster", node, self.node(node, group, given), None)
        return self.keep("replicationgroup", name, group, given.get("Tags"))

    def node(self, name: str, group: Document, given: Document) -> Document:
        """Show one node as a cache cluster, which is where the provider reads half of a group's settings."""
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
        """Change what can be changed in place; another change is refused and not forgotten."""
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

    def delete_replication_group(self, name: str) -> Document:  # type: ignore[override] # nothing is retained
        """Forget a group and its nodes at once."""
        group = self.forget("replicationgroup", name, "ReplicationGroupNotFoundFault")
        for node in group["MemberClusters"]:
            self.forget("cluster", node, "CacheClusterNotFound")
        return group | {"Status": "deleting"}


class CacheResponse(responses.ElastiCacheResponse):
    """The calls that Terraform makes beside moto's."""

    @property
    def backend(self) -> CacheBackend:
        """What stands in the caller's account and region."""
        held = models.elasticache_backends[self.current_account][self.region]
        assert isinstance(held, CacheBackend)
        return held

    def given(self) -> Document:
        """The request's parameters, without those that name no value."""
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
        return ActionResult(
            {"ReplicationGroup": self.backend.delete_replication_group(self._get_param("ReplicationGroupId"))}
        )

    def describe_cache_clusters(self) -> ActionResult:
        """Show one node, or all."""
        return self.described("CacheClusters", "cluster", "CacheClusterId", "CacheClusterNotFound")

    def delete_cache_subnet_group(self) -> ActionResult:
        """Delete a subnet group."""
        self.backend.delete_cache_subnet_group(self._get_param("CacheSubnetGroupName"))
        return EmptyResult()

    def described(self, answer: str, kind: str, parameter: str, missing: str) -> ActionResult:
        """Show one thing by name, or all of its kind."""
        name = self._get_param(parameter)
        found = [self.backend.find(kind, name, missing)] if name else list(self.backend.kept[kind].values())
        return ActionResult({answer: found})

    def create_cache_parameter_group(self) -> ActionResult:
        """Create a parameter group that sets nothing yet."""
        given = self.given()
        tags, name = given.pop("Tags", None), given["CacheParameterGroupName"]
        document = {**given, "IsGlobal": False, "Parameters": {}}
        return ActionResult(
            {"CacheParameterGroup": self.backend.keep("parametergroup", name, document, tags)}
        )

    def describe_cache_parameter_groups(self) -> ActionResult:
        """Show one parameter group, or all."""
        return self.described(
            "CacheParameterGroups", "parametergroup", "CacheParameterGroupName", "CacheParameterGroupNotFound"
        )

    def parameters(self) -> Document:
        """What the named parameter group sets."""
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
        """Take parameters back to their defaults."""
        for entry in self._get_param("ParameterNameValues") or []:
            self.parameters().pop(entry["ParameterName"], None)
        return ActionResult({"CacheParameterGroupName": self._get_param("CacheParameterGroupName")})

    def describe_cache_parameters(self) -> ActionResult:
        """Show what the user set."""
        items = self.parameters().items()
        return ActionResult(
            {"Parameters": [{"ParameterName": k, "ParameterValue": v, "Source": "user"} for k, v in items]}
        )

    def delete_cache_parameter_group(self) -> ActionResult:
        """Delete a parameter group."""
        self.backend.forget(
            "parametergroup", self._get_param("CacheParameterGroupName"), "CacheParameterGroupNotFound"
        )
        return EmptyResult()

    def create_user_group(self) -> ActionResult:
        """Create a group of users."""
        given = self.given()
        tags = given.pop("Tags", None)
        document = {"UserIds": [], **given, "Status": "active"}
        return ActionResult(self.backend.keep("usergroup", given["UserGroupId"], document, tags))

    def describe_user_groups(self) -> ActionResult:
        """Show one group of users, or all."""
        return self.described("UserGroups", "usergroup", "UserGroupId", "UserGroupNotFound")

    def delete_user_group(self) -> ActionResult:
        """Delete a group of users."""
        return ActionResult(
            self.backend.forget("usergroup", self._get_param("UserGroupId"), "UserGroupNotFound")
        )


def install() -> None:
    """Serve ElastiCache from here, over moto's own users, subnet groups and tags."""
    models.elasticache_backends.backend = CacheBackend
    for path in urls.url_paths:
        urls.url_paths[path] = CacheResponse.dispatch
