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


def page(root: Path = ROOT) -> str:
    """Write the page.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    str
        Markdown: a table of what differs, with the reasons from the files' comments, and one of what is the same.
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
    lines += ["", *reasons, "", "## What is the same", "", "| setting | all |", "|---|---|"]
    lines += [f"| `{s}` | {cell(flat[ORDER[0]][s], True)} |" for s in settings if s not in differing]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
