"""People are told in direct messages what waits for them: bundled, one message a person in ten minutes at most.

What is on its way is recorded before it is sent. After a crash or a lost answer the bundle is owed again, ten minutes
later, and lists what still waits then: told twice rather than never, and never more often than promised.
"""

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.errors import UnknownAlert
from bot.domain.escalation import Policy
from bot.domain.notice import GAP, Bundle, Notice, Waiting
from bot.ports import Records

MOST = 2000
KEPT = timedelta(days=7)


def take_bundles(records: Records, policy: Policy, *, most: int) -> list[Bundle]:
    """What is to be sent now, to at most so many people. What no longer waits is dropped."""
    owed = records.owed_notices(tried_before=records.now - GAP, most=MOST)
    people: dict[str, list[Notice]] = {}
    for notice in owed:
        people.setdefault(notice.user, []).append(notice)
    bundles = [_bundle(records, policy, user, notices) for user, notices in people.items()]
    taken = [bundle for bundle in bundles if bundle.waiting][:most]
    for bundle in taken:
        records.notices_tried(bundle.notices, at=records.now)
    return taken


def bundle_sent(records: Records, bundle: Bundle) -> None:
    records.notices_sent(bundle.notices)


def bundle_refused(records: Records, bundle: Bundle) -> None:
    """It was certainly not sent, and may be tried again at once."""
    records.notices_tried(bundle.notices, at=None)


def bundle_hopeless(records: Records, bundle: Bundle) -> None:
    """Nobody can be told in this way: their account takes no message. Who was called stays on record."""
    records.drop_notices(bundle.notices)


def forget_old_notices(records: Records) -> int:
    """Returns how many were forgotten."""
    return records.drop_sent_notices(records.now - KEPT)


def _bundle(records: Records, policy: Policy, user: str, notices: Sequence[Notice]) -> Bundle:
    waiting: dict[int, Waiting] = {}
    kept = []
    over = []
    for notice in notices:
        one = _waiting(records, notice)
        if one is None:
            over.append(notice.id)
        elif not policy.is_quiet(one.alert.severity, records.now):
            kept.append(notice.id)
            waiting[notice.alert_id] = one
    records.drop_notices(over)
    order = sorted(waiting.values(), key=lambda one: (one.alert.severity, one.alert.id))
    return Bundle(user=user, waiting=tuple(order), notices=tuple(kept))


def _waiting(records: Records, notice: Notice) -> Waiting | None:
    """What the person is to be told, unless it is over or they have acted on it since."""
    try:
        alert, thread = records.alert(notice.alert_id), records.thread(notice.alert_id)
    except UnknownAlert:
        return None
    moments, _ = records.history(alert.id, most=50)
    has_acted = any(moment.by == notice.user and moment.at >= notice.at for moment in moments)
    if has_acted or not notice.is_due(alert):
        return None
    return Waiting(alert=alert, kind=notice.kind, channel=thread.channel)
