"""Requests to the identity provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import urllib3

from console.oidc import ProviderUnavailableError, form_body

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Final = 5.0
"""For one request."""

_OK: Final = 200


class Urllib3Web:
    """Requests without redirects, each with a time-out."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(SECONDS), retries=False)

    def get(self, url: str) -> bytes:
        """Fetch a document; ProviderUnavailableError."""
        status, body = self._request("GET", url)
        if status != _OK:
            raise ProviderUnavailableError(f"the identity provider answered {status}")
        return body

    def post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a form; ProviderUnavailableError."""
        return self._request("POST", url, form_body(form))

    def _request(self, method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        try:
            answer = self._pool.request(method, url, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise ProviderUnavailableError("the identity provider did not answer") from error
        return answer.status, answer.data
