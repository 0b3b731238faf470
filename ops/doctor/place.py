"""The region: its zones, and the versions that it offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.doctor.finding import Finding, Level, Site

if TYPE_CHECKING:
    from collections.abc import Iterator


def zones(site: Site) -> Iterator[Finding]:
    """Whether the zones exist for this account, and offer the brokers' kind of instance.

    A zone's name means another place in each account, so a finding has its id. `create-cluster` refuses subnets in zones that MSK does
    not support (Amazon MSK developer guide, "Creating a cluster"); no call lists them beforehand. A zone without the EC2 instance type
    behind the broker is the nearest that can be read.
    """
    known = {
        zone["ZoneName"]: zone
        for zone in site.client("ec2").describe_availability_zones()["AvailabilityZones"]
    }
    named = site.settings["availability_zones"]
    usable = [name for name, zone in known.items() if zone["State"] == "available"]
    for name in named:
        if name not in usable:
            yield Finding(
                Level.FAIL,
                f"This account has no zone {name}; set availability_zones to three of {', '.join(sorted(usable))}.",
            )
    kind = str(site.settings["kafka.brokers.instance_type"]).removeprefix("kafka.")
    offered = {
        offer["Location"]
        for offer in site.every(
            "ec2",
            "describe_instance_type_offerings",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": [kind]}],
        )
    }
    ids = {name: f"{name} ({known[name]['ZoneId']})" for name in named if name in usable}
    for name, text in ids.items():
        if name not in offered:
            better = sorted(set(usable) & offered - set(named))
            yield Finding(
                Level.WARN,
                f"{text} does not offer {kind}, so MSK may refuse it for brokers; replace it in availability_zones by "
                f"{' or '.join(better) or 'a zone of another region'}.",
            )
    yield Finding(Level.OK, f"Zones: {', '.join(ids.values()) or 'none'}.")


def kafka_version(site: Site) -> Iterator[Finding]:
    """Whether MSK offers the version to a new cluster."""
    if site.settings.get("kafka.capacity_mode") == "serverless" or site.has_cluster():
        return
    wanted = site.setting("kafka.version")
    active = [
        entry["Version"]
        for entry in site.every("kafka", "list_kafka_versions", "KafkaVersions")
        if entry["Status"] == "ACTIVE"
    ]
    if wanted in active:
        yield Finding(Level.OK, f"Kafka {wanted} is offered.")
    else:
        yield Finding(
            Level.FAIL,
            f"MSK offers no Kafka {wanted} in {site.region}; set kafka.version to one of {', '.join(sorted(active))}.",
        )


def cache_version(site: Site) -> Iterator[Finding]:
    """Whether ElastiCache offers the engine's version."""
    engine = site.setting("cache.engine")
    wanted = site.setting("cache.engine_version")
    offered = {
        entry["EngineVersion"]
        for entry in site.every(
            "elasticache", "describe_cache_engine_versions", "CacheEngineVersions", Engine=engine
        )
    }
    if any(version == wanted or version.startswith(f"{wanted}.") for version in offered):
        yield Finding(Level.OK, f"{engine} {wanted} is offered.")
    else:
        yield Finding(
            Level.FAIL,
            f"ElastiCache offers no {engine} {wanted} in {site.region}; set cache.engine_version to one of {', '.join(sorted(offered))}.",
        )
