"""What `plan` and `apply` refuse: policies that let in somebody outside the account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.errors import OpsError
from ops.foreign_principals import check_principals, foreign_principals

OWN, OTHER = "123456789012", "210987654321"
BUCKET = "module.ingestion.aws_s3_bucket_policy.this"


def statement(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*"} | more


def plan(
    after: dict[str, Any] | None, kind: str = "aws_s3_bucket_policy", actions: str = "create"
) -> dict[str, Any]:
    entry = {"address": BUCKET, "type": kind, "change": {"actions": [actions], "after": after}}
    return {"resource_changes": [entry]}


def found(*statements: dict[str, Any]) -> list[str]:
    return foreign_principals(plan({"policy": json.dumps({"Statement": list(statements)})}), OWN)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": OTHER},
        {"AWS": [f"arn:aws:iam::{OWN}:root", f"arn:aws:iam::{OTHER}:role/a"]},
        {"CanonicalUser": "ab"},
    ],
)
def test_a_principal_of_no_or_another_account_is_foreign(principal: Any) -> None:
    assert len(found(statement(principal))) == 1


@pytest.mark.parametrize(
    "principal", [{"AWS": OWN}, {"AWS": f"arn:aws:iam::{OWN}:root"}, {"Service": "glue.amazonaws.com"}]
)
def test_the_account_and_aws_services_are_not_foreign(principal: Any) -> None:
    assert found(statement(principal)) == []


def test_a_statement_for_everybody_is_allowed_if_it_is_bound_to_the_account() -> None:
    assert found(statement("*", Condition={"StringEquals": {"aws:PrincipalAccount": OWN}})) == []
    assert found(statement("*", Condition={"StringEquals": {"aws:PrincipalAccount": OTHER}})) != []
    assert found(statement("*", Condition={"Bool": {"aws:SecureTransport": "true"}})) != []


def test_a_denial_for_everybody_lets_nobody_in() -> None:
    assert found(statement("*", Effect="Deny")) == []


def test_everybody_but_somebody_is_foreign() -> None:
    assert found({"Effect": "Allow", "NotPrincipal": {"AWS": OWN}, "Action": "*", "Resource": "*"}) != []


def test_a_policy_that_does_not_change_is_read_too() -> None:
    unchanged = plan({"policy": json.dumps({"Statement": statement("*")})}, actions="no-op")

    assert foreign_principals(unchanged, OWN) == [f"{BUCKET}: *"]


def test_a_deleted_policy_lets_nobody_in() -> None:
    assert foreign_principals(plan(None, actions="delete"), OWN) == []


@pytest.mark.parametrize(
    ("variable", "kind", "other_kind"),
    [("producers", "this", "labels"), ("label_producers", "labels", "this")],
)
def test_a_producer_of_another_account_may_take_on_its_own_role_and_no_other(
    variable: str, kind: str, other_kind: str
) -> None:
    named, unnamed = f"arn:aws:iam::{OTHER}:role/shop", f"arn:aws:iam::{OTHER}:role/else"
    trust = json.dumps({"Statement": statement({"AWS": [named, unnamed]}, Action="sts:AssumeRole")})
    own, of_others = (f'module.producers.aws_iam_role.{name}["shop"]' for name in (kind, other_kind))
    entries = [
        {"address": address, "type": "aws_iam_role", "change": {"after": {"assume_role_policy": trust}}}
        for address in (own, of_others, "aws_iam_role.list_editors[0]")
    ]
    variables = {variable: {"value": {"shop": {"principal_arns": [named]}}}}

    found = foreign_principals({"resource_changes": entries, "variables": variables}, OWN)

    assert found == sorted(
        [
            "aws_iam_role.list_editors[0]: " + unnamed,
            "aws_iam_role.list_editors[0]: " + named,
            f"{own}: {unnamed}",
            f"{of_others}: {unnamed}",
            f"{of_others}: {named}",
        ]
    )


@pytest.mark.parametrize(
    ("principal", "count"), [(OTHER, 1), ("*", 1), (OWN, 0), ("appconfig.amazonaws.com", 0)]
)
def test_a_permission_of_a_function_names_its_principal_itself(principal: str, count: int) -> None:
    assert len(foreign_principals(plan({"principal": principal}, "aws_lambda_permission"), OWN)) == count


def test_text_that_is_no_policy_is_left_alone() -> None:
    assert (
        foreign_principals(plan({"event_pattern": '{"source": ["aws.glue"]}', "name": "{broken"}), OWN) == []
    )


def test_the_refusal_names_the_resource_and_the_principal() -> None:
    with pytest.raises(OpsError, match=rf"outside account {OWN} in: {BUCKET}: {OTHER}\."):
        check_principals(plan({"principal": OTHER}, "aws_lambda_permission"), OWN)


CONSOLE = {"endpoint_type": "REGIONAL", "allowed_cidrs": ["203.0.113.0/24", "198.51.100.7/32"]}


def of_console(
    *, address: str = "module.http[0].aws_api_gateway_rest_api_policy.this", **changes: Any
) -> list[str]:
    """What is found of a statement for the console's browsers, with changes."""
    allowed = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": CONSOLE["allowed_cidrs"]}},
    }
    entry = {
        "address": address,
        "type": "aws_api_gateway_rest_api_policy",
        "change": {
            "actions": ["create"],
            "after": {"policy": json.dumps({"Statement": [allowed | changes]})},
        },
    }
    return foreign_principals(
        {"resource_changes": [entry], "variables": {"console": {"value": CONSOLE}}}, OWN
    )


def test_browsers_of_the_console_s_networks_are_let_in() -> None:
    assert of_console() == []
    assert of_console(Condition={"IpAddress": {"aws:VpcSourceIp": CONSOLE["allowed_cidrs"]}}) == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"Condition": {}}, id="everybody"),
        pytest.param({"Condition": {"IpAddress": {"aws:SourceIp": ["0.0.0.0/0"]}}}, id="another network"),
        pytest.param(
            {"Condition": {"IpAddress": {"aws:SourceIp": [*CONSOLE["allowed_cidrs"], "192.0.2.0/24"]}}},
            id="one network more",
        ),
        pytest.param(
            {"Condition": {"NotIpAddress": {"aws:SourceIp": CONSOLE["allowed_cidrs"]}}}, id="all others"
        ),
        pytest.param({"Action": ["execute-api:Invoke", "s3:GetObject"]}, id="another action"),
        pytest.param({"address": "module.ingestion.aws_s3_bucket_policy.this"}, id="another resource"),
    ],
)
def test_nobody_else_is_let_in_as_a_browser(changes: dict[str, Any]) -> None:
    assert len(of_console(**changes)) == 1
