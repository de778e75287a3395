"""What Slack tells the app by itself: it was removed, its token died."""

from slack_bolt.async_app import AsyncApp

from handlers.slack.desk import Body, Desk

GONE = (
    "The Slack app was removed or its token was revoked. Alerts are recorded, but nobody sees them in Slack. Mend:"
    " reinstall the app and set SLACK_BOT_TOKEN, then restart."
)


def register(app: AsyncApp, desk: Desk) -> None:
    async def removed(body: Body) -> None:
        del body
        await desk.report("slack:token", GONE)

    app.event("app_uninstalled")(removed)
    app.event("tokens_revoked")(removed)
