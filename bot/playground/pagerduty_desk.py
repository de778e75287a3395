"""What a person sees and does in PagerDuty itself, on the playground's page."""

from typing import Any

from bot.playground.errors import SlackError
from bot.playground.pagerduty import FakePagerDuty
from bot.playground.pagerduty_shapes import Body


def desk(fake: FakePagerDuty) -> Body:
    """`incidents` are the open ones, newest first; `people` are those who have an account, by `id` and `name`."""
    open_ones = [one for one in fake.incidents.values() if one["status"] != "resolved"]
    return {
        "incidents": [_shown(fake, one) for one in reversed(open_ones)],
        "people": [{"id": one["id"], "name": one["name"]} for one in fake.users.values()],
        "is_down": fake.is_down(),
    }


def do(fake: FakePagerDuty, act: str, given: dict[str, Any]) -> None:
    """`given` names the `user` and the `incident`, and has the `text` of a note or the id `to` of who gets it.

    Raises SlackError.
    """
    user, incident = str(given.get("user")), str(given.get("incident"))
    if user not in fake.users:
        raise SlackError(
            "unknown_user", f"nobody in PagerDuty has the id {user}; there are {_ids(fake.users)}"
        )
    if incident not in fake.incidents:
        raise SlackError("unknown_incident", f"PagerDuty has no incident {incident}")
    if fake.incidents[incident]["status"] == "resolved":
        raise SlackError("resolved_incident", f"{incident} is resolved already")
    match act:
        case "acknowledge":
            fake.act(user, incident, status="acknowledged")
        case "resolve":
            fake.act(user, incident, status="resolved")
        case "reassign":
            to = str(given.get("to"))
            if to not in fake.users:
                raise SlackError("unknown_user", f"nobody in PagerDuty has the id {to}")
            fake.act(user, incident, assignments=[{"assignee": {"id": to}}])
        case "note":
            text = str(given.get("text") or "").strip()
            if not text:
                raise SlackError("no_text", "a note says something")
            fake.note(user, incident, text)
        case _:
            raise SlackError("unknown_act", "people acknowledge, resolve, reassign and note here")


def _shown(fake: FakePagerDuty, incident: Body) -> Body:
    acknowledged = [one["acknowledger"]["summary"] for one in incident["acknowledgements"]]
    return {
        "id": incident["id"],
        "title": incident["title"],
        "status": incident["status"],
        "service": incident["service"]["summary"],
        "by": acknowledged[0] if acknowledged else "",
        "assigned": [one["assignee"]["summary"] for one in incident["assignments"]],
        "notes": [
            {"by": one["user"]["summary"], "text": one["content"]}
            for one in fake.notes.get(incident["id"], [])
        ],
    }


def _ids(users: Body) -> str:
    return ", ".join(users)
