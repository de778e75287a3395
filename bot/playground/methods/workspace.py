"""auth.test, apps.connections.open, blocks.validate: the token, the connection and the rules themselves."""

from bot.playground.block_kit import message_problems, view_problems
from bot.playground.errors import SlackError
from bot.playground.methods.method import Answer, Call, Method
from bot.playground.people import APP, BOT, BOT_USER, TEAM, TEAM_NAME
from bot.playground.rate_limits import Tier


def auth_test(call: Call) -> Answer:
    return {
        "url": f"{call.own_url}/playground/",
        "team": TEAM_NAME,
        "user": "socmon",
        "team_id": TEAM,
        "user_id": BOT_USER,
        "bot_id": BOT,
        "app_id": APP,
        "is_enterprise_install": False,
    }


def open_connection(_: Call) -> Answer:
    """Socket Mode needs an app-level token; the playground talks HTTP."""
    raise SlackError("not_allowed_token_type")


def validate_blocks(call: Call) -> Answer:
    """Check one of `blocks`, `view` or `message` by the playground's own rules; needs no token."""
    arguments = call.arguments
    if arguments.has("view"):
        problems = view_problems(arguments.structure("view"))
    elif arguments.has("message"):
        message = arguments.structure("message")
        blocks = message.get("blocks") if isinstance(message, dict) else None
        problems = message_problems(blocks, "/message/blocks")
    elif arguments.has("blocks"):
        problems = message_problems(arguments.structure("blocks"))
    else:
        raise SlackError("invalid_arguments", "must provide exactly one of: blocks, view, message")
    if problems:
        raise SlackError("invalid_blocks", *problems, errors=problems)
    return {}


METHODS = {
    "auth.test": Method(run=auth_test, tier=Tier.SPECIAL),
    "apps.connections.open": Method(run=open_connection, tier=Tier.ONE),
    "blocks.validate": Method(run=validate_blocks, tier=Tier.SPECIAL, public=True),
}
