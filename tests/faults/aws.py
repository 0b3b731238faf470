"""AWS's faults: what its services answer on a bad day, and what comes over AppConfig."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from engine.rules.ruleset import parse_ruleset
from local.faults.aws_answers import internal_error
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
"""Good, and stricter than the default: the same payments come to other decisions."""

RULESETS = {
    f"{ruleset.version}+{ruleset.digest}": ruleset
    for ruleset in map(parse_ruleset, (DEFAULT_RULES, OTHER_RULES))
}
"""By what rows call them: every ruleset that was ever in force."""

OTHER_VERSION = list(RULESETS)[1]


@contextmanager
def bad_calls(
    bad: Bad,
    site: Site,
    seed: int,
    *,
    function: str = "score",
    service: str = "dynamodb",
    share: float = 0.3,
) -> Iterator[None]:
    """A share of a function's calls to a service is answered badly, as long as the fault lasts."""
    random, hits = Random(seed), [0]

    def answer(call: Call, forward: Forward) -> Answer:
        if call.service != service or random.random() >= share:
            return forward(call)
        hits[0] += 1
        return bad(call, forward)

    site.aws[function].fault = answer
    yield
    site.wait_for(lambda: hits[0] > 0, f"{function}'s calls to {service} to go wrong")
    site.aws[function].fault = None


@contextmanager
def bad_everywhere(bad: Bad, site: Site, seed: int) -> Iterator[None]:
    """A share of every function's calls to DynamoDB is answered badly."""
    with (
        bad_calls(bad, site, seed, function="score"),
        bad_calls(bad, site, seed + 1, function="persist"),
        bad_calls(bad, site, seed + 2, function="alert"),
    ):
        yield


@contextmanager
def sns_down(site: Site, seed: int) -> Iterator[None]:
    """SNS answers nothing but 500. Where that is for a minute, retries come as seldom as AWS's, so that ten of them are enough."""
    if IS_LONG:
        site.set_retries("alert", first_seconds=1.0, longest_seconds=15.0)
    with bad_calls(always(internal_error), site, seed, function="alert", service="sns", share=1.0):
        yield


@contextmanager
def no_rules_at_start(site: Site, seed: int) -> Iterator[None]:
    """AppConfig is away when the function starts: nothing can be decided, and nothing may be lost."""
    with bad_calls(always(internal_error), site, seed, service="appconfigdata", share=1.0):
        site.mapping("score").kill_workers()
        yield


@contextmanager
def rules_away(site: Site, seed: int) -> Iterator[None]:
    """AppConfig is away when the function looks for a newer ruleset: the one in force stays."""
    said = _Said(site)
    with bad_calls(always(internal_error), site, seed, service="appconfigdata", share=1.0):
        yield
        site.wait_for(lambda: said.now(b"ruleset unreachable"), "a look for a newer ruleset to fail")


@contextmanager
def bad_ruleset(site: Site, _: int) -> Iterator[None]:
    """A document is deployed that no function may take."""
    said = _Said(site)
    rule = "  - {id: broken, when: 'no_such_feature > 1', points: 1}\n"
    site.deploy_rules(DEFAULT_RULES.replace("rules:\n", f"rules:\n{rule}", 1))
    yield
    site.wait_for(lambda: said.now(b"ruleset refused"), "the ruleset to be refused")
    site.deploy_rules(DEFAULT_RULES)


@contextmanager
def other_ruleset(site: Site, seed: int) -> Iterator[None]:
    """A good document that decides otherwise comes into force in the middle of the stream."""
    site.deploy_rules(OTHER_RULES)
    yield
    looks = count()

    def is_in_force() -> bool:
        look, now = next(looks), datetime.now(UTC)
        # Some of each partition, and so of each of the function's processes.
        streams = [Stream(f"rules-{seed}-{look}-{number}", seed, now, users=1) for number in range(6)]
        for stream in streams:
            site.produce(stream.one_of_each_user())
        site.be_quiet()
        versions = {row.ruleset_version for row in site.history([stream.users[0] for stream in streams])}
        return versions == {OTHER_VERSION}

    site.wait_for(is_in_force, "the other ruleset to be in force")
    site.deploy_rules(DEFAULT_RULES)


def shows_both_rulesets(rows: Sequence[ScoredTransaction]) -> bool:
    """Whether some payments were decided by the one and some by the other."""
    return {row.ruleset_version for row in rows} == RULESETS.keys()


class _Said:
    """What the score stage says from now on. It looks at its ruleset at most every 15 s, and only when there is work."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._log = site.logs / "first" / "score.log"
        self._from = self._log.stat().st_size

    def now(self, text: bytes) -> bool:
        """Whether it has said something; gives it work where it has not."""
        if text in self._log.read_bytes()[self._from :]:
            return True
        self._site.produce([Sent("nobody", b"?")])
        time.sleep(0.5)  # between two of these records, not for what they bring about
        return False


def always(bad: Callable[[Call], Answer]) -> Bad:
    """Answer so without passing anything on."""
    return lambda call, _: bad(call)
