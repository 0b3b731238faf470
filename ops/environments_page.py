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

PROFILE_KIB: Final = 4
"""A profile's bound (decision 0002)."""

HEAD: Final = """# Environments

Made by `make infra-docs` from `terraform/environments/*/*.tfvars`; a test checks that it matches. `terraform/variables.tf` says what
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
    """Write what a node of each environment's cache holds; every node holds all profiles.

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
        f"of it for profiles, after the {RESERVED_MEMORY:.0%} that ElastiCache reserves, GiB": [
            f"{gib:.2f}" for gib in usable
        ],
        f"users who pay within the retention, {PROFILE_KIB} KiB each": [
            f"{profiles(gib):,}" for gib in usable
        ],
    }
    head = ["| | " + " | ".join(type_by_environment) + " |", "|---|" + "---:|" * len(type_by_environment)]
    return [*head, *(f"| {what} | {' | '.join(values)} |" for what, values in rows.items())]


def profiles(gib: float) -> int:
    """How many profiles fit, in two significant digits, rounded down."""
    whole = int(gib * 2**20 / PROFILE_KIB)
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
