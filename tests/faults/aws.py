"""Faults of AWS: its services fail or are slow, and AppConfig delivers another ruleset, a bad one, or none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from engine.rules.ruleset import parse_ruleset
from local.faults.aws_answers import internal_error, throttled
from local.proxy.aws import Call
from local.proxy.http import Answer

from .fault import IS_LONG, Forward
from .site import DEFAULT_RULES, Site
from .stream import Sent, Stream

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction

Bad = Callable[[Call, Forward], Answer]

OTHER_RULES = DEFAULT_RULES.replace("  review: 50\n  block: 85\n", "  review: 30\n  block: 60\n").replace(
    'version: "', 'version: "stricter-', 1
)
"""A good ruleset, stricter than the default: it decides differently about the same payments."""

RULESETS = {
    f"{ruleset.version}+{ruleset.digest}": ruleset
    for ruleset in map(parse_ruleset, (DEFAULT_RULES, OTHER_RULES))
}
"""Every ruleset that was ever active, by the version that rows name."""

OTHER_VERSION = list(RULESETS)[1]

RETRY_MARGIN_SECONDS = 10
"""With less time left the score stage begins no new try."""

LAMBDAS_DEFAULT_RETRIES = 10
"""How many retries a Kafka mapping with a destination has, if endless ones are asked for."""

CHECKPOINTS = b"profile_checkpoints"
"""In the body of every call to the table of checkpoints, which a request names; in the local stack by its own name."""


@contextmanager
def bad_calls(
    bad: Bad,
    site: Site,
    seed: int,
    *,
    function: str = "score",
    service: str = "dynamodb",
    share: float = 0.3,
    names: bytes = b"",
) -> Iterator[None]:
    """A share of a function's calls to a service fails during the fault: of those whose body holds ``names``."""
    random, hits = Random(seed), [0]

    def answer(call: Call, forward: Forward) -> Answer:
        if call.service != service or names not in call.body or random.random() >= share:
            return forward(call)
        hits[0] += 1
        return bad(call, forward)

    site.aws[function].fault = answer
    yield
    site.wait_for(lambda: hits[0] > 0, f"{function}'s calls to {service} to fail")
    site.aws[function].fault = None


@contextmanager
def bad_everywhere(bad: Bad, site: Site, seed: int) -> Iterator[None]:
    """A share of every function's calls to DynamoDB fails."""
    with (
        bad_calls(bad, site, seed, function="score"),
        bad_calls(bad, site, seed + 1, function="persist"),
        bad_calls(bad, site, seed + 2, function="alert"),
        bad_calls(bad, site, seed + 3, function="digest"),
    ):
        site.close_windows()
        yield


@contextmanager
def down_for_an_hour(site: Site, seed: int) -> Iterator[None]:
    """DynamoDB answers nothing but 500 while payments keep coming; time is compressed, so that each try of a batch takes a second."""
    site.set_retries("score", first_seconds=0.1, longest_seconds=0.1)
    down = always(internal_error)
    with (
        site.compressed_time("score", timeout_seconds=RETRY_MARGIN_SECONDS + 1),
        bad_calls(down, site, seed, share=1.0),
    ):
        for later in ("persist", "alert"):  # which may have nothing to do meanwhile
            site.aws[later].fault = site.aws["score"].fault
        before = site.mapping("score").counters()
        yield
        during = site.mapping("score").counters()
        for mapping in site.mappings:
            assert (mapping.counters().dropped, mapping.counters().dead_lettered) == (0, 0), mapping.function
        site.aws["persist"].fault = site.aws["alert"].fault = None
    tries = during.batches - before.batches
    assert during.records == before.records
    assert during.failures + during.partial_failures - before.failures - before.partial_failures == tries
    assert tries > LAMBDAS_DEFAULT_RETRIES, tries


@contextmanager
def checkpoints_throttled(site: Site, seed: int, *, share: float = 1.0) -> Iterator[None]:
    """DynamoDB throttles a share of the calls to the table of checkpoints, and no other."""
    with bad_calls(always(throttled), site, seed, share=share, names=CHECKPOINTS):
        yield


@contextmanager
def sns_down(site: Site, seed: int) -> Iterator[None]:
    """SNS answers every call with 500. If that lasts for a minute, retries wait as long as in AWS, so that ten of them outlast it."""
    if IS_LONG:
        site.set_retries("alert", first_seconds=1.0, longest_seconds=15.0)
    with bad_calls(always(internal_error), site, seed, function="alert", service="sns", share=1.0):
        yield


@contextmanager
def sns_refuses_digests(site: Site, seed: int) -> Iterator[None]:
    """SNS answers every call of the digest function with 500, while windows close."""
    with bad_calls(always(internal_error), site, seed, function="digest", service="sns", share=1.0):
        site.close_windows()
        yield


@contextmanager
def no_rules_at_start(site: Site, seed: int) -> Iterator[None]:
    """AppConfig is unavailable when the function starts: it can decide nothing, and may lose nothing."""
    with bad_calls(always(internal_error), site, seed, service="appconfigdata", share=1.0):
        site.mapping("score").kill_workers()
        yield


@contextmanager
def rules_unavailable(site: Site, seed: int) -> Iterator[None]:
    """AppConfig is unavailable when the function checks for a newer ruleset: the active one stays."""
    log = _ScoreLog(site)
    with bad_calls(always(internal_error), site, seed, service="appconfigdata", share=1.0):
        yield
        site.wait_for(lambda: log.has(b"ruleset unreachable"), "a check for a newer ruleset to fail")


@contextmanager
def bad_ruleset(site: Site, _: int) -> Iterator[None]:
    """A ruleset is deployed that every function must refuse."""
    log = _ScoreLog(site)
    rule = "  - {id: broken, when: 'no_such_feature > 1', points: 1}\n"
    site.deploy_rules(DEFAULT_RULES.replace("rules:\n", f"rules:\n{rule}", 1))
    yield
    site.wait_for(lambda: log.has(b"ruleset refused"), "the ruleset to be refused")
    site.deploy_rules(DEFAULT_RULES)


@contextmanager
def other_ruleset(site: Site, seed: int) -> Iterator[None]:
    """A good ruleset that decides differently becomes active in the middle of the stream."""
    site.deploy_rules(OTHER_RULES)
    yield
    wait_for_other_ruleset(site, seed)
    site.deploy_rules(DEFAULT_RULES)


def wait_for_other_ruleset(site: Site, seed: int) -> None:
    """Send payments until all of the score stage's processes decide by the other ruleset."""
    checks = count()

    def is_active() -> bool:
        check, now = next(checks), datetime.now(UTC)
        # Payments on each partition, and so for each of the function's processes.
        streams = [Stream(f"rules-{seed}-{check}-{number}", seed, now, users=1) for number in range(6)]
        for stream in streams:
            site.produce(stream.one_of_each_user())
        site.be_quiet()
        versions = {
            row.ruleset_version for row in site.stores.history([stream.users[0] for stream in streams])
        }
        return versions == {OTHER_VERSION}

    site.wait_for(is_active, "the other ruleset to be active")


def shows_both_rulesets(rows: Sequence[ScoredTransaction]) -> bool:
    """Whether each ruleset decided about some of the payments."""
    return {row.ruleset_version for row in rows} == RULESETS.keys()


class _ScoreLog:
    """What the score stage logs from now on. It checks for a newer ruleset at most every 15 s, and only when it has work."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._log = site.logs / "first" / "score.log"
        self._from = self._log.stat().st_size

    def has(self, text: bytes) -> bool:
        """Whether the log holds a text; if not, send the stage a record to work on."""
        if text in self._log.read_bytes()[self._from :]:
            return True
        self._site.produce([Sent("nobody", b"?")])
        time.sleep(0.5)  # between two of these records, not for their effect
        return False


def always(bad: Callable[[Call], Answer]) -> Bad:
    """Answer every call without passing it on."""
    return lambda call, _: bad(call)
