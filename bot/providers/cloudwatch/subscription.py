"""Confirming that socmon wants a topic's messages: by AWS's API, never by opening the link in the message.

The link (SubscribeURL) could lead anywhere, into this network too. The API call needs the permission
sns:ConfirmSubscription on the topic and makes AWS ask for credentials before anybody may unsubscribe socmon again.
"""

from typing import Any

from bot.domain.errors import TryAgain

CONNECT_SECONDS = 3
READ_SECONDS = 5


def confirm_subscription(topic: str, token: str, *, ca_file: str = "") -> None:
    """Confirm it; blocks, so call it in a thread. Harmless to repeat. Raises TryAgain."""
    # Here, since boto3 takes a third of a second to import and few installations need it.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        _client(topic, ca_file).confirm_subscription(
            TopicArn=topic, Token=token, AuthenticateOnUnsubscribe="true"
        )
    except (BotoCoreError, ClientError, OSError, ValueError) as error:
        raise TryAgain(
            f"The subscription to {topic} could not be confirmed: {error}. Check that socmon's AWS credentials allow"
            " sns:ConfirmSubscription on it. SNS asks again; once it has given up, run `aws sns subscribe` again."
        ) from error


def _client(topic: str, ca_file: str) -> Any:
    from boto3.session import Session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    # A session of its own: boto3's default one is not safe to share between threads.
    return Session().client(
        "sns",
        region_name=topic.split(":")[3],
        verify=ca_file or None,
        config=Config(
            connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}
        ),
    )
