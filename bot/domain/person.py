"""Who a person is to socmon: a Slack account, the roles the configuration gives it, and what they allow."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.alert import Act
from bot.domain.errors import NotPermitted


class Role(StrEnum):
    RESPONDER = "responders"
    LEAD = "engineering_lead"
    BACKUP_LEAD = "backup_lead"
    ADMIN = "admins"
    AUDITOR = "auditors"


ROLE_NAMES = {
    Role.RESPONDER: "responder",
    Role.LEAD: "Engineering Lead",
    Role.BACKUP_LEAD: "backup lead",
    Role.ADMIN: "admin",
    Role.AUDITOR: "auditor",
}
LEADS = frozenset({Role.LEAD, Role.BACKUP_LEAD})
RESPONDERS = LEADS | {Role.RESPONDER}
READERS = frozenset(Role)

# Who may do what. Releasing somebody else's alert is the lead's; the rest of responding is every responder's.
PERMISSIONS: dict[Act, frozenset[Role]] = dict.fromkeys(Act, RESPONDERS)

# What an act is called in “You can't …”, where it is not “<act> alerts”.
_CALLED = {
    Act.WAKE: "end the snooze of alerts",
    Act.NOTE: "add notes to alerts",
    Act.TAKE_OVER: "take over alerts",
    Act.NO_ACTION: "close alerts",
    Act.AMEND: "edit the resolution notes of alerts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A Slack account. `team` and `user` are Slack's ids; `holders` says, per role, who the configuration names.

    `is_member` is false for guests, bots, people of other workspaces and those who have left: they hold no roles.
    """

    team: str
    user: str
    roles: frozenset[Role]
    holders: tuple[tuple[Role, tuple[str, ...]], ...] = ()
    is_member: bool = True

    @property
    def role(self) -> str:
        """The role that stands in the evidence: the highest one held."""
        order = (Role.LEAD, Role.BACKUP_LEAD, Role.RESPONDER, Role.ADMIN, Role.AUDITOR)
        return next((role.value for role in order if role in self.roles), "none")

    def require_for(self, act: Act) -> None:
        """Raise NotPermitted, naming who may, unless this person may do `act` to alerts."""
        self.require(PERMISSIONS[act], _CALLED.get(act, f"{act} alerts"))

    def require(self, allowed: frozenset[Role], what: str) -> None:
        """Raise NotPermitted, naming who may, unless this person holds one of the `allowed` roles."""
        if self.roles & allowed:
            return
        if not self.is_member:
            raise NotPermitted(
                f"You can't {what}: only full members of this workspace can, so that a known person is behind every act"
                " in the record. Nothing changed. Ask somebody on the team to do it."
            )
        who = dict(self.holders)
        named = [
            f"{ROLE_NAMES[role]} ({', '.join(who[role])})"
            for role in Role
            if role in allowed and who.get(role)
        ]
        listed = "; ".join(named) or "nobody yet: an admin names people under [roles] in the configuration"
        raise NotPermitted(
            f"You can't {what}: your Slack account has none of the roles that may. Who may: {listed}. Nothing changed."
        )
