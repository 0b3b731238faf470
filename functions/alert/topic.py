"""The alert topic in SNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from alert.errors import PublishError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from alert.messages import AlertMessage

CLIENT_CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)
"""Three tries; then the record fails and is delivered again. SNS may have accepted a try that timed out: subscribers then
receive the message twice, with one alert_id."""


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
