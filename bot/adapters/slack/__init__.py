"""Slack: what alerts look like there, and the projector that keeps it in step with the records."""
