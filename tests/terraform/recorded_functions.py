"""The functions of a recording, from their zips, each behind a recorder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from local.lambda_api import LambdaApi
from local.provision import provision
from local.resources import Resources, resolve_environment
from local.runtime.package import unpack
from local.runtime.pool import FunctionPool
from ops.manifests import ROOT, InvokeTrigger, KafkaTrigger, read_functions, read_tables
from ops.packaging.functions import build_zip
from tests.terraform.call_recorder import recorder

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from tests.terraform.call_recorder import Call


class Functions:
    """The functions of a run, each behind a recorder of its own.

    Parameters
    ----------
    aws, cache : str
        Endpoints.
    folder : Path
        For unpacked zips and logs.
    stack : ExitStack
        Ends the processes and the recorders.
    """

    def __init__(self, aws: str, cache: str, folder: Path, stack: ExitStack) -> None:
        self.calls: dict[str, set[Call]] = {}
        self.specs = {
            name: spec
            for name, spec in read_functions().items()
            if spec.is_triggered and not spec.is_optional
        }
        self.resources = _provision(aws)
        self.aws, self._cache, self._folder, self._stack = aws, cache, folder, stack
        self._pools: dict[str, FunctionPool] = {}
        self._lambda = stack.enter_context(LambdaApi(self._pools))  # its end ends their processes
        for name in self.specs:
            self.calls[name] = set()
            self._pools[name] = self._pool(name)

    def invoke(self, name: str, event: object) -> Any:
        """Run a function once; it must handle all of the event."""
        return self._answer(self._pools[name], event)

    def invoke_changed(self, name: str, event: object, **environment: str) -> Any:
        """Run a function once in a new process, with other values in its environment."""
        changed = f"{name} with other {', '.join(environment)}"
        self._pools[changed] = self._pool(name, **environment)
        return self._answer(self._pools[changed], event)

    def _pool(self, name: str, **environment: str) -> FunctionPool:
        buckets = {bucket: interface for interface, bucket in self.resources.buckets.items()}
        aws, invocations = (
            self._stack.enter_context(recorder(target, buckets, self.calls[name]))
            for target in (self.aws, self._lambda.endpoint)
        )
        spec = self.specs[name]
        references = self.resources.references(self._cache, "no Kafka here", name)
        return FunctionPool(
            name,
            spec,
            unpack(build_zip(name), self._folder / "functions"),
            {
                **resolve_environment(spec, references),
                **environment,
                "AWS_ENDPOINT_URL": aws,
                "AWS_ENDPOINT_URL_LAMBDA": invocations,
                "POWERTOOLS_TRACE_DISABLED": "true",
            },
            1,
            self._folder / "logs",
            lambda_python=ROOT / ".venv-lambda" / "bin" / "python",
        )

    @staticmethod
    def _answer(pool: FunctionPool, event: object) -> Any:
        result = pool.invoke(event)
        assert result.error is None, result.error
        answer = msgspec.json.decode(result.payload)
        assert not isinstance(answer, dict) or answer.get("batchItemFailures", []) == [], answer
        return answer


def _provision(aws: str) -> Resources:
    """Make everything but Kafka's topics."""
    without_kafka = {
        name: msgspec.structs.replace(spec, trigger=InvokeTrigger())
        if isinstance(spec.trigger, KafkaTrigger)
        else spec
        for name, spec in read_functions().items()
    }
    model = msgspec.json.decode((ROOT / "models" / "default.json").read_bytes())["sha256"]
    ruleset = f"{(ROOT / 'rules' / 'default.yaml').read_text()}\nmodel: {{sha256: {model}}}\n"
    return provision(aws, "no Kafka here", without_kafka, read_tables(), ruleset)
