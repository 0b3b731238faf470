"""The Glue job is killed while it sends the labels of a landed file: some are on the queue, and the job does not know which."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from contract.errors import InvalidLabelError
from contract.label_message import decode_label_message
from glue_scripts.label_queue import MESSAGES_A_CALL
from local.faults.aws_answers import internal_error
from local.ingestion import LabelFiles
from local.proxy.aws import AwsProxy, forward_to
from local.resources import LABELS_QUEUE

from .ingestion import GlueJob, refused_lines
from .site import LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.proxy.aws import Call
    from local.proxy.http import Answer

    from .fault import Forward
    from .site import Site

START_SECONDS = 300.0
"""How long the job may take from its start until its labels are sent, and the stage to take them."""
HELD_SECONDS = 60.0
"""How long a call is held until the job is killed, at most."""


class DeadlySender:
    """Kills the job when the queue has taken some of its calls, before the job hears of the last one.

    Parameters
    ----------
    job : GlueJob
        The job, which sends through ``answer``.
    calls : int
        How many are taken before. Further ones are held until the job is dead, and reach nobody.

    Attributes
    ----------
    bodies : list[str]
        Messages that the queue has taken.
    has_struck : threading.Event
        Set when the job is dead.
    """

    def __init__(self, job: GlueJob, calls: int) -> None:
        self.bodies: list[str] = []
        self.has_struck = threading.Event()
        self._job = job
        self._calls = calls
        self._begun = self._taken = 0
        self._lock = threading.Lock()

    def answer(self, call: Call, forward: Forward) -> Answer:
        """Pass a call on, hold it, or kill."""
        if call.operation != "SendMessageBatch":
            return forward(call)
        with self._lock:
            self._begun += 1
            is_held = self._begun > self._calls
        if is_held and not self.has_struck.is_set():
            assert self.has_struck.wait(HELD_SECONDS), "the job was not killed"
            return internal_error(call)  # to nobody
        answer = forward(call)
        with self._lock:
            self._taken += 1
            self.bodies += [entry["MessageBody"] for entry in msgspec.json.decode(call.body)["Entries"]]
            is_last = self._taken == self._calls
        if is_last:
            assert self._job.process is not None
            os.killpg(self._job.process.record.pid, signal.SIGKILL)
            self.has_struck.set()
        return answer


def by_job_that_is_killed(site: Site, seed: int, bodies: Sequence[bytes]) -> None:
    """Land the messages as rows of a file; the job is killed amid sending, and started again at its checkpoint."""
    name = f"label-files-{time.monotonic_ns()}"
    buckets, checkpoint = site.resources.buckets, site.folder / f"{name}-checkpoint"
    proxy = AwsProxy(forward_to(site.aws_api.endpoint))
    proxy.start()
    files = LabelFiles(
        landing_uri=f"s3://{buckets['landing']}/{name}/",
        quarantine_uri=f"s3://{buckets['quarantine']}/{name}",
        checkpoint_dir=checkpoint,
        queue_url=site.resources.queues[LABELS_QUEUE],
    )
    job = GlueJob(site, f"{name}-payments", files, AWS_ENDPOINT_URL_SQS=proxy.endpoint)
    bad = [number for number, body in enumerate(bodies, 1) if not is_label(body)]
    wanted = len(bodies) - len(bad)
    sender = DeadlySender(job, 1 + seed % -(-wanted // MESSAGES_A_CALL))
    proxy.fault = sender.answer
    site.client("s3").put_object(Bucket=buckets["landing"], Key=f"{name}/a.jsonl", Body=b"\n".join(bodies))
    try:
        job.start()
        assert job.process is not None
        site.wait_for(sender.has_struck.is_set, "the job to be killed amid its labels", START_SECONDS)
        job.process.stop()
        before = len(sender.bodies)
        assert before > 0
        assert not list((checkpoint / "commits").glob("[0-9]*")), "the batch was committed before"
        job.start()
        job.process.wait_until(
            lambda: job.progress().labels.sent >= wanted, "all labels to be sent", START_SECONDS
        )
    finally:
        if job.process is not None:
            job.process.stop()
        proxy.stop()
    first, again = set(sender.bodies[:before]), set(sender.bodies[before:])
    assert first <= again, "a row became another label"
    assert again == {body.decode() for number, body in enumerate(bodies, 1) if number not in bad}
    assert refused_lines(site, f"{name}/") == bad
    asked_ms, stage = time.time() * 1000, site.mapping(LABEL)
    site.wait_for(lambda: stage.idle_since_ms(asked_ms) is not None, "all labels to be taken", START_SECONDS)


def is_label(body: bytes) -> bool:
    """Whether the job must send a row."""
    try:
        decode_label_message(body)
    except InvalidLabelError:
        return False
    return True
