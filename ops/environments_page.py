"""docs/environments.md: how the environments differ, from their variables files.

``python -m ops.environments_page`` prints it; `make infra-docs` writes it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import msgspec

from ops.environment import ENVIRONMENTS, ROOT
from ops.tfvars import Value, flatten, read_file

if TYPE_CHECKING:
    from pathlib import Path

ORDER: Final = ("dev", "staging", "prod")
"""Columns, from the smallest."""

RESERVED_MEMORY: Final = 0.25
"""Share of a node's memory that ElastiCache keeps for snapshots and failovers: the default of reserved-memory-percent."""

PROFILE_KIB: Final = 6
"""A profile's bound (decision 0002)."""

ENTITIES_OF_USER: Final = 6.1
"""Cards, devices, IP addresses, networks and payees that a user of 15 payments a month touches within their retention; shared ones
count once. Of simulated users (``python -m benchmarks.entity_state``)."""

ENTITY_BYTES: Final = 330
"""What the server needs for a card of 15 payments a month, its tables included (decision 0024)."""

USER_KIB: Final = PROFILE_KIB + ENTITIES_OF_USER * ENTITY_BYTES / 1024

MERCHANT_KIB: Final = 1.7
"""A busy merchant's bound (decision 0024)."""

HEAD: Final = """# Environments

Made by `make infra-docs` from `terraform/environments/*/*.tfvars`; a test checks that it matches. `terraform/variables*.tf` say what
a setting means, its unit, its allowed values, and its default.
"""


def cell(value: Value | None, is_set: bool) -> str:
    """Show one setting."""
    if not is_set:
        return "*default*"
    if isinstance(value, list):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{value if isinstance(value, str) else msgspec.json.encode(value).decode()}`"


def cache_lines(type_by_environment: dict[str, str], root: Path = ROOT) -> list[str]:
    """Write what a node of each environment's cache holds; every node holds all profiles and entities.

    Parameters
    ----------
    type_by_environment : dict
        The node's type, such as ``cache.r7g.large``.
    root : Path
        The repository.

    Returns
    -------
    list of str
        A table.
    """
    nodes = msgspec.yaml.decode((root / "docs/cost/prices.yaml").read_bytes())["cache_node_hour"]
    memory = [float(nodes[kind]["memory_gib"]) for kind in type_by_environment.values()]
    usable = [gib * (1 - RESERVED_MEMORY) for gib in memory]
    rows = {
        "memory of a node, GiB": [f"{gib:.2f}" for gib in memory],
        f"of it for data, after the {RESERVED_MEMORY:.0%} that ElastiCache reserves, GiB": [
            f"{gib:.2f}" for gib in usable
        ],
        f"users who pay within the retention: {PROFILE_KIB} KiB of profile and {USER_KIB - PROFILE_KIB:.1f} KiB of entities each": [
            f"{users(gib):,}" for gib in usable
        ],
    }
    head = ["| | " + " | ".join(type_by_environment) + " |", "|---|" + "---:|" * len(type_by_environment)]
    return [
        *head,
        *(f"| {what} | {' | '.join(values)} |" for what, values in rows.items()),
        "",
        f"A user has {ENTITIES_OF_USER} cards, devices, IP addresses, networks and payees of {ENTITY_BYTES} bytes. Merchants come on top:",
        f"at most {MERCHANT_KIB} KiB each, a million 1.6 GiB ([0024](decisions/0024-entities.md)).",
    ]


def users(gib: float) -> int:
    """How many users fit with their entities, in two significant digits, rounded down."""
    whole = int(gib * 2**20 / USER_KIB)
    unit: int = 10 ** max(0, len(str(whole)) - 2)
    return whole // unit * unit


def page(root: Path = ROOT) -> str:
    """Write the page.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    str
        Markdown: a table of what differs, with the reasons from the files' comments, one of what the cache holds, and one of what
        is the same.
    """
    read = {name: read_file(root / ENVIRONMENTS / name / f"{name}.tfvars") for name in ORDER}
    flat = {name: flatten(values) for name, (values, _) in read.items()}
    settings = list(dict.fromkeys(setting for values in reversed(flat.values()) for setting in values))
    differing = [s for s in settings if len({repr(flat[name].get(s)) for name in ORDER}) > 1]
    lines = [HEAD, "## What differs", "", f"| setting | {' | '.join(ORDER)} |", "|---|" + "---|" * len(ORDER)]
    reasons: list[str] = []
    for setting in differing:
        cells = []
        for name in ORDER:
            comment = read[name][1].get(setting)
            if comment:
                reasons.append(f"{len(reasons) + 1}. {name}: {comment}")
            mark = f" ({len(reasons)})" if comment else ""
            cells.append(cell(flat[name].get(setting), setting in flat[name]) + mark)
        lines.append(f"| `{setting}` | {' | '.join(cells)} |")
    node_types = {name: str(flat[name]["cache.node_type"]) for name in ORDER}
    lines += ["", *reasons, "", "## What the cache holds", "", *cache_lines(node_types, root)]
    lines += ["", "## What is the same", "", "| setting | all |", "|---|---|"]
    lines += [f"| `{s}` | {cell(flat[ORDER[0]][s], True)} |" for s in settings if s not in differing]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
