"""The local stack has a person of each of the console's groups, and a client that only the console can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from console.rights import Group
from local import identity
from local.identity import PEOPLE, make_console_site
from tests.support.moto_aws import aws

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]

URL = "http://127.0.0.1:8080"


@pytest.fixture
def cognito(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Cognito as moto keeps it, which the stack's own client reaches."""
    monkeypatch.setattr(identity, "make_client", lambda service, _: aws(service))
    return aws("cognito-idp")


def test_there_is_a_person_of_each_group() -> None:
    assert set(PEOPLE) == {group.value for group in Group}


def test_each_person_signs_in_with_the_password_that_is_printed(cognito: Any) -> None:
    site = make_console_site("http://aws", URL)

    pool_id = site.issuer.rpartition("/")[2]
    for name in PEOPLE:
        groups = cognito.admin_list_groups_for_user(UserPoolId=pool_id, Username=name)["Groups"]
        user = cognito.admin_get_user(UserPoolId=pool_id, Username=name)
        assert [group["GroupName"] for group in groups] == [name]
        assert user["UserStatus"] == "CONFIRMED"
    assert len(set(site.passwords.values())) == len(PEOPLE)
    assert site.discovery_url == f"http://aws/{pool_id}/.well-known/openid-configuration"


def test_the_client_has_no_secret_and_one_address_to_come_back_to(cognito: Any) -> None:
    site = make_console_site("http://aws", URL)

    pool_id = site.issuer.rpartition("/")[2]
    client = cognito.describe_user_pool_client(UserPoolId=pool_id, ClientId=site.client_id)["UserPoolClient"]
    assert "ClientSecret" not in client
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["CallbackURLs"] == [f"{URL}/sign-in/finish"]
    assert client["LogoutURLs"] == [f"{URL}/sign-in"]  # as in terraform/modules/sign_in


def test_making_it_twice_makes_one_pool_and_new_passwords(cognito: Any) -> None:
    first = make_console_site("http://aws", URL)

    second = make_console_site("http://aws", URL)

    assert second.issuer == first.issuer
    assert not set(first.passwords.values()) & set(second.passwords.values())
    assert len(cognito.list_user_pools(MaxResults=10)["UserPools"]) == 1
