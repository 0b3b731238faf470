"""What stands in the emulator, whatever service it belongs to: ``GET /moto-api/inventory``.

It reads the backends' own collections, so a resource of a service that nobody thought of is found too. Two readings are
compared: what AWS itself brings (a default VPC, managed policies) is in both.
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

OWN_CONTENT: Final = ("ec2", "elasticache")
"""Services that AWS fills by itself (a default VPC, images, a default user), and moto when it is first asked."""

GONE: Final = {"PendingDeletion", "deleted"}
"""States of what is deleted and shown for a while: a customer key for days, an endpoint for an hour."""

NO_RESOURCES: Final = {"ec2.tags", "ec2.network_acls"}
"""What goes with a resource in AWS (its tags, a VPC's own access list) and stays in moto."""

AWS_OWN: Final = "Default key"
"""How moto describes a key that a service makes for itself."""


def names(collection: dict[Any, Any], prefix: str) -> Iterator[str]:
    """Name what a collection holds; a collection of collections (subnets by zone) is told by both keys."""
    for key, value in collection.items():
        if isinstance(value, dict):
            yield from names(value, f"{prefix}/{key}")
        elif not is_gone(value) and getattr(value, "description", None) != AWS_OWN:
            yield f"{prefix}/{key}"


def is_gone(value: object) -> bool:
    """Whether something is deleted and only shown."""
    return bool({getattr(value, "key_state", None), getattr(value, "state", None)} & GONE)


def standing(backends: Iterator[tuple[str, BaseBackend]]) -> list[str]:
    """Name everything that stands, sorted: service, collection, key."""
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
    return 200, {"Content-Type": "application/json"}, json.dumps(standing(backends))


def install() -> None:
    """Serve the inventory beside moto's own administration."""
    urls.url_paths["{0}/moto-api/inventory"] = serve
