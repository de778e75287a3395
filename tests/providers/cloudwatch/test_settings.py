"""What can be configured for CloudWatch, and what a wrong setting is answered with."""

import pytest

from bot.domain.errors import WrongSettings
from bot.providers.cloudwatch import PROVIDER
from bot.providers.cloudwatch.settings import EXAMPLE_TOPIC, CloudWatchSettings, read_settings


@pytest.mark.parametrize(
    ("table", "environ", "expected"),
    [
        ({}, {}, CloudWatchSettings()),
        ({"topics": [EXAMPLE_TOPIC]}, {}, CloudWatchSettings(topics=frozenset({EXAMPLE_TOPIC}))),
        (
            {"topics": ["arn:aws-us-gov:sns:us-gov-west-1:111122223333:a_b-c"]},
            {},
            CloudWatchSettings(topics=frozenset({"arn:aws-us-gov:sns:us-gov-west-1:111122223333:a_b-c"})),
        ),
        ({"signature_version_1": True}, {}, CloudWatchSettings(signature_version_1=True)),
        ({}, {"SSL_CERT_FILE": "/ca.pem"}, CloudWatchSettings(ca_file="/ca.pem")),
        (
            {},
            {"SSL_CERT_FILE": "/ca.pem", "AWS_CA_BUNDLE": "/aws.pem"},
            CloudWatchSettings(ca_file="/aws.pem"),
        ),
    ],
)
def test_settings(table: dict[str, object], environ: dict[str, str], expected: CloudWatchSettings) -> None:
    assert read_settings(table, environ) == expected


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"topic": []}, 'Did you mean "topics"?'),
        ({"topics": EXAMPLE_TOPIC}, "must be a list of topic ARNs"),
        ({"topics": ["socmon-alarms"]}, "'socmon-alarms' is not the ARN of an SNS topic"),
        ({"topics": [7]}, "7 is not the ARN"),
        ({"topics": ["arn:aws:sns:eu-west-1:1234:short"]}, "is not the ARN"),
        ({"topics": [f"{EXAMPLE_TOPIC}\n"]}, "is not the ARN"),
        ({"signature_version_1": "yes"}, "must be true or false"),
    ],
)
def test_wrong_settings_name_the_key_and_the_mend(table: dict[str, object], message: str) -> None:
    with pytest.raises(WrongSettings, match=r"providers\.cloudwatch") as wrong:
        read_settings(table, {})

    assert message in str(wrong.value)


def test_the_doctor_speaks_up() -> None:
    """A source that refuses everything, or believes SHA-1, is a finding."""
    assert PROVIDER.findings(CloudWatchSettings(topics=frozenset({EXAMPLE_TOPIC}))) == []
    assert "every CloudWatch delivery is refused" in PROVIDER.findings(CloudWatchSettings())[0]
    assert "SHA-1" in PROVIDER.findings(CloudWatchSettings(signature_version_1=True))[1]
