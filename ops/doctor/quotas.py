"""Quotas of the account: whether what the environment adds still fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from ops.doctor.finding import Finding, Level, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

UNRESERVED: Final = 100
"""Concurrency that must stay unreserved (AWS Lambda developer guide, "Configuring reserved concurrency for a function")."""

BROKERS: Final = 90
"""Default of "Number of brokers per account" (Amazon MSK developer guide, "Amazon MSK quota"). New Lambda accounts have less than the
default of 1,000 concurrent executions too ("Lambda quotas"), but Lambda itself returns that number."""

VPCS: Final = 5
GATEWAY_ENDPOINTS: Final = 20
NETWORK_INTERFACES: Final = 5000
"""Defaults of the region (AWS General Reference, "Amazon VPC endpoints and quotas"). The 50 interface endpoints of a VPC are not checked:
every environment has a VPC of its own with fewer, and the quota cannot be less."""

ENDPOINTS_OF_A_ZONE: Final = 10
"""More interface endpoints than the environment has in a zone."""


def lambda_concurrency(site: Site) -> Iterator[Finding]:
    """Whether the functions' reserved concurrency fits."""
    client = site.client("lambda")
    limit = client.get_account_settings()["AccountLimit"]
    total, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    more = 0
    for name, spec in site.functions.items():
        more += spec.reserved_concurrency - _reserved(site, f"{site.prefix}-{name.replace('_', '-')}")
    left = unreserved - more
    if more > 0 and left < UNRESERVED:
        yield Finding(
            Level.FAIL,
            f"Lambda allows {total} concurrent executions in {site.region}, {unreserved} of them unreserved; {site.environment.name} reserves "
            f'{more} more and {UNRESERVED} must stay unreserved: request a quota of {total + UNRESERVED - left} for "Concurrent '
            'executions" of AWS Lambda in Service Quotas.',
        )
    else:
        yield Finding(Level.OK, f"Lambda: {more} more reserved of {unreserved} concurrent executions.")


def _reserved(site: Site, function: str) -> int:
    try:
        answer = site.client("lambda").get_function_concurrency(FunctionName=function)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return 0
        raise
    return int(answer.get("ReservedConcurrentExecutions", 0))


def brokers(site: Site) -> Iterator[Finding]:
    """Whether MSK allows the cluster's brokers."""
    clusters = site.clusters()
    if site.settings.get("kafka.capacity_mode") == "serverless" or any(
        cluster["ClusterName"] == site.prefix for cluster in clusters
    ):
        return
    used = sum(cluster.get("Provisioned", {}).get("NumberOfBrokerNodes", 0) for cluster in clusters)
    more = 3 * site.settings.get("kafka.brokers.per_zone", 1)
    yield _compare(site, "kafka", "Number of brokers per account", BROKERS, used, more)


def network(site: Site) -> Iterator[Finding]:
    """Whether the region allows one more VPC with its endpoints and network interfaces."""
    vpcs = list(site.every("ec2", "describe_vpcs", "Vpcs"))
    named = {tag["Value"] for vpc in vpcs for tag in vpc.get("Tags", []) if tag["Key"] == "Name"}
    if site.prefix in named:
        return
    yield _compare(site, "vpc", "VPCs per Region", VPCS, len(vpcs), 1)
    gateways = [{"Name": "vpc-endpoint-type", "Values": ["Gateway"]}]
    used = sum(1 for _ in site.every("ec2", "describe_vpc_endpoints", "VpcEndpoints", Filters=gateways))
    yield _compare(site, "vpc", "Gateway VPC endpoints per Region", GATEWAY_ENDPOINTS, used, 2)
    interfaces = sum(1 for _ in site.every("ec2", "describe_network_interfaces", "NetworkInterfaces"))
    more = (
        ENDPOINTS_OF_A_ZONE * site.settings.get("endpoint_zone_count", 3)
        + 3 * site.settings.get("kafka.brokers.per_zone", 1)
        + 1
        + site.settings.get("cache.replicas.maximum", 1)
        + site.settings.get("ingestion.maximum_workers", 4)
        + 3 * len(site.functions)
    )
    yield _compare(site, "vpc", "Network interfaces per Region", NETWORK_INTERFACES, interfaces, more)


def _compare(site: Site, service: str, name: str, default: int, used: int, more: int) -> Finding:
    """Compare a quota with what is used and what is added; Service Quotas lists only those that differ from the default."""
    applied = site.every("service-quotas", "list_service_quotas", "Quotas", ServiceCode=service)
    quota = int(next((entry["Value"] for entry in applied if entry["QuotaName"] == name), default))
    if used + more <= quota:
        return Finding(Level.OK, f'"{name}": {used} used, {more} more, {quota} allowed.')
    return Finding(
        Level.FAIL,
        f'"{name}" is {quota} in {site.region} and {used} are used; {site.environment.name} needs {more} more: request a quota of '
        f"{used + more} for it in Service Quotas ({service}).",
    )
