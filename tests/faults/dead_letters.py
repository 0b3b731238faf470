"""SNS unavailable for longer than the stream keeps records: they are dead-lettered whole, and `make redrive` processes them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from local.faults.aws_answers import refused
from local.redrive import LocalFunction
from ops.dead_letters import Redrive

from .aws import always, bad_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .site import Site


@contextmanager
def outlast_stream(site: Site, seed: int) -> Iterator[None]:
    """The topic's key refuses the function until its records are too old; then it is fixed, and the queue is redriven."""
    site.set_retries("alert", first_seconds=0.01, longest_seconds=0.05)
    no_key = always(partial(refused, code="KMSAccessDenied"))
    mapping = site.mapping("alert")
    with site.compressed_time("alert", maximum_record_age_seconds=2):
        with bad_calls(no_key, site, seed, function="alert", service="sns", share=1.0):
            yield
            site.be_quiet()
        assert mapping.counters().dead_lettered > 0
    with LocalFunction(mapping.config) as function:
        redrive = Redrive(site.client("sqs"), site.client("s3"), function)
        outcome = redrive.replay(mapping.config.dead_letter_queue_url)
    assert outcome.put_back > 0, outcome
    assert outcome.kept == (), outcome
