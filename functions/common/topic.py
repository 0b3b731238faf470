"""The alert topic in SNS: what a message is, its limits, and the one call that publishes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import REFUSED_RECORD, StageError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

MAX_MESSAGE_BYTES: Final = 256 * 1024
"""SNS's limit: the message with all its texts, and the attributes."""

MAX_SUBJECT_CHARACTERS: Final = 99
"""SNS's limit: less than 100, printable ASCII."""

MAX_SMS_SEPTETS: Final = 140
"""20 less than one SMS in the GSM alphabet holds: SNS may put a sender's prefix before the text."""

CLIENT_CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)
"""Three tries; then the record fails and is delivered again. SNS may have accepted a try that timed out: subscribers then
receive the message twice, with one alert_id."""


class PublishError(StageError):
    """A message that SNS did not accept.

    Parameters
    ----------
    code : str
        SNS's error code, or the name of the connection's failure.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"Publish: {code}")
        self.code = code
        self.is_of_the_record = code in REFUSED_RECORD


class MessageAttribute(msgspec.Struct, frozen=True):
    """One attribute; subscribers filter by it."""

    data_type: str
    """``String``, ``Number`` or ``String.Array``."""
    value: str


class AlertMessage(msgspec.Struct, frozen=True):
    """One SNS message."""

    subject: str
    body: str
    """JSON: protocol to text; ``default`` is the whole message in JSON."""
    attributes: dict[str, MessageAttribute]
    """At most 10: a queue with raw delivery receives no message that has more."""


class Topic(Protocol):
    """Where alerts are published."""

    def publish(self, message: AlertMessage) -> None:
        """Publish one message; PublishError where SNS does not accept it."""
        ...


class SnsTopic:
    """One topic.

    Parameters
    ----------
    client : SNSClient
        A client.
    arn : str
        The topic's.
    """

    def __init__(self, client: SNSClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, message: AlertMessage) -> None:
        """Publish one message.

        Parameters
        ----------
        message : AlertMessage
            Within SNS's limits.

        Raises
        ------
        PublishError
            When SNS refused it or could not be reached, after retries.
        """
        try:
            self._client.publish(
                TopicArn=self._arn,
                Subject=message.subject,
                Message=message.body,
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": attribute.data_type, "StringValue": attribute.value}
                    for name, attribute in message.attributes.items()
                },
            )
        except ClientError as error:
            raise PublishError(error.response["Error"]["Code"]) from error
        except BotoCoreError as error:
            raise PublishError(type(error).__name__) from error
