"""What `plan` and `apply` refuse: a policy that gives somebody outside the environment's account a right on what holds payments.

Pure: its input is what ``terraform show -json`` prints. Every policy of the plan is read, changed or not, so a policy that was unknown
when it was first planned is seen in the next plan, and in the nightly drift. Producers are let in by name: what the variables `producers` and
`label_producers` list may take on the producers' roles of payments and of labels, which send these and read none. Browsers are let in by
network: a statement for everybody may be there for the console's API, if the networks of the variable `console` and no others meet its condition.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

GRANTING_ATTRIBUTES: Final = {"aws_lambda_permission": "principal", "aws_kms_grant": "grantee_principal"}
"""Types that name whom they let in outside a policy, and the attribute that does."""

PRODUCERS: Final = {
    "producers": "module.producers.aws_iam_role.this[",
    "label_producers": "module.producers.aws_iam_role.labels[",
}
"""Variables that name producers, and how the addresses of their roles begin."""

CONSOLE: Final = "module.http[0]."
"""How the addresses begin of what browsers reach the console by."""

ADDRESS_KEYS: Final = {"aws:sourceip", "aws:vpcsourceip"}
"""Condition keys for the address of a browser."""

ACCOUNT_KEYS: Final = {"aws:principalaccount", "aws:sourceaccount", "kms:calleraccount"}
"""Condition keys that bind a statement for everybody to one account."""


def foreign_principals(plan: Document, account: str) -> list[str]:
    """List who outside the account is let in, as ``address: principal``, sorted.

    Parameters
    ----------
    plan : dict
        What ``terraform show -json`` prints.
    account : str
        The environment's account, 12 digits. AWS's services are not foreign: the conditions of their statements are tested elsewhere.
    """
    found = set()
    invited = {role: _invited(plan, variable) for variable, role in PRODUCERS.items()}
    networks = _networks(plan)
    for entry in plan.get("resource_changes", []):
        named_by_us = {
            arn for role, arns in invited.items() if entry["address"].startswith(role) for arn in arns
        }
        after = entry["change"].get("after") or {}
        named = [after.get(GRANTING_ATTRIBUTES.get(entry["type"], "")) or ""]
        principals = [
            *_principals_of_policies(
                after, account, networks if entry["address"].startswith(CONSOLE) else None
            ),
            *(name for name in named if _is_identity(name)),
        ]
        found |= {
            f"{entry['address']}: {name}"
            for name in principals
            if not _is_of(name, account) and name not in named_by_us
        }
    return sorted(found)


def check_principals(plan: Document, account: str) -> None:
    """Raise `OpsError`, naming them, if the plan lets in somebody outside the account."""
    if found := foreign_principals(plan, account):
        raise OpsError(
            f"The plan lets somebody outside account {account} in: {'; '.join(found)}. Name principals of this account, or bind the "
            "statement to it with aws:PrincipalAccount."
        )


def _invited(plan: Document, variable: str) -> frozenset[str]:
    """Principals that a variable of producers names, each an ARN of one role or user."""
    producers = plan.get("variables", {}).get(variable, {}).get("value") or {}
    return frozenset(arn for producer in producers.values() for arn in producer["principal_arns"])


def _networks(plan: Document) -> list[str] | None:
    """Networks of people's browsers, as the variable `console` names them; None without a console."""
    console = plan.get("variables", {}).get("console", {}).get("value")
    return None if console is None else sorted(console["allowed_cidrs"])


def _principals_of_policies(value: Any, account: str, networks: list[str] | None) -> Iterator[str]:
    """Principals of every Allow statement in any text below a value that is a policy, but those that admit the networks' browsers alone."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _principals_of_policies(inner, account, networks)
    elif isinstance(value, list):
        for inner in value:
            yield from _principals_of_policies(inner, account, networks)
    elif isinstance(value, str) and value.lstrip().startswith("{"):
        for statement in _statements(value):
            if statement.get("Effect") != "Allow" or _is_bound(statement, account):
                continue
            if networks is None or not _is_for_browsers(statement, networks):
                yield from _principals(statement)


def _statements(text: str) -> list[Document]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return []  # not a policy: a pattern of events, a dashboard with expressions
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    return [entry for entry in _each(statements) if isinstance(entry, dict)]


def _principals(statement: Document) -> Iterator[str]:
    if "NotPrincipal" in statement:
        yield "everybody but NotPrincipal"
    principal = statement.get("Principal", {})
    if not isinstance(principal, dict):
        yield from map(str, _each(principal))
        return
    for kind, names in principal.items():
        if kind != "Service":
            yield from map(str, _each(names))


def _is_bound(statement: Document, account: str) -> bool:
    """Whether a condition admits callers of this account alone."""
    return any(
        operator in {"StringEquals", "StringLike"}
        and key.lower() in ACCOUNT_KEYS
        and _each(values) == [account]
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _is_for_browsers(statement: Document, networks: list[str]) -> bool:
    """Whether a statement calls an API, and does it for browsers of these networks alone."""
    addresses = statement.get("Condition", {}).get("IpAddress", {})
    return _each(statement.get("Action")) == ["execute-api:Invoke"] and any(
        key.lower() in ADDRESS_KEYS and sorted(_each(values)) == networks for key, values in addresses.items()
    )


def _is_identity(name: str) -> bool:
    """Whether a name is an identity's: services have a domain name."""
    return bool(name) and not name.endswith(".amazonaws.com")


def _is_of(name: str, account: str) -> bool:
    return name == account or (name.startswith("arn:") and name.split(":")[4:5] == [account])


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
