"""SNS away for longer than there are retries: alerts end in the dead-letter queue, and `make redrive` brings them back."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from local.faults.aws_proxy import Answer, Call, refused
from local.provision import dead_letter_name
from local.runtime.package import unpack
from local.runtime.pool import FunctionPool
from terraform.ops.dead_letters import Redrive

from .aws import always, bad_calls
from .site import Site


class Queues:
    """SQS, with the one call that the emulator does not know: a mapping's dead-letter queue is behind no other queue."""

    def __init__(self, site: Site) -> None:
        self._sqs = site.client("sqs")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sqs, name)

    def list_dead_letter_source_queues(self, *, QueueUrl: str) -> dict[str, Any]:  # noqa: N803 - SQS's names
        """Name the queues that this one is behind."""
        return {"queueUrls": []}


class Lambda:
    """The call of Lambda's API that a redrive makes, onto the built zip."""

    def __init__(self, site: Site, function: str) -> None:
        config = site.mapping(function).config
        self.pool = FunctionPool(
            function,
            site.specs[function],
            unpack(config.zip, config.state_dir / "functions"),
            config.environment,
            1,
            site.logs / "redrive",
            lambda_python=config.lambda_python,
            region=config.region,
            account_id=config.account_id,
        )

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - Lambda's names
        """Run the function once."""
        assert self.pool.function_arn == FunctionName
        result = self.pool.invoke(Payload)
        error = {} if result.error is None else {"FunctionError": result.error.type}
        return {"Payload": BytesIO(result.payload), **error}


@contextmanager
def outlast_retries(site: Site, seed: int) -> Iterator[None]:
    """The topic's key refuses the function until all retries are used up; then it does not, and the queue is put back."""
    site.set_retries("alert", first_seconds=0.01, longest_seconds=0.05)
    with bad_calls(always(_no_key), site, seed, function="alert", service="sns", share=1.0):
        yield
        site.be_quiet()
    told = site.mapping("alert").status()
    assert told is not None
    assert told.counters.dead_lettered > 0, told
    functions = Lambda(site, "alert")
    try:
        redrive = Redrive(Queues(site), site.client("dynamodbstreams"), functions)
        outcome = redrive.run(site.resources.queues[dead_letter_name("alert")])
    finally:
        functions.pool.stop()
    assert outcome.put_back > 0, outcome
    assert outcome.kept == (), outcome


def _no_key(call: Call) -> Answer:
    return refused(call, "KMSAccessDenied")
