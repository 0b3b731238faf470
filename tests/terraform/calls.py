"""Which AWS operations a function's code can call, read from its source, because no run takes every branch.

A method call counts as an operation if botocore's client of one of the function's services has a method of that name. The function's own
package is read, what it uses of the shared packages, and the parts of libraries that call AWS for it. `ACTIONS` says which IAM actions an operation needs.
"""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Final

import botocore.session
from aws_lambda_powertools.utilities.parameters import appconfig
from botocore import xform_name

from ops.manifests import FUNCTIONS_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ops.manifests import FunctionSpec

CALLED_FOR_US: Final = {"AppConfigProvider": appconfig}
"""Names whose use makes a library call AWS, and the module that makes the call."""

SHARED: Final = ("common", "cache", "rollouts")
"""The packages that call AWS for several functions."""

_SHARED_PREFIXES: Final = tuple(f"{package}." for package in SHARED)

IAM_SERVICES: Final = {"appconfigdata": "appconfig"}
"""Services whose actions have another prefix than the name of botocore's client."""

ACTIONS: Final = {
    ("s3", "ListObjectsV2"): "ListBucket",
    ("dynamodb", "BatchExecuteStatement"): "PartiQL{statement}",
    ("dynamodb", "ExecuteStatement"): "PartiQL{statement}",
    ("dynamodb", "TransactWriteItems"): "{member}Item",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("lambda", "Invoke"): "InvokeFunction",
}
"""Operations that need an action of another name. A transaction and a batch of statements need the actions of their members."""

ARGUMENTS: Final = {("s3", "put_object", "ObjectLockMode"): "PutObjectRetention"}
"""Arguments that need another action beside the operation's. Source: Amazon S3 user guide, "Required permissions for Amazon S3 API operations"."""

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
    files = [ast.parse(file.read_text()) for file in sorted((FUNCTIONS_DIR / name).rglob("*.py"))]
    own: list[ast.AST] = [*files, *_used_of_shared(files)]
    names = {node.id for tree in own for node in ast.walk(tree) if isinstance(node, ast.Name)}
    foreign = [
        ast.parse(inspect.getsource(module)) for used, module in CALLED_FOR_US.items() if used in names
    ]
    found = {
        f"{IAM_SERVICES.get(service, service)}:{action}"
        for service, operations in _operations(spec.aws_services).items()
        for tree in [*own, *foreign]
        for method in {*_methods(tree), *_paginated(tree)}
        if method in operations
        for action in _actions(service, operations[method], own)
    }
    found |= {
        f"{service}:{action}"
        for (service, method, argument), action in ARGUMENTS.items()
        if service in spec.aws_services
        for tree in own
        if (method, argument) in _arguments(tree)
    }
    # Requests whose bodies the code makes itself name their operation in a string.
    texts = set(_texts(files))
    found |= {
        f"{IAM_SERVICES.get(service, service)}:{action}"
        for service, operations in _operations(spec.aws_services).items()
        for operation in texts & set(operations.values())
        for action in _actions(service, operation, files)
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
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def _arguments(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each named argument of a call of a method, with the method's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from ((node.func.attr, keyword.arg) for keyword in node.keywords if keyword.arg)


def _paginated(tree: ast.AST) -> Iterator[str]:
    """Methods that a client's paginator calls: ``client.get_paginator("query")``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(method))]):
                yield method


def _used_of_shared(files: Sequence[ast.Module]) -> list[ast.AST]:
    """What modules use of the shared packages: the definitions that they import, and in turn those that these name."""
    shared = {
        f"{package}.{file.stem}": ast.parse(file.read_text())
        for package in SHARED
        for file in (FUNCTIONS_DIR / package).glob("*.py")
    }
    imports = {module: _imports(tree) for module, tree in shared.items()}
    defined = {
        module: {name: node for node in tree.body for name in _defined(node)}
        for module, tree in shared.items()
    }
    waiting = [place for tree in files for place in _imports(tree).values()]
    found: dict[tuple[str, str], ast.AST] = {}
    while waiting:
        module, name = place = waiting.pop()
        if place in found or name not in defined.get(module, {}):
            continue
        found[place] = defined[module][name]
        named = {node.id for node in ast.walk(found[place]) if isinstance(node, ast.Name)}
        waiting += [imports[module].get(other, (module, other)) for other in named]
    return list(found.values())


def _imports(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Names that a module imports from the shared package when it runs, each with its module and its name there."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(_SHARED_PREFIXES)
        for alias in node.names
    }


def _defined(node: ast.stmt) -> list[str]:
    """Names that a statement of a module defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _actions(service: str, operation: str, trees: Sequence[ast.AST]) -> set[str]:
    pattern = ACTIONS.get((service, operation), operation)
    if "{statement}" in pattern:
        verbs = {
            text.split()[0].title()
            for text in _texts(trees)
            if text.split()[:1] and text.split()[0] in {"INSERT", "SELECT", "UPDATE", "DELETE"}
        }
        return {pattern.format(statement=verb) for verb in verbs}
    if "{member}" in pattern:
        members = {text for text in _keys(trees) if text in {"ConditionCheck", "Delete", "Put", "Update"}}
        return {pattern.format(member=member) for member in members}
    return {pattern}


def _texts(trees: Sequence[ast.AST]) -> Iterator[str]:
    """Every string of the code that is not a docstring, including the fixed parts of f-strings."""
    for tree in trees:
        sentences = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in sentences:
                yield node.value


def _keys(trees: Sequence[ast.AST]) -> Iterator[str]:
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
