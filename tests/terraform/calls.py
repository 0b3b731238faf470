"""Which AWS operations a function's code can call, read from its source, because no run takes every branch.

A method call counts as an operation if botocore's client of one of the function's services has a method of that name. Both the
function's own package and the parts of other packages that call AWS for it are read. `ACTIONS` says which IAM actions an operation
needs.
"""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Final

import botocore.session
from aws_lambda_powertools.utilities.parameters import appconfig
from botocore import xform_name

from common import alert_windows, crash_counts
from ops.manifests import FUNCTIONS_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.manifests import FunctionSpec

CALLED_FOR_US: Final = {
    "AppConfigProvider": appconfig,
    "CrashTable": crash_counts,
    "read_windows": alert_windows,
}
"""Names whose use makes another package call AWS, and the module that makes the call."""

IAM_SERVICES: Final = {"appconfigdata": "appconfig"}
"""Services whose actions have another prefix than the name of botocore's client."""

ACTIONS: Final = {
    ("dynamodb", "BatchExecuteStatement"): "PartiQL{statement}",
    ("dynamodb", "TransactWriteItems"): "{member}Item",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("lambda", "Invoke"): "InvokeFunction",
}
"""Operations that need an action of another name. A transaction and a batch of statements need the actions of their members."""

KAFKA_ACTIONS: Final = {
    "list_topics": "DescribeTopic",
    "describe_configs": "DescribeTopicDynamicConfiguration",
    "create_topics": "CreateTopic",
    "create_partitions": "AlterTopic",
    "incremental_alter_configs": "AlterTopicDynamicConfiguration",
}
"""`AdminClient`'s methods, and the action that MSK requires. Source: Amazon MSK developer guide, "Semantics of IAM policy
actions and resources"."""


def actions_in_code(name: str, spec: FunctionSpec) -> set[str]:
    """List the IAM actions that a function's code needs, such as ``dynamodb:PutItem``.

    Parameters
    ----------
    name : str
        The function's folder.
    spec : FunctionSpec
        Its `function.yaml`.

    Returns
    -------
    set[str]
        Without actions of Lambda itself, and those with which services use the keys of what they store.
    """
    own = [ast.parse(file.read_text()) for file in sorted((FUNCTIONS_DIR / name).rglob("*.py"))]
    names = {node.id for tree in own for node in ast.walk(tree) if isinstance(node, ast.Name)}
    foreign = [
        ast.parse(inspect.getsource(module)) for used, module in CALLED_FOR_US.items() if used in names
    ]
    found = {
        f"{IAM_SERVICES.get(service, service)}:{action}"
        for service, operations in _operations(spec.aws_services).items()
        for tree in [*own, *foreign]
        for method in _methods(tree)
        if method in operations
        for action in _actions(service, operations[method], own)
    }
    # Requests whose bodies the code makes itself name their operation in a string.
    texts = set(_texts(own))
    found |= {
        f"{IAM_SERVICES.get(service, service)}:{action}"
        for service, operations in _operations(spec.aws_services).items()
        for operation in texts & set(operations.values())
        for action in _actions(service, operation, own)
    }
    if "RequestSigner" in names:
        found |= {f"{service}:Connect" for tree in own for service in _signed_services(tree)}
    if "AdminClient" in names:
        methods = {method for tree in own for method in _methods(tree)}
        found |= {f"kafka-cluster:{action}" for method, action in KAFKA_ACTIONS.items() if method in methods}
        found.add("kafka-cluster:Connect")
    return found


def _operations(services: list[str]) -> dict[str, dict[str, str]]:
    """Each service's client methods, and the operation behind each."""
    session = botocore.session.get_session()
    return {
        service: {xform_name(name): name for name in session.get_service_model(service).operation_names}
        for service in services
    }


def _methods(tree: ast.AST) -> Iterator[str]:
    """Names of called methods, and of the methods that a paginator is asked to call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
            if node.func.attr == "get_paginator":
                yield from (
                    str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)
                )


def _actions(service: str, operation: str, trees: list[ast.Module]) -> set[str]:
    pattern = ACTIONS.get((service, operation), operation)
    if "{statement}" in pattern:
        verbs = {
            text.split()[0].title()
            for text in _texts(trees)
            if text.split()[:1] and text.split()[0] in {"INSERT", "SELECT", "UPDATE", "DELETE"}
        }
        return {pattern.format(statement=verb) for verb in verbs}
    if "{member}" in pattern:
        members = {text for text in _keys(trees) if text in {"Put", "Update", "Delete"}}
        return {pattern.format(member=member) for member in members}
    return {pattern}


def _texts(trees: list[ast.Module]) -> Iterator[str]:
    """Every string of the code that is not a docstring, including the fixed parts of f-strings."""
    for tree in trees:
        sentences = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in sentences:
                yield node.value


def _keys(trees: list[ast.Module]) -> Iterator[str]:
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                for key in node.keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value


def _signed_services(tree: ast.AST) -> Iterator[str]:
    """Services for which tokens are signed: ``ServiceId("elasticache")``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ServiceId":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))
