"""Decides whether policies allow a request, with the evaluator of MiniStack, which the local stack installs (MIT licence).

MiniStack treats what it does not know as "no match", so a Deny with a misspelt operator would deny nothing. Here such a policy is an
error. `Request.context` has the condition keys that AWS documents for the action; what the request does not have is absent.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT: Final = Path(__file__).resolve().parents[3]
MODULE: Final = "ministack/core/iam_evaluator.py"

Document = dict[str, Any]

KNOWN_ELEMENTS: Final = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Principal",
}
"""Elements of a statement that are evaluated. `NotPrincipal` is not among them."""

SET_OPERATORS: Final = ("forallvalues:", "foranyvalue:")


class PolicyError(Exception):
    """A policy has something that would not be evaluated; names it."""


@dataclass(frozen=True)
class Request:
    """What somebody wants to do."""

    action: str
    """As in ``s3:GetObject``."""
    resource: str = "*"
    """An ARN; ``*`` for an action without a resource."""
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    """Condition keys, in any case."""


@dataclass(frozen=True)
class Decision:
    """What policies say to a request."""

    is_allowed: bool
    reason: str
    """The statement that decided it, or that none does."""


def _load() -> Any:
    """The evaluator's module alone: MiniStack itself lives in an environment of its own, with packages that exclude ours."""
    found = sorted((ROOT / ".venv-emulator").glob(f"lib/python*/site-packages/{MODULE}"))
    if not found:
        raise FileNotFoundError(f".venv-emulator has no {MODULE}; `make setup` installs it.")
    spec = importlib.util.spec_from_file_location("ministack_iam_evaluator", found[0])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


_ministack: Final = _load()


class Policy:
    """One policy document, checked and ready to be evaluated.

    Parameters
    ----------
    document : dict
        As IAM stores it.

    Raises
    ------
    PolicyError
        If the document has an element, operator or variable that would not be evaluated.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        for statement in as_list(document["Statement"]):
            _check(statement)
        self.parsed = _ministack.parse_policy_document(document)


def decide(request: Request, policies: Iterable[Policy], boundary: Policy | None = None) -> Decision:
    """Decide a request: an explicit Deny wins, else an Allow is needed, in the boundary too.

    Parameters
    ----------
    request : Request
        The action, on one resource.
    policies : iterable of Policy
        Identity policies of the caller.
    boundary : Policy, optional
        Its permissions boundary.
    """
    limits = [[boundary.parsed]] if boundary else []
    found = _ministack.evaluate(_context(request), [policy.parsed for policy in policies], *limits)
    return Decision(found.decision == "Allow", f"{found.decision} {found.matched_sid}".strip())


def trusts(trust_policy: Document, provider: str, claims: Mapping[str, str | list[str]]) -> bool:
    """Whether a role may be assumed with a web identity token.

    Parameters
    ----------
    trust_policy : dict
        The role's.
    provider : str
        ARN of the OIDC provider that issued the token.
    claims : mapping
        Condition keys that AWS makes of the token, such as ``token.actions.githubusercontent.com:sub``.
    """
    for statement in as_list(trust_policy["Statement"]):
        _check(statement)
    context = _context(Request("sts:AssumeRoleWithWebIdentity", "*", claims))
    return bool(_ministack.evaluate_trust_policy(trust_policy, provider, context))


def as_list(value: Any) -> list[Any]:
    """A list as it is, anything else as a list of one: IAM allows both."""
    return value if isinstance(value, list) else [value]


def _context(request: Request) -> Any:
    keys = {name.lower(): value for name, value in request.context.items()}
    return _ministack.EvalContext(
        principal_arn=str(keys.get("aws:principalarn", "")),
        principal_type="AssumedRole",
        principal_account=str(keys.get("aws:principalaccount", "")),
        action=request.action,
        resource_arn=request.resource,
        region=str(keys.get("aws:requestedregion", "")),
        secure_transport=True,
        request_tags={
            name.partition("/")[2]: str(value)
            for name, value in request.context.items()
            if name.lower().startswith("aws:requesttag/")
        },
        service_context=keys,
    )


def _check(statement: Document) -> None:
    where = statement.get("Sid", "a statement without Sid")
    if unknown := sorted(set(statement) - KNOWN_ELEMENTS):
        raise PolicyError(f"{where}: {', '.join(unknown)} is not evaluated")
    for operator in statement.get("Condition", {}):
        name = operator.lower().removesuffix("ifexists")
        for prefix in SET_OPERATORS:
            name = name.removeprefix(prefix)
        if name != "null" and name not in _ministack._CONDITION_OPS:
            raise PolicyError(f"{where}: the operator {operator} is not evaluated")
    if found := re.search(r"\$\{[^}]*\}", repr(statement)):
        raise PolicyError(f"{where}: the policy variable {found[0]} is not evaluated")
