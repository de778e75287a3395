"""App Home: published when it is opened, and again after whatever its owner does."""

from slack_bolt.async_app import AsyncApp

from bot.adapters.slack.home import home_view, refused_home
from bot.adapters.slack.views import View
from bot.adapters.slack.web import NoAnswer, RateLimited, SlackSaysNo, answer_of
from bot.domain.errors import SocmonError
from bot.domain.person import READERS
from bot.procedures.report_status import report_status
from bot.procedures.review_alerts import needs
from handlers.slack.desk import Body, Desk, account, log


def register(app: AsyncApp, desk: Desk) -> None:
    async def opened(event: Body, body: Body) -> None:
        if event.get("tab", "home") == "home":
            desk.at_home.add(event["user"])
            await publish_home(desk, event["user"], body.get("team_id") or "")

    app.event("app_home_opened")(opened)


async def refresh_home(desk: Desk, body: Body) -> None:
    """What somebody did may have changed what waits for them."""
    user, team = account(body)
    if user in desk.at_home:
        await publish_home(desk, user, team)


async def publish_home(desk: Desk, user: str, team: str) -> None:
    """Never raises for Slack's sake: a Home that lags is no fault of what was done."""
    view = await _home(desk, user, team)
    try:
        await answer_of(desk.client.views_publish(user_id=user, view=view))
    except (SlackSaysNo, RateLimited, NoAnswer) as error:
        log.warning("the Home of %s could not be published: %s", user, error)


async def _home(desk: Desk, user: str, team: str) -> View:
    """What needs this person now, and how socmon is doing; for those who may read it."""
    try:
        person = await desk.directory.person(user, team)
        person.require(READERS, "see the alerts here")
        mine, others = await desk.records.read(needs, user)
        status = await desk.records.read(report_status, desk.sources, version=desk.version)
    except SocmonError as error:
        return refused_home(str(error))
    return home_view(mine, others, status, now=desk.clock.now(), titles=desk.titles)
