"""Signing in to ElastiCache with IAM: the token is a presigned request, valid for 15 minutes; no password is stored.

Source: Amazon ElastiCache user guide, "Authenticating with IAM".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import NoCredentialsError
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from redis.credentials import CredentialProvider

if TYPE_CHECKING:
    from boto3 import Session

TOKEN_LIFETIME_S: Final = 900
"""ElastiCache accepts no longer lifetime. A connection, once authenticated, stays open for up to 12 hours."""


class CacheSettings(Protocol):
    """The part of a stage's settings that says where the cache is."""

    @property
    def elasticache_redis_endpoint(self) -> str:
        """Host and port, or a URL (:func:`cache.primary.connect`)."""
        ...

    @property
    def cache_replication_group(self) -> str:
        """Replication group that IAM tokens are signed for; empty for a cache without IAM authentication."""
        ...


class IamCredentials(CredentialProvider):
    """Makes a fresh token for each new connection.

    Parameters
    ----------
    session : boto3.Session
        Its credentials and region sign the token.
    endpoint : str
        ``rediss://user@host:port``; the user is the ElastiCache user to sign in as.
    replication_group : str
        Replication group id, in lower case.

    Raises
    ------
    NoCredentialsError
        Where the session has no credentials.
    """

    def __init__(self, session: Session, endpoint: str, replication_group: str) -> None:
        self._user = urlsplit(endpoint).username or ""
        self._replication_group = replication_group
        self._region = session.region_name
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        self._signer = RequestSigner(
            ServiceId("elasticache"),
            self._region,
            "elasticache",
            "v4",
            credentials,
            session.events,
        )

    def get_credentials(self) -> tuple[str, str]:
        """Give the user name and a fresh token."""
        request = {
            "method": "GET",
            "url": f"http://{self._replication_group}/?Action=connect&User={self._user}",
            "body": {},
            "headers": {},
            "context": {},
        }
        signed = self._signer.generate_presigned_url(
            request, operation_name="connect", expires_in=TOKEN_LIFETIME_S, region_name=self._region
        )
        return self._user, signed.removeprefix("http://")


def cache_credentials(session: Session, settings: CacheSettings) -> CredentialProvider | None:
    """Make the sign-in for the cache that the settings name; None for a cache without authentication."""
    if not settings.cache_replication_group:
        return None
    return IamCredentials(session, settings.elasticache_redis_endpoint, settings.cache_replication_group)
