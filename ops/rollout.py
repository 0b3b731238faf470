"""A ruleset's candidate in AWS: made from the active document, recorded, and reported on."""

from __future__ import annotations

import argparse
import getpass
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from contract.items import to_item
from contract.ruleset_change import ChangeKind, make_change
from engine.errors import RulesetEditError
from engine.rollout.start import named_models, with_candidate
from engine.rules.sides import MAX_SHARE_PERCENT
from lab.function_answer import read_answer
from lab.models import kept_baseline, kept_model
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from contract.ruleset_change import RulesetChange
    from lab.function_answer import FunctionAnswer

ACTIVE_STATES = ("COMPLETE", "BAKING", "DEPLOYING")


def active_document(appconfig: Any, where: dict[str, str]) -> bytes | None:
    """Give the document that was deployed last and is not undone; None where there is none.

    Raises
    ------
    OpsError
        Where its deployment is not complete: another one cannot begin before that.
    """
    deployments = appconfig.list_deployments(
        ApplicationId=where["application_id"], EnvironmentId=where["environment_id"]
    )["Items"]
    active = [each for each in deployments if each["State"] in ACTIVE_STATES]
    if not active:
        return None
    newest = max(active, key=lambda each: each["DeploymentNumber"])
    if newest["State"] != "COMPLETE":
        raise OpsError(f"A deployment is {newest['State'].lower()}; wait until it is complete.")
    stored = appconfig.get_hosted_configuration_version(
        ApplicationId=where["application_id"],
        ConfigurationProfileId=where["profile_id"],
        VersionNumber=int(newest["ConfigurationVersion"]),
    )
    document: bytes = stored["Content"].read()
    return document


def make_candidate(active: bytes | None, candidate: bytes, share_percent: float) -> bytes:
    """Make a document in which a ruleset is the candidate of the active one.

    Raises
    ------
    OpsError
        Where the two do not fit, or no ruleset is active.
    """
    if active is None:
        raise OpsError("No ruleset is active yet; deploy one without SHARE= first.")
    try:
        return with_candidate(
            active.decode("utf-8-sig"), candidate.decode("utf-8-sig"), share_percent
        ).encode()
    except (RulesetEditError, UnicodeDecodeError) as error:
        raise OpsError(f"The ruleset cannot be a candidate: {error}.") from error


def put_models(s3: Any, bucket: str, document: bytes, report: Callable[[str], None] = print) -> list[str]:
    """Put the models that a document names into the rules bucket, each with its baseline, those that this tree has; give their sha256."""
    put = []
    for sha256 in named_models(document.decode("utf-8-sig")):
        data = kept_model(sha256)
        if data is not None:
            s3.put_object(Bucket=bucket, Key=f"models/{sha256}", Body=data)
            put.append(sha256)
        baseline = kept_baseline(sha256)
        if baseline is not None:
            s3.put_object(Bucket=bucket, Key=f"models/{sha256}.baseline", Body=baseline)
        elif data is not None:
            report(f"model {sha256[:12]} has no baseline in models/: without one its drift is not measured")
    return put


def digest_of(document: bytes) -> str:
    """How rows name a document: the first 12 hexadecimal digits of its SHA-256.

    Examples
    --------
    >>> digest_of(b"rules: []")
    '00eb8a0ecfec'
    """
    return hashlib.sha256(document.decode("utf-8-sig").encode()).hexdigest()[:12]


def deployed(
    before: bytes | None, after: bytes, *, by: str, reason: str, deployment: int, at: datetime
) -> RulesetChange:
    """Make the row of a deployment."""
    content = msgspec.yaml.decode(after)
    candidate = content.get("candidate") or {}
    return make_change(
        changed_at=at,
        digest_after=digest_of(after),
        kind=ChangeKind.DEPLOYED,
        changed_by=by,
        reason=reason,
        digest_before=None if before is None else digest_of(before),
        version_after=str(content["version"]),
        candidate_version=str(candidate["version"]) if candidate else None,
        candidate_share=float(candidate["share"]) if candidate else None,
        deployment=deployment,
    )


def record(dynamodb: Any, table: str, change: RulesetChange, report: Callable[[str], None] = print) -> None:
    """Insert the row; without the right to do so the guardrails do it minutes later, without the name."""
    try:
        dynamodb.put_item(TableName=table, Item=to_item(change))
    except (ClientError, BotoCoreError) as error:
        report(f"The deployment could not be recorded under your name: {error}")


def who(sts: Any) -> str:
    """Who deploys: the identity's ARN."""
    identity: str = sts.get_caller_identity()["Arn"]
    return identity


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of a deployment."""
    parser.add_argument(
        "--share", type=_share, help="deploy as the candidate, for this share of the users, %%"
    )
    parser.add_argument("--reason", default="make rules-deploy", help="why, for ruleset_changes")


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= MAX_SHARE_PERCENT:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {MAX_SHARE_PERCENT}")
    return share


def who_is_here() -> str:
    """Who deploys on this machine."""
    return f"local/{getpass.getuser()}"


def report_of(functions: Any, function: str) -> FunctionAnswer:
    """Ask a function for its report: the guardrails what the candidate would change, the drift stage how the model is doing.

    Raises
    ------
    OpsError
        If the function failed.
    """
    answer = functions.invoke(FunctionName=function, Payload=msgspec.json.encode({"report": True}))
    content = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise OpsError(f"{function} failed: {content.decode()}")
    return read_answer(content)
