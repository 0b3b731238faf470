"""A change of the ruleset is approved while payments go on, and the function that deploys it is killed on the way, or runs twice."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contract.ruleset_change import (
    RULESET_CHANGES_TABLE,
    ChangeKind,
    ChangeState,
    RulesetChange,
    document_digest,
)
from contract.ruleset_draft import CheckedDraft, Draft
from engine.rules.check import check_ruleset
from local.faults.aws_answers import internal_error
from local.rulesets import Rulesets
from ops import rules
from rollouts.rows import versions

from .aws import OTHER_RULES, wait_for_other_ruleset
from .site import DEFAULT_RULES, DEPLOYER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from common.ruleset_desk import RulesetDesk
    from local.proxy.aws import Call
    from local.proxy.http import Answer

    from .event_source_mapping import EventSourceMapping
    from .fault import Forward
    from .site import Site


def begins(call: Call) -> bool:
    """Whether a call writes that the deployment is about to start."""
    return call.operation == "UpdateItem" and b"begun_after" in call.body


def starts(call: Call) -> bool:
    """Whether a call starts a deployment."""
    return call.operation == "POST" and call.request.path.endswith("/deployments")


def ends(call: Call) -> bool:
    """Whether a call writes what became of the change."""
    return call.operation == "UpdateItem" and b"ended_at" in call.body


@contextmanager
def kill_deployer(is_it: Callable[[Call], bool], site: Site, seed: int, *, after: bool) -> Iterator[None]:
    """SIGKILL the deployer at a call, before or after it is passed on; the next run finishes the change."""
    struck = threading.Event()
    runs: list[EventSourceMapping] = []

    def strike(call: Call, forward: Forward) -> Answer:
        if struck.is_set() or not is_it(call):
            return forward(call)
        struck.set()
        answer = forward(call) if after else None
        runs[0].caller(call.client_port).kill()
        return answer or internal_error(call)  # to nobody

    change, numbers = _approved(site), _deployments(site)
    site.aws[DEPLOYER].fault = strike
    with site.second(DEPLOYER) as deployer:
        runs.append(deployer)
        yield
        site.wait_for(struck.is_set, "the deployer to be killed")
        _finish(site, seed, change, numbers)


@contextmanager
def two_deployers(site: Site, seed: int) -> Iterator[None]:
    """Two runs of the deployer side by side, as if nothing forbade them."""
    change, numbers = _approved(site), _deployments(site)
    with site.second(DEPLOYER) as one, site.second(DEPLOYER) as other:
        yield
        site.wait_for(
            lambda: min(one.counters().records, other.counters().records) > 1, "both deployers to run"
        )
        _finish(site, seed, change, numbers)


def _desk(site: Site) -> RulesetDesk:
    where = rules.Place(site.resources.tables[RULESET_CHANGES_TABLE], site.resources.buckets["rules"], "none")
    return rules.make_desk(site.client("dynamodb"), site.client("s3"), where)


def _approved(site: Site) -> RulesetChange:
    """Propose and approve the ruleset that decides differently."""
    Rulesets(site.aws_api.endpoint, site.resources.rules).note_active(
        site.resources.tables[RULESET_CHANGES_TABLE]
    )
    desk, now = _desk(site), datetime.now(UTC)
    draft = Draft(
        kind=ChangeKind.TO_ALL, digest_before=document_digest(DEFAULT_RULES.encode()), document=OTHER_RULES
    )
    after = versions(check_ruleset(OTHER_RULES.encode(), "other"))
    checked = CheckedDraft(document=OTHER_RULES, version_after=str(after["version_after"]))
    change = desk.propose(draft, checked, "ann", "under a fault", now)
    assert isinstance(change, RulesetChange), change
    approved = desk.approve(change.change_id, "bob", None, now)
    assert isinstance(approved, RulesetChange), approved
    return approved


def _deployments(site: Site) -> int:
    """How many deployments there were so far."""
    place = {
        "ApplicationId": site.resources.rules.application,
        "EnvironmentId": site.resources.rules.environment,
    }
    found = site.client("appconfig").list_deployments(**place, MaxResults=50)["Items"]
    numbers: list[int] = [each["DeploymentNumber"] for each in found]
    return max(numbers)


def _finish(site: Site, seed: int, change: RulesetChange, before: int) -> None:
    """Wait for the change, which was deployed once, and for its first payments; then go back to the default rules."""
    desk = _desk(site)

    def is_over() -> bool:
        now = desk.change(change.change_id)
        return now is not None and not now.is_open

    site.wait_for(is_over, "the change to be deployed")
    done = desk.change(change.change_id)
    assert done is not None
    assert (done.state, done.deployment) == (ChangeState.DEPLOYED, before + 1), done.failure
    assert _deployments(site) == before + 1
    wait_for_other_ruleset(site, seed)
    site.deploy_rules(DEFAULT_RULES)
