"""Every refusal and failure socmon can explain, named as a fact."""

from collections.abc import Sequence


class SocmonError(Exception):
    """Something socmon can explain. The message says what happened, why, and what to do next."""


class UnknownAlert(SocmonError):
    """There is no alert with this number."""

    def __init__(self, alert_id: int | str) -> None:
        super().__init__(
            f"There is no alert A-{alert_id}. It may belong to another installation; `/socmon log` lists what is here."
        )


class UnknownRoster(SocmonError):
    """There is no roster with this number."""

    def __init__(self, roster_id: int) -> None:
        super().__init__(f"There is no roster {roster_id} here. `/socmon oncall` shows the present one.")


class UnknownStorm(SocmonError):
    """There is no storm with this number."""

    def __init__(self, storm_id: int) -> None:
        super().__init__(
            f"There is no storm S-{storm_id}. It may belong to another installation; `/socmon log open` lists what is"
            " open here."
        )


class UnknownRevision(SocmonError):
    """The scope has no revision with this number."""

    def __init__(self, revision: int | str) -> None:
        super().__init__(
            f"The scope has no revision {revision}. `/socmon scope history` lists those there are."
        )


class UnknownFinding(SocmonError):
    """Nothing was found under this number."""

    def __init__(self, finding_id: int) -> None:
        super().__init__(
            f"Nothing was found under number {finding_id} here. `/socmon scope` shows what waits."
        )


class UnknownExclusionRequest(SocmonError):
    """There is no request with this number."""

    def __init__(self, request_id: int) -> None:
        super().__init__(
            f"There is no exclusion request {request_id} here. `/socmon scope` shows what waits."
        )


class IllegalAct(SocmonError):
    """The act is not possible in the alert's present state; nothing was changed."""


class SomebodyElses(IllegalAct):
    """The alert is in other hands. Whoever wants it can take it over, on record: `alert_id` and `version` say what."""

    def __init__(self, message: str, alert_id: int, version: int) -> None:
        super().__init__(message)
        self.alert_id = alert_id
        self.version = version


class NotPermitted(SocmonError):
    """The person does not hold a role that may do this; nothing was changed."""


class Unidentified(SocmonError):
    """Slack does not say who somebody is, so they may do nothing yet; nothing was changed."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why}, so nothing was changed. Try again in a moment; if it goes on, tell an admin."
        )


class Unfit(SocmonError):
    """What stands in a field of a form cannot be taken; nothing was changed. `field` says where to show the message.

    It is shown at `also` these fields, where several lack the same.
    """

    def __init__(self, field: str, message: str, *, also: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.field, self.also = field, tuple(also)


class ThinNote(Unfit):
    """A note says too little to be evidence. Its fields: "found", "done", "cause", "follow_up", "text", "reason"."""


class Refused(SocmonError):
    """A delivery whose sender could not be authenticated. Leaves a counter, no body and no entry.

    `reason` is a short slug for counters ("bad signature"), `status` the HTTP status to answer with.
    """

    def __init__(self, reason: str, message: str, *, status: int = 401) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status


class Unreadable(SocmonError):
    """A genuine delivery that could not be read. It is kept whole and shown as an intake gap."""


class WrongSettings(SocmonError):
    """The configuration cannot be used; the message names the key and the mend."""


class Unavailable(SocmonError):
    """The records cannot be used at the moment; the sender should send again.

    The message says whether nothing was stored, or nobody can tell.
    """


class TryAgain(SocmonError):
    """A delivery could not be checked, since something outside did not answer. Nothing was stored; send it again."""


class ToolSilent(SocmonError):
    """A tool did not answer, or not sensibly: it may or may not have done what was asked. Ask again later."""


class ToolRefused(SocmonError):
    """A tool said no to what it was told, and would say so again."""
