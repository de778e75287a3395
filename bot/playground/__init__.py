"""A local Slack workspace in the browser, to try and to test socmon without Slack."""

from bot.playground.app import API_PATH, Playground, create_playground
from bot.playground.errors import RealToken
from bot.playground.people import TOKEN

__all__ = ["API_PATH", "TOKEN", "Playground", "RealToken", "create_playground"]
