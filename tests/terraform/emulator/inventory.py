"""All resources in the emulator, of every service: ``GET /moto-api/inventory``.

It reads the backends' own collections, so it also finds resources of services that nobody thought of. Tests compare two
inventories: what AWS creates itself (a default VPC, managed policies) is in both.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from moto.backends import get_backend
from moto.core.base_backend import BackendDict, BaseBackend
from moto.moto_api._internal import urls

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT: Final = "123456789012"

OWN_CONTENT: Final = ("ec2", "elasticache", "events")
"""Services in which AWS has resources of its own (a default VPC, images, a default user, the default event bus).

moto creates them at the first call.
"""

GONE: Final = {"PendingDeletion", "deleted"}
"""States of deleted resources that are still shown: a customer key for days, an endpoint for an hour."""

NO_RESOURCES: Final = {"ec2.tags", "ec2.network_acls"}
"""What AWS deletes together with a resource (its tags, a VPC's own access list) and moto does not."""

AWS_OWN: Final = "Default key"
"""moto's description of a key that a service creates for itself."""


def names(collection: dict[Any, Any], prefix: str) -> Iterator[str]:
    """Names of a collection's resources; in a collection of collections (subnets by zone) the name has both keys."""
    for key, value in collection.items():
        if isinstance(value, dict):
            yield from names(value, f"{prefix}/{key}")
        elif not is_gone(value) and getattr(value, "description", None) != AWS_OWN:
            yield f"{prefix}/{key}"


def is_gone(value: object) -> bool:
    """Whether a resource is deleted and only still shown."""
    return bool({getattr(value, "key_state", None), getattr(value, "state", None)} & GONE)


def existing(backends: Iterator[tuple[str, BaseBackend]]) -> list[str]:
    """Names of all resources, sorted: service, collection, key."""
    return sorted(
        name
        for service, backend in backends
        for attribute, held in vars(backend).items()
        if isinstance(held, dict) and f"{service}.{attribute}" not in NO_RESOURCES
        for name in names(held, f"{service}.{attribute}")
    )


def serve(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
    """Answer with the inventory."""
    for service in OWN_CONTENT:
        get_backend(service)[ACCOUNT]["us-east-1"]
    served: list[BackendDict[BaseBackend]] = list(BackendDict._instances)  # type: ignore[misc] # as moto reads it
    backends = ((kind.service_name, backend) for kind in served for _, _, backend in kind.iter_backends())
    return 200, {"Content-Type": "application/json"}, json.dumps(existing(backends))


def install() -> None:
    """Serve the inventory beside moto's own administration."""
    urls.url_paths["{0}/moto-api/inventory"] = serve
