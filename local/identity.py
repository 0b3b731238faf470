"""People who may use the local console: a user pool of the emulator's Cognito, with a person of each group."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Any, Final

import msgspec

from local.components.aws_api import REGION, make_client

if TYPE_CHECKING:
    from collections.abc import Sequence

PEOPLE: Final = ("analyst", "lead", "author", "auditor", "admin")
"""Names of the people, and of their groups. The console's groups are these: a test compares them."""

POOL_NAME: Final = "console"

_PASSWORD_BYTES: Final = 12


class ConsoleSite(msgspec.Struct, frozen=True, kw_only=True):
    """Where the console is, and where people sign in to it."""

    url: str
    """Of the console."""
    issuer: str
    """As the emulator's tokens name it: that of Cognito in AWS."""
    discovery_url: str
    """Of the document that names the emulator's own addresses."""
    client_id: str
    passwords: dict[str, str]
    """Password of each person; random, and only of this stack."""

    def references(self) -> dict[str, str]:
        """What a `function.yaml` can refer to."""
        return {
            "console.url": self.url,
            "identity.issuer": self.issuer,
            "identity.discovery_url": self.discovery_url,
            "identity.client_id": self.client_id,
        }


def make_console_site(aws_endpoint: str, console_url: str, people: Sequence[str] = PEOPLE) -> ConsoleSite:
    """Make a user pool with its people; an existing one is taken, and its people get new passwords.

    Parameters
    ----------
    aws_endpoint : str
        Endpoint URL of the AWS API.
    console_url : str
        Where browsers open the console.
    people : Sequence[str]
        Each is in a group of the same name.
    """
    cognito = make_client("cognito-idp", aws_endpoint)
    pool_id = _pool(cognito)
    client_id: str = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="console",
        GenerateSecret=False,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "profile"],
        SupportedIdentityProviders=["COGNITO"],
        CallbackURLs=[f"{console_url}/sign-in/finish"],
        LogoutURLs=[f"{console_url}/sign-in"],
    )["UserPoolClient"]["ClientId"]
    return ConsoleSite(
        url=console_url,
        issuer=f"https://cognito-idp.{REGION}.amazonaws.com/{pool_id}",
        discovery_url=f"{aws_endpoint}/{pool_id}/.well-known/openid-configuration",
        client_id=client_id,
        passwords={name: _person(cognito, pool_id, name) for name in people},
    )


def _pool(cognito: Any) -> str:
    for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        if pool["Name"] == POOL_NAME:
            known: str = pool["Id"]
            return known
    made: str = cognito.create_user_pool(PoolName=POOL_NAME)["UserPool"]["Id"]
    return made


def _person(cognito: Any, pool_id: str, name: str) -> str:
    password = f"{secrets.token_urlsafe(_PASSWORD_BYTES)}-aA1"  # the endings that a pool's policy asks for
    with contextlib.suppress(cognito.exceptions.GroupExistsException):
        cognito.create_group(UserPoolId=pool_id, GroupName=name)
    with contextlib.suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(UserPoolId=pool_id, Username=name, MessageAction="SUPPRESS")
    cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=name, GroupName=name)
    cognito.admin_set_user_password(UserPoolId=pool_id, Username=name, Password=password, Permanent=True)
    return password
