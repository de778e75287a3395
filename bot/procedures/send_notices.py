"""People are told in direct messages what waits for them: bundled, one message a person in ten minutes at most.

What is on its way is recorded before it is sent. After a crash or a lost answer the bundle is owed again, ten minutes
later, and lists what still waits then: told twice rather than never, and never more often than promised.
"""

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.escalation import Policy
from bot.domain.notice import GAP, Bundle, Owed, Waiting
from bot.ports import Records

MOST = 2000
KEPT = timedelta(days=7)


def take_bundles(records: Records, policy: Policy, *, most: int) -> list[Bundle]:
    """What is to be sent now, to at most so many people. What no longer waits is dropped."""
    owed = records.owed_notices(tried_before=records.now - GAP, most=MOST)
    people: dict[str, list[Owed]] = {}
    for one in owed:
        people.setdefault(one.notice.user, []).append(one)
    records.drop_notices([one.notice.id for one in owed if not one.is_due])
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


def _bundle(records: Records, policy: Policy, user: str, notices: Sequence[Owed]) -> Bundle:
    """What is mild waits for the end of the quiet hours."""
    told = [one for one in notices if one.is_due and not policy.is_quiet(one.alert.severity, records.now)]
    kinds: dict[int, dict[str, None]] = {}
    for one in told:
        kinds.setdefault(one.alert.id, {})[one.notice.kind] = None
    waiting = {
        one.alert.id: Waiting(alert=one.alert, kinds=tuple(kinds[one.alert.id]), channel=one.channel)
        for one in told
    }
    order = sorted(waiting.values(), key=lambda one: (one.alert.severity, one.alert.id))
    return Bundle(user=user, waiting=tuple(order), notices=tuple(one.notice.id for one in told))
