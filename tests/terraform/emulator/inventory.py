"""What stands in the emulator, whatever service it belongs to: ``GET /moto-api/inventory``.

It reads the backends' own collections, so a resource of a service that nobody thought of is found too. Two readings are
compared: what AWS itself brings (a default VPC, managed policies) is in both.
"""

import json
from collections.abc import Iterator
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.moto_api._internal import urls


def names(collection: dict[Any, Any], prefix: str) -> Iterator[str]:
    """Name what a collection holds; a collection of collections (subnets by zone) is told by both keys."""
    for key, value in collection.items():
        if isinstance(value, dict):
            yield from names(value, f"{prefix}/{key}")
        elif (
            getattr(value, "key_state", None) != "PendingDeletion"
        ):  # a customer key outlives its deletion by days
            yield f"{prefix}/{key}"


def standing(backends: Iterator[tuple[str, BaseBackend]]) -> list[str]:
    """Name everything that stands, sorted: service, collection, key."""
    return sorted(
        name
        for service, backend in backends
        for attribute, held in vars(backend).items()
        if isinstance(held, dict)
        for name in names(held, f"{service}.{attribute}")
    )


def serve(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
    """Answer with the inventory."""
    served: list[BackendDict[BaseBackend]] = list(BackendDict._instances)  # type: ignore[misc] # as moto reads it
    backends = ((kind.service_name, backend) for kind in served for _, _, backend in kind.iter_backends())
    return 200, {"Content-Type": "application/json"}, json.dumps(standing(backends))


def install() -> None:
    """Serve the inventory beside moto's own administration."""
    urls.url_paths["{0}/moto-api/inventory"] = serve
