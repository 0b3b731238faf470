"""Check the credentials' account and the state's bucket, before Terraform reports either in forty lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.environment import Environment


def client(
    service: str,
    environment: Environment,
    *,
    read_timeout_seconds: float = 60,
    credentials: Mapping[str, str] | None = None,
) -> Any:
    """Make a client of one service in the environment's region; with credentials of a role, or the caller's."""
    return boto3.client(
        service,  # type: ignore[call-overload] # any service
        region_name=environment.region,
        **(credentials or {}),
        config=Config(
            connect_timeout=5, read_timeout=read_timeout_seconds, retries={"total_max_attempts": 3}
        ),
    )


def check_account(environment: Environment) -> None:
    """Raise unless the credentials belong to the account that the environment's backend file allows."""
    try:
        account = client("sts", environment).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise OpsError(f"AWS refuses the credentials: {error}") from error
    if account != environment.account_id:
        raise OpsError(
            f"The credentials belong to account {account}; terraform/environments/{environment.name}/backend.hcl allows "
            f"{environment.account_id}."
        )


def state_bucket_exists(environment: Environment) -> bool:
    """Whether the bucket of the state exists; `OpsError` if this cannot be found out."""
    try:
        client("s3", environment).head_bucket(Bucket=environment.bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return False
        raise OpsError(f"The state's bucket {environment.bucket} cannot be read: {error}") from error
    return True


def check_state_bucket(environment: Environment) -> None:
    """Raise unless the bucket of the state exists."""
    if not state_bucket_exists(environment):
        raise OpsError(
            f"The state's bucket {environment.bucket} does not exist; an administrator creates it with "
            f"`make bootstrap ENV={environment.name}`."
        )
