"""The trainers' role allows what `make train ENV=` calls, with what AWS needs for it; neither role has a right by a pattern."""

from __future__ import annotations

import ast
import re
from typing import Final

from ops.manifests import ROOT
from tests.terraform.iam import reference

MODULE: Final = ROOT / "terraform" / "modules" / "training"
NAMED: Final = re.compile(r'"([a-z0-9-]+:[A-Za-z0-9*]+)"')

SERVICES: Final = {"s3": "s3", "sagemaker": "sagemaker", "stepfunctions": "states"}
"""Name of a client, and of the service in IAM."""

PAGED: Final = {"list_objects_v2": "s3:ListBucket"}
"""Calls whose right has another name."""

NEEDED_BY_AWS: Final = {"kms:Decrypt", "kms:GenerateDataKey"}
"""What is stored is encrypted."""

BY_HAND: Final = {"sagemaker:StopTrainingJob", "states:StopExecution"}
"""What people do who have started the wrong job."""


def _actions(text: str) -> set[str]:
    return {name for name in NAMED.findall(text) if reference.matching(name)}


def _granted(file: str) -> set[str]:
    """Actions of the policy in a file of the module; above it the role says who may take it."""
    return _actions((MODULE / file).read_text().partition("locals {")[2])


def _called() -> set[str]:
    """Rights on what the command calls: `self._clients.<service>.<call>` in `ops/training.py`, `<service>.<call>` in `ops/exports.py`."""
    called = set()
    for file, clients in (("training.py", "self._clients."), ("exports.py", "")):
        for node in ast.walk(ast.parse((ROOT / "ops" / file).read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            service = ast.unparse(node.func.value).removeprefix(clients)
            if service not in SERVICES:
                continue
            name = node.func.attr
            if name == "get_paginator":
                called.add(PAGED[ast.literal_eval(node.args[0])])
            else:
                called.add(f"{SERVICES[service]}:{name.replace('_', ' ').title().replace(' ', '')}")
    return called


def test_the_trainers_may_do_what_the_command_calls_and_what_aws_needs_for_it() -> None:
    assert _granted("trainers.tf") == _called() | NEEDED_BY_AWS | BY_HAND


def test_every_call_of_the_command_is_an_action_of_iam() -> None:
    assert {action for action in _called() if not reference.matching(action)} == set()


def test_no_role_of_training_has_a_right_by_a_pattern() -> None:
    granted = _granted("trainers.tf") | _granted("job.tf")

    assert {action for action in granted if "*" in action} == set()


def test_an_action_on_all_resources_is_one_for_which_iam_knows_none() -> None:
    statements = re.split(r"\n      \{\n|\n      # ", (MODULE / "job.tf").read_text())
    broad = {
        action
        for statement in statements
        if re.search(r'Resource\s*=\s*\["\*"\]', statement)
        for action in _actions(statement)
    }

    assert "ecr:GetAuthorizationToken" in broad
    assert {action for action in broad if reference.action(action).resource_types} == set()
