"""socmon: the infrastructure-monitoring control, run from Slack."""

__version__ = "0.1.0"
