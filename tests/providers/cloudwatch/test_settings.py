"""What can be configured for CloudWatch, and what a wrong setting is answered with."""

import pytest

from bot.domain.errors import WrongSettings
from bot.providers.cloudwatch import PROVIDER
from bot.providers.cloudwatch.settings import EXAMPLE_ROLE, EXAMPLE_TOPIC, CloudWatchSettings, read_settings


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
        (
            {"regions": ["us-gov-west-1", "eu-west-1", "eu-west-1"], "roles": [EXAMPLE_ROLE]},
            {},
            CloudWatchSettings(regions=("eu-west-1", "us-gov-west-1"), roles=(EXAMPLE_ROLE,)),
        ),
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
        ({"region": ["eu-west-1"]}, 'Did you mean "regions"?'),
        ({"regions": "eu-west-1"}, "must be a list"),
        ({"regions": ["Ireland"]}, "'Ireland' is not the name of an AWS region"),
        ({"regions": ["eu-west-1a"]}, "'eu-west-1a' is not the name"),
        ({"regions": [7]}, "7 is not the name"),
        ({"roles": [EXAMPLE_ROLE]}, "roles needs regions"),
        ({"regions": ["eu-west-1"], "roles": [EXAMPLE_TOPIC]}, "is not the ARN of an IAM role"),
        ({"regions": ["eu-west-1"], "roles": [EXAMPLE_ROLE, f"{EXAMPLE_ROLE}-2"]}, "of the same account"),
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
    topics = frozenset({EXAMPLE_TOPIC})
    assert PROVIDER.findings(CloudWatchSettings(topics=topics, regions=("eu-west-1",))) == []
    [slip] = PROVIDER.findings(CloudWatchSettings(topics=topics, regions=("eu-west-1", "eu-wets-1")))
    assert "knows no region eu-wets-1" in slip
    assert "eu-west-1" in slip
