"""What has to be there before the control starts: inventory, rights in the tools, rota, written expectations."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

REVIEWED_EVERY = timedelta(days=365)


class Needed(StrEnum):
    """The four of them; the value is what they are called."""

    INVENTORY = "inventory"  # approved, with what is in scope
    RIGHTS = "rights"  # to read in the tools
    ON_CALL = "on call"  # the rotation and the escalation contact list
    DOCUMENTS = "documents"  # what is expected of alerting and of incident response


class Standing(StrEnum):
    MET = "met"
    WEAK = "weak"  # the control runs, and an auditor would ask
    UNMET = "unmet"  # it cannot do what it promises


@dataclass(frozen=True, slots=True, kw_only=True)
class Prerequisite:
    """One fact about one of them. `mend` says what to do, where there is something to do."""

    needed: Needed
    standing: Standing
    says: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Where written expectations lie, who keeps them, and when they were last reviewed; `url` "" is none yet."""

    title: str
    key: str
    """Where it stands in the configuration."""
    url: str = ""
    owner: str = ""
    reviewed: date | None = None


def documents(every: Iterable[Document], today: date) -> list[Prerequisite]:
    return [_document(one, today) for one in every]


def _document(one: Document, today: date) -> Prerequisite:
    def fact(standing: Standing, says: str, mend: str = "") -> Prerequisite:
        return Prerequisite(needed=Needed.DOCUMENTS, standing=standing, says=says, mend=mend)

    again = f"Read it, and set {one.key} reviewed to that day."
    if not one.url:
        example = f'{one.key.rpartition(".")[2]} = {{ url = "https://…", owner = "…", reviewed = {today} }}'
        return fact(Standing.WEAK, f"No {one.title} is linked.", f"Name it under [documents]: {example}")
    if one.reviewed is None:
        return fact(Standing.WEAK, f"The {one.title} ({one.url}) has no review date.", again)
    if one.reviewed > today:
        return fact(
            Standing.WEAK,
            f"The {one.title} ({one.url}) was reviewed on {one.reviewed}, which is yet to come.",
            again,
        )
    if one.reviewed + REVIEWED_EVERY < today:
        return fact(
            Standing.WEAK,
            f"The {one.title} ({one.url}) was last reviewed on {one.reviewed}, more than a year ago.",
            again,
        )
    if not one.owner:
        return fact(Standing.WEAK, f"The {one.title} ({one.url}) names no owner.", f"Set {one.key} owner.")
    return fact(Standing.MET, f"The {one.title}: {one.url}, reviewed on {one.reviewed}, kept by {one.owner}.")
