"""What API Gateway answers, and moto answers otherwise."""

from __future__ import annotations

import json
from typing import Any

from moto.apigateway.models import RestAPI


def escaped_policies() -> None:
    """API Gateway returns a policy as the inside of a JSON string, with escaped quotes; moto as it was sent, and the provider cannot read it."""
    plain = RestAPI.to_dict

    def to_dict(self: RestAPI) -> dict[str, Any]:
        shown = plain(self)
        if shown["policy"]:
            shown["policy"] = json.dumps(shown["policy"])[1:-1]
        return shown

    RestAPI.to_dict = to_dict  # type: ignore[method-assign]


def install() -> None:
    """Install all fixes."""
    escaped_policies()
