"""What Terraform makes of the console fits what the console is: its groups, its paths, where it runs."""

from __future__ import annotations

import json
from typing import Any

from console.pages import ASSETS
from console.rights import Group
from console.routes import BY_NAME, ROUTES
from ops.manifests import read_function
from tests.terraform.rendering import resource_of, resources_of


def _client() -> dict[str, Any]:
    return resource_of("sign_in", "aws_cognito_user_pool_client", "console")


def test_the_user_pool_has_the_groups_that_have_rights() -> None:
    made = {group["name"] for group in resources_of("sign_in", "aws_cognito_user_group")}

    assert made == {group.value for group in Group}


def test_people_are_sent_back_to_pages_of_the_console() -> None:
    stage = resource_of("http", "aws_api_gateway_stage", "this")["stage_name"]

    (callback,) = _client()["callback_urls"]
    (logout,) = _client()["logout_urls"]

    assert callback.endswith(f"/{stage}{BY_NAME['finish_sign_in'].path}")
    assert logout.endswith(f"/{stage}{BY_NAME['sign_in'].path}")


def test_no_path_of_the_console_begins_as_the_stage_does() -> None:
    # What is behind a domain of its own gets paths with the stage, so the console takes these letters off, of any path.
    stage = resource_of("http", "aws_api_gateway_stage", "this")["stage_name"]

    paths = [route.path for route in ROUTES] + [path for path, _, _ in ASSETS.values()]

    assert [path for path in paths if path.startswith(f"/{stage}")] == []


def test_the_console_is_outside_the_vpc_and_keeps_no_request_that_failed() -> None:
    function = resource_of('functions["console"]', "aws_lambda_function", "this")

    assert not function["vpc_config"]
    assert not function["dead_letter_config"]
    assert all(entry.cache is None and entry.kafka is None for entry in read_function("console").access)


def test_the_function_is_done_before_api_gateway_gives_up() -> None:
    function = resource_of('functions["console"]', "aws_lambda_function", "this")

    waits = {each["timeout_milliseconds"] for each in resources_of("http", "aws_api_gateway_integration")}

    assert waits == {29_000}
    assert function["timeout"] * 1000 < min(waits)


def test_everybody_but_the_named_networks_is_refused() -> None:
    policy = json.loads(resource_of("http", "aws_api_gateway_rest_api_policy", "this")["policy"])

    (statement,) = policy["Statement"]

    assert statement["Effect"] == "Allow"
    assert statement["Condition"]["IpAddress"] == {"aws:VpcSourceIp": ["10.50.0.0/16"]}
    assert set(statement["Condition"]) == {"IpAddress", "StringEquals"}
