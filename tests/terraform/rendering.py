"""The modules of `rendered_modules`, rendered for the repository's own functions with a mocked provider.

Terraform evaluates the modules for every `function.yaml`, so a new function needs no change here.
"""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any, Final

from ops.manifests import ROOT, read_functions
from tests.terraform.mocked import run_tests, terraform
from tests.terraform.rendered_modules import root_module

MODULES: Final = ROOT / "terraform" / "modules"


def statements(function: str, *policies: str) -> list[dict[str, Any]]:
    """Statements of a function's policies, such as ``access``, in their order."""
    found = [
        resource["values"]
        for resource in _resources(f'module.functions["{function}"]')
        if resource["type"] == "aws_iam_role_policy" and resource["values"]["name"] in policies
    ]
    return [statement for values in found for statement in json.loads(values["policy"])["Statement"]]


def alarms() -> list[dict[str, Any]]:
    """Attributes of every alarm, including composite ones."""
    kinds = {"aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"}
    return [
        resource["values"] for resource in _resources("module.observability") if resource["type"] in kinds
    ]


def ingestion_resource(kind: str, name: str) -> dict[str, Any]:
    """Attributes of a single resource of the ingestion module; LookupError if there is none."""
    return resource_of("ingestion", kind, name)


def resource_of(module: str, kind: str, name: str) -> dict[str, Any]:
    """Attributes of a single resource of a module; LookupError if there is none."""
    for resource in _resources(f"module.{module}"):
        if (resource["type"], resource["name"]) == (kind, name):
            values: dict[str, Any] = resource["values"]
            return values
    raise LookupError(f"the {module} module has no {kind}.{name}")


def resources_of(module: str, kind: str) -> list[dict[str, Any]]:
    """Attributes of all resources of a type in a module."""
    return [resource["values"] for resource in _resources(f"module.{module}") if resource["type"] == kind]


def buckets() -> dict[str, dict[str, dict[str, Any]]]:
    """What makes each bucket of the rendered modules: attributes by resource type, by the bucket's name."""
    parts: dict[str, dict[str, dict[str, Any]]] = {}
    for child in _state()["root_module"]["child_modules"]:
        for resource in _resources(child["address"]):
            if resource["type"].startswith("aws_s3_bucket"):
                place = resource["address"].partition(".aws_s3_bucket")[0]
                parts.setdefault(place, {})[resource["type"]] = resource["values"]
    return {found["aws_s3_bucket"]["bucket"]: found for found in parts.values()}


def dashboard() -> dict[str, Any]:
    """The dashboard's body."""
    (body,) = (
        resource["values"]["dashboard_body"]
        for resource in _resources("module.observability")
        if resource["type"] == "aws_cloudwatch_dashboard"
    )
    decoded: dict[str, Any] = json.loads(body)
    return decoded


def _resources(module: str) -> list[dict[str, Any]]:
    (found,) = (child for child in _state()["root_module"]["child_modules"] if child["address"] == module)
    return _below(found)


def _below(module: dict[str, Any]) -> list[dict[str, Any]]:
    """A module's resources, and those of its modules at any depth."""
    inner = (_below(child) for child in module.get("child_modules", []))
    return list(itertools.chain(module.get("resources", []), *inner))


@functools.cache
def _state() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        functions = list(read_functions())
        (root / "modules").symlink_to(MODULES)  # in one package, so that a module may use its neighbour
        (root / "main.tf.json").write_text(json.dumps(root_module(functions, root)))
        (root / "zips").mkdir()
        for function in functions:
            (root / "zips" / f"{function}.zip").write_text("any bytes")
        (root / "glue/wheels").mkdir(parents=True)
        for file in ("packages.zip", "wheels/any.whl"):
            (root / "glue" / file).write_text("any bytes")
        (root / "tests").mkdir()
        mocks = json.dumps(str(ROOT / "terraform" / "tests" / "mocks"))
        (root / "tests" / "render.tftest.hcl").write_text(
            f'mock_provider "aws" {{\n  source = {mocks}\n}}\n\nrun "render" {{\n  command = apply\n}}\n'
        )
        data_dir = root / ".terraform"
        done = terraform(root, data_dir, "init", "-backend=false", "-input=false")
        assert done.returncode == 0, done.stderr
        done = run_tests(root, data_dir, "-json", "-verbose")
        assert done.returncode == 0, f"{done.stderr}\n{done.stdout[-4000:]}"
        for line in done.stdout.splitlines():
            message = json.loads(line)
            if message["type"] == "test_state":
                state: dict[str, Any] = message["test_state"]
                return state
    raise AssertionError("terraform test printed no state")
