"""A run of Terraform's own tests breaks every validation rule of every variable, and Terraform shows that rule's message.

`expect_failures` names the variable, not the rule, and hides the message. So the runs that expect a refusal run here again, each
in its own file and without the expectation. Each must fail, and together they must show the message of every rule.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Final

import pytest

from tests.terraform.mocked import run_tests, terraform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Ninety plans, while an environment's life runs, on a machine that may have other load.
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

ROOTS: Final = ("terraform", "terraform/bootstrap")

RULE: Final = re.compile(r"^  validation \{\n(.*?)^  \}", re.MULTILINE | re.DOTALL)
MESSAGE: Final = re.compile(r'^ *error_message = "(.*)"$', re.MULTILINE)
RUN: Final = re.compile(r'^run "(\w+)" \{\n.*?^\}\n', re.MULTILINE | re.DOTALL)
EXPECTATION: Final = re.compile(r"^ *expect_failures = \[var\.\w+\]\n", re.MULTILINE)
DIAGNOSTIC: Final = re.compile(
    r"(.*)\n\nThis was checked by the validation rule at (\S+:\d+),\S+\.", re.DOTALL
)
"""Terraform's text for a refused value: the rule's message, then the rule's place."""


def _pattern(template: str) -> str:
    # A template may contain braces in its strings and expressions; it ends at the brace that closes it.
    pattern, rest = "", template
    while (begin := rest.find("${")) >= 0:
        depth, end = 1, begin + 2
        while depth:
            depth += {"{": 1, "}": -1}.get(rest[end], 0)
            end += 1
        pattern += re.escape(rest[:begin].replace('\\"', '"')) + ".+"
        rest = rest[end:]
    return pattern + re.escape(rest.replace('\\"', '"'))


def _rules(root: Path) -> dict[str, str]:
    """Each rule's message, a template, by the rule's place: ``modules/cache/variables.tf:12``."""
    rules = {}
    for file in sorted(root.rglob("variables*.tf")):
        place = file.relative_to(root)
        if ".terraform" in place.parts or "bootstrap" in place.parts:
            continue
        text = file.read_text()
        for rule in RULE.finditer(text):
            line = text.count("\n", 0, rule.start()) + 1
            (rules[f"{place}:{line}"],) = MESSAGE.findall(rule[1])
    return rules


def _split(file: Path) -> Iterator[tuple[str, str]]:
    """Make a file for each run that expects a refused variable; Terraform skips the runs after one that fails."""
    text = file.read_text()
    head = RUN.sub("", text)
    for run in RUN.finditer(text):
        bare, expectations = EXPECTATION.subn("", run[0])
        if expectations:
            yield f"{file.name.removesuffix('.tftest.hcl')}-{run[1]}", head + bare


@pytest.mark.parametrize("root", ROOTS)
def test_every_rule_refuses_with_its_own_message(root: str, repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "repository" / root
    for name in ("terraform", "functions", "rules", "glue_scripts"):
        ignored = shutil.ignore_patterns(".terraform", "__pycache__")
        shutil.copytree(repository / name, tmp_path / "repository" / name, ignore=ignored)
    runs = {
        name: text for file in sorted((folder / "tests").glob("*.tftest.hcl")) for name, text in _split(file)
    }
    for file in (folder / "tests").glob("*.tftest.hcl"):
        file.unlink()
    for name, text in runs.items():
        (folder / "tests" / f"{name}.tftest.hcl").write_text(text)

    data_dir = tmp_path / ".terraform"
    done = terraform(folder, data_dir, "init", "-backend=false", "-input=false")
    assert done.returncode == 0, done.stderr
    details_by_run: dict[str, list[str]] = {name: [] for name in runs}
    for line in run_tests(folder, data_dir, "-json").stdout.splitlines():
        message = json.loads(line)
        if message.get("diagnostic", {}).get("severity") == "error":
            name = message["@testfile"].removeprefix("tests/").removesuffix(".tftest.hcl")
            details_by_run[name].append(message["diagnostic"]["detail"])
    refusals = {
        name: [DIAGNOSTIC.fullmatch(detail) for detail in details] for name, details in details_by_run.items()
    }
    shown = {match[2]: match[1] for matches in refusals.values() for match in matches if match is not None}

    rules = _rules(folder)
    assert rules
    assert [name for name, matches in refusals.items() if not any(matches)] == []
    assert set(rules) - set(shown) == set(), "a rule that no run breaks"
    assert [text for place, text in shown.items() if not re.fullmatch(_pattern(rules[place]), text)] == []
