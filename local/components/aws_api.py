"""MiniStack: the AWS API of the local stack (DynamoDB and its streams, SNS, SQS, S3, AppConfig), in memory."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, ClassVar, Final

import boto3
from botocore.config import Config

from local.components.component import HOST, Component
from local.processes import free_port
from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import ManagedProcess

REGION: Final = "us-east-1"
"""The emulator's region; the stack is the same in all regions."""

CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # the emulator takes any
"""What clients sign requests with. No real account has these."""

MAX_CONNECTIONS: Final = 50
"""Most pooled connections of one client; a thread that finds none free opens one and discards it."""

_PYTHON: Final = ROOT / ".venv-emulator" / "bin" / "python"
_PROGRAM: Final = ROOT / "local" / "components" / "ministack_program.py"


class AwsApi(Component):
    """MiniStack; its endpoint is the value of ``AWS_ENDPOINT_URL``."""

    name: ClassVar[str] = "aws-api"

    def __init__(self, folder: Path, logs: Path) -> None:
        super().__init__(folder, logs)
        self._port = 0

    @property
    def endpoint(self) -> str:
        """The endpoint URL of every AWS service."""
        return f"http://{HOST}:{self._port}"

    def _make_process(self) -> ManagedProcess:
        self._port = free_port()
        return self._process_of(
            str(_PYTHON),
            str(_PROGRAM),
            BIND_HOST=HOST,
            GATEWAY_PORT=str(self._port),
            # The URLs that it returns (queues, buckets) name this host; "localhost" may resolve to ::1 first.
            MINISTACK_HOST=HOST,
            MINISTACK_REGION=REGION,
            AWS_DEFAULT_REGION=REGION,
            LOG_LEVEL="WARNING",
            PERSIST_STATE="0",
            STATE_DIR=str(self._folder / "state"),
            # Services that the stack does not use would open fixed ports, or connect to the machine's Docker.
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
            DOCKER_HOST=f"unix://{self._folder}/no-docker.sock",
            **CREDENTIALS,
        )

    def _wait_until_ready(self, process: ManagedProcess) -> None:
        process.wait_until_listening(self._port)
        process.wait_until(lambda: is_aws_api_up(self.endpoint, 2.0), "an answer from /_ministack/ready")


def make_client(service: str, endpoint: str) -> Any:
    """Make a boto3 client of an emulated service.

    Parameters
    ----------
    service : str
        boto3's name of the service: ``dynamodb``, ``appconfigdata``.
    endpoint : str
        Endpoint URL.

    Returns
    -------
    Any
        The client, with the emulator's region and credentials; those of the environment are ignored.
    """
    # A session of its own: boto3's default session must not be shared between threads while it makes clients.
    session: Any = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    config = Config(retries={"mode": "standard"}, max_pool_connections=MAX_CONNECTIONS)
    return session.client(service, endpoint_url=endpoint, config=config)


def is_aws_api_up(endpoint: str, seconds: float) -> bool:
    """Return whether MiniStack answers within the seconds that it is ready."""
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/ready", timeout=seconds) as answer:  # noqa: S310 (http)
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
