"""What Slack tells the app by itself: its Home was opened, it was removed, its token died."""

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack.home import home_view
from bot.domain.errors import SocmonError
from bot.procedures.report_status import report_status
from bot.procedures.review_alerts import needs
from handlers.slack.desk import Body, Desk

GONE = (
    "The Slack app was removed or its token was revoked. Alerts are recorded, but nobody sees them in Slack. Mend:"
    " reinstall the app and set SLACK_BOT_TOKEN, then restart."
)


def register(app: AsyncApp, desk: Desk) -> None:
    async def home_opened(event: Body) -> None:
        if event.get("tab", "home") == "home":
            await publish_home(desk, event["user"])

    async def removed(body: Body) -> None:
        del body
        await desk.report("slack:token", GONE)

    app.event("app_home_opened")(home_opened)
    app.event("app_uninstalled")(removed)
    app.event("tokens_revoked")(removed)


async def publish_home(desk: Desk, user: str) -> None:
    """What needs this person now, and how socmon is doing."""
    try:
        mine, others = await desk.records.read(needs, user)
        status = await desk.records.read(report_status, desk.sources, version=desk.version)
    except SocmonError:
        return
    view = home_view(mine, others, status, now=desk.clock.now(), titles=desk.titles)
    await desk.client.views_publish(user_id=user, view=view)
