"""What a check finds, and what it looks at."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from ops import account
from ops.environment import Environment
from ops.errors import OpsError
from ops.manifests import FunctionSpec, read_functions
from ops.tfvars import flatten, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator


class Level(StrEnum):
    """What a finding means for an apply."""

    OK = "ok"
    WARN = "warn"
    """An apply succeeds, and something is not as it should be."""
    UNKNOWN = "unknown"
    """AWS did not say."""
    FAIL = "fail"
    """An apply fails, or must not happen."""


class Finding(msgspec.Struct, frozen=True):
    """One sentence, with what to do if it is not all right."""

    level: Level
    text: str

    def __str__(self) -> str:
        return f"{self.level:<8}{self.text}"


class Site(msgspec.Struct, frozen=True):
    """An environment, its settings and its functions."""

    environment: Environment
    settings: dict[str, Any]
    """By path, such as ``kafka.partitions``."""
    bootstrap: dict[str, Any]
    """The settings of `bootstrap.tfvars`; empty without the file."""
    functions: dict[str, FunctionSpec]
    """Those that the environment has."""

    @property
    def has_console(self) -> bool:
        """Whether the environment has a function that browsers reach."""
        return any(spec.is_optional for spec in self.functions.values())

    @property
    def prefix(self) -> str:
        """First part of the names of all resources."""
        return f"{self.settings.get('project', 'fraud')}-{self.environment.name}"

    @property
    def region(self) -> str:
        """The environment's region."""
        return self.environment.region

    def setting(self, path: str) -> Any:
        """A setting of the environment, or its default: ``cache.engine``."""
        if path in self.settings:
            return self.settings[path]
        variable, attribute = path.split(".")
        files = sorted((self.environment.root / "terraform").glob("variables*.tf"))
        text = "".join(file.read_text() for file in files)
        body = text.split(f'variable "{variable}" {{', 1)[1].split("\n}\n", 1)[0]
        found = re.search(rf'^ +{attribute} += optional\(string, "([^"]+)"\)', body, re.MULTILINE)
        if found is None:
            raise OpsError(
                f"{path} is neither in {self.environment.variables_file.name} nor has it a default."
            )
        return found[1]

    def client(self, service: str) -> Any:
        """Make a client of a service."""
        return account.client(service, self.environment)

    def every(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Give the entries of all pages of an answer."""
        for page in self.client(service).get_paginator(operation).paginate(**parameters):
            yield from page.get(key, [])

    def clusters(self) -> list[dict[str, Any]]:
        """The account's MSK clusters in the region."""
        return list(self.every("kafka", "list_clusters_v2", "ClusterInfoList"))

    def has_cluster(self) -> bool:
        """Whether the environment's MSK cluster exists."""
        return any(cluster["ClusterName"] == self.prefix for cluster in self.clusters())


def read_site(environment: Environment) -> Site:
    """Read the files of an environment."""
    values, _ = read_file(environment.variables_file)
    has_console = values.get("console") is not None
    bootstrap = environment.folder / "bootstrap.tfvars"
    return Site(
        environment,
        dict(flatten(values)) | {"alerts": values.get("alert_subscriptions") or {}},
        dict(read_file(bootstrap)[0]) if bootstrap.is_file() else {},
        {
            name: spec
            for name, spec in read_functions(environment.root / "functions").items()
            if has_console or not spec.is_optional
        },
    )
