"""What an account and a region offer, as `make doctor` and `make plan` read it: versions, quotas and Lambda's concurrency.

moto has none of these calls. The account is an old one, with the documented default quotas, so that nothing is in the way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from moto.awslambda import urls as lambda_urls
from moto.awslambda.responses import LambdaResponse
from moto.core.responses import ActionResult
from moto.kafka import urls as kafka_urls
from moto.servicequotas.responses import ServiceQuotasResponse

from tests.terraform.emulator.elasticache import CacheResponse
from tests.terraform.emulator.msk import MskResponse

if TYPE_CHECKING:
    from moto.core.common_types import TYPE_RESPONSE

CONCURRENCY: Final = 1000
"""The default quota of concurrent executions."""

KAFKA_VERSIONS: Final = ("3.8.x", "3.8.x.kraft", "3.9.x", "3.9.x.kraft")
CACHE_VERSIONS: Final = {"valkey": ("7.2", "8.0"), "redis": ("6.2", "7.0", "7.1")}


def get_account_settings(self: LambdaResponse) -> TYPE_RESPONSE:
    """Show the concurrency of the account: all of it, and what no function has reserved."""
    reserved = sum(
        int(function.reserved_concurrency or 0)
        for function in self.backend.list_functions(None)
        if function.version == "$LATEST"
    )
    limit = {"ConcurrentExecutions": CONCURRENCY, "UnreservedConcurrentExecutions": CONCURRENCY - reserved}
    return 200, {}, json.dumps({"AccountLimit": limit, "AccountUsage": {}})


def list_kafka_versions(_: MskResponse) -> str:
    """Show the versions for a new cluster."""
    return json.dumps({"kafkaVersions": [{"version": v, "status": "ACTIVE"} for v in KAFKA_VERSIONS]})


def list_clusters_v2(self: MskResponse) -> str:
    """Show all clusters."""
    return json.dumps({"clusterInfoList": list(self.backend.clusters.values())})


def describe_cache_engine_versions(self: CacheResponse) -> ActionResult:
    """Show the versions of an engine."""
    engine = self._get_param("Engine")
    found = [{"Engine": engine, "EngineVersion": version} for version in CACHE_VERSIONS[engine]]
    return ActionResult({"CacheEngineVersions": found})


def list_service_quotas(_: ServiceQuotasResponse) -> str:
    """Show the quotas that were changed in this account: none."""
    return json.dumps({"Quotas": []})


def install() -> None:
    """Serve these calls too; after the modules that replace the services."""
    for response, call in (
        (LambdaResponse, get_account_settings),
        (MskResponse, list_kafka_versions),
        (MskResponse, list_clusters_v2),
        (CacheResponse, describe_cache_engine_versions),
        (ServiceQuotasResponse, list_service_quotas),
    ):
        setattr(response, call.__name__, call)
    kafka_urls.url_paths["{0}/v1/kafka-versions$"] = MskResponse.dispatch
    lambda_urls.url_paths["{0}/2016-08-19/account-settings/?$"] = LambdaResponse.dispatch
