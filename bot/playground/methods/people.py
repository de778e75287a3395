"""users.* and usergroups.*: who is who."""

from typing import Any

from bot.playground.errors import SlackError
from bot.playground.methods.method import Answer, Call, Method, page
from bot.playground.people import BOT, TEAM, Group, User
from bot.playground.rate_limits import Tier


def user_facts(user: User, *, email: bool) -> dict[str, Any]:
    """A user as the Web API gives them; the e-mail address only to apps that may know it."""
    profile: dict[str, Any] = {
        "real_name": user.real_name,
        "display_name": user.name,
        "real_name_normalized": user.real_name,
        "display_name_normalized": user.name,
        "title": user.title,
        "team": TEAM,
    }
    if email and user.email:
        profile["email"] = user.email
    if user.is_bot:
        profile["bot_id"] = BOT
    return {
        "id": user.id,
        "team_id": TEAM,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "color": user.color,
        "tz": user.tz,
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_email_confirmed": bool(user.email),
    }


def info(call: Call) -> Answer:
    return {"user": _facts(call, call.workspace.user(call.arguments.required("user")))}


def list_users(call: Call) -> Answer:
    found, cursor = page(list(call.workspace.users.values()), call)
    return {"members": [_facts(call, user) for user in found], "response_metadata": {"next_cursor": cursor}}


def look_up_by_email(call: Call) -> Answer:
    email = call.arguments.required("email").casefold()
    for user in call.workspace.users.values():
        if user.email and user.email.casefold() == email and not user.deleted:
            return {"user": _facts(call, user)}
    raise SlackError("users_not_found")


def list_groups(call: Call) -> Answer:
    with_users, with_count = call.arguments.flag("include_users"), call.arguments.flag("include_count")
    return {
        "usergroups": [
            group_facts(group, users=with_users, count=with_count) for group in call.workspace.groups.values()
        ]
    }


def list_group_users(call: Call) -> Answer:
    group = call.workspace.groups.get(call.arguments.required("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def group_facts(group: Group, *, users: bool, count: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": group.id,
        "team_id": TEAM,
        "is_usergroup": True,
        "handle": group.handle,
        "name": group.name,
        "description": "",
        "date_delete": 0,
    }
    if users:
        facts["users"] = list(group.users)
    if count:
        facts["user_count"] = len(group.users)
    return facts


def _facts(call: Call, user: User) -> dict[str, Any]:
    return user_facts(user, email="users:read.email" in call.scopes)


METHODS = {
    "users.info": Method(run=info, tier=Tier.FOUR, scopes=("users:read",)),
    "users.list": Method(run=list_users, tier=Tier.TWO, scopes=("users:read",)),
    "users.lookupByEmail": Method(run=look_up_by_email, tier=Tier.THREE, scopes=("users:read.email",)),
    "usergroups.list": Method(run=list_groups, tier=Tier.TWO, scopes=("usergroups:read",)),
    "usergroups.users.list": Method(run=list_group_users, tier=Tier.TWO, scopes=("usergroups:read",)),
}
