"""The verifier: a whole log passes, and every way to tamper with one is found out.

Who tampers can be of three kinds. One edits the rows of the database, carelessly or with all hashes made to fit: the
signed checkpoints in the database give that away. One also removes checkpoints, or holds the signing key and signs a
new history: only a checkpoint kept elsewhere gives that away, and the tests below say so.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.evidence.keys import LogKey
from bot.adapters.evidence.note import BadVerifierKey, sign_checkpoint
from bot.adapters.evidence.report import MOST_LETTERS, MOST_PLACES, Fault, Report
from bot.adapters.evidence.stored import (
    AlertPage,
    LogPage,
    StoredDelivery,
    StoredEntry,
    StoredHead,
    StoredNote,
    StoredText,
)
from bot.adapters.evidence.verify import verify_log
from bot.domain.evidence import (
    ELSEWHERE,
    Actor,
    Entry,
    Frontier,
    canonical,
    commitment,
    envelope,
    leaf_hash,
    timestamp,
    tree_root,
)

ORIGIN = "socmon.example.com/test"
KEY = LogKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER_KEY = LogKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
START = datetime(2026, 11, 24, tzinfo=UTC)
SIZE = 12
SEALED = (3, 7, 11)  # one entry stands after the last checkpoint
NOW = START + timedelta(minutes=15)


def _entry(number: int) -> Entry:
    """Every fourth is a delivery with its body, the others are notes."""
    if number % 4 == 0:
        return Entry(
            type="delivery.received",
            actor=Actor(kind="provider", user="datadog"),
            subject={"delivery": number // 4 + 1},
            facts={"provider": "datadog", "verified_by": "secret", "received_at": timestamp(_at(number))},
            private={"raw": sha256(_body(number)).hexdigest(), "gap": f"Field {number} is unknown"},
        )
    return Entry(
        type="alert.noted",
        actor=Actor(kind="slack", team="T1", user="U1", role="responders"),
        subject={"alert": number},
        facts={"version": number},
        private={"note": f"Note {number}"},
    )


def _body(number: int) -> bytes:
    return f'{{"load": {number}}}'.encode()


def _at(number: int) -> datetime:
    return START + timedelta(minutes=number)


@dataclass(frozen=True)
class Log:
    """A log's rows as the database hands them out; `bot.adapters.evidence.stored.StoredLog`."""

    leaves: list[StoredEntry] = field(default_factory=list)
    texts: list[StoredText] = field(default_factory=list)
    notes: list[StoredNote] = field(default_factory=list)
    bodies: dict[int, bytes] = field(default_factory=dict)  # by the number of the delivery
    head: StoredHead | None = None

    def check(self, *, kept: tuple[bytes, ...] = (), now: datetime = NOW) -> Report:
        return verify_log(self, KEY.vkey, now=now, kept=kept)

    def faults(self, *, kept: tuple[bytes, ...] = ()) -> set[Fault]:
        return {finding.fault for finding in self.check(kept=kept).findings}

    def pages(self) -> Iterator[LogPage]:
        yield LogPage(entries=self.leaves, texts=self.texts, notes=self.notes, head=self.head)

    def delivery(self, number: int) -> StoredDelivery | None:
        if number not in self.bodies:
            return None
        entry = (number - 1) * 4
        return StoredDelivery(
            provider="datadog",
            received_at=_millis(_at(entry)),
            verified_by="secret",
            result="accepted",
            gap=f"Field {entry} is unknown",
            body=self.bodies[number],
        )

    def alerts(self) -> Iterator[AlertPage]:
        return iter(())


def _millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _write(entries: list[Entry], *, sealed: tuple[int, ...] = SEALED, **changes: Any) -> Log:
    """The log of these entries, written by all the rules, and signed."""
    log, prev = Log(), b""
    for seq, entry in enumerate(entries):
        salts = {path: sha256(f"{seq} {path}".encode()).digest()[:16] for path in entry.private}
        fields: dict[str, Any] = {
            "log": ORIGIN,
            "seq": seq,
            "id": f"{seq:016x}",
            "at": _at(seq),
            "mono_boot": "boot",
            "mono_ns": seq,
            "node": "test",
            "prev": prev,
            "commits": {path: commitment(salts[path], path, text) for path, text in entry.private.items()},
            "code": "socmon test",
        }
        leaf = canonical(envelope(entry, **fields | changes))
        prev = leaf_hash(leaf)
        log.leaves.append(_row(seq, leaf, entry))
        for path, text in sorted(entry.private.items()):
            log.texts.append((seq, path, salts[path], None if path in ELSEWHERE else text))
            if path == "raw":
                log.bodies[len(log.bodies) + 1] = _body(4 * len(log.bodies))
    log.notes.extend(_sign(log, size) for size in sealed)
    return log


def _row(seq: int, leaf: bytes, entry: Entry) -> StoredEntry:
    alert = entry.subject.get("alert")
    return StoredEntry(
        seq=seq,
        leaf=leaf,
        hash=leaf_hash(leaf),
        alert_id=alert if isinstance(alert, int) else None,
        at=_millis(_at(seq)),
        type=entry.type,
        by=entry.actor.user or "socmon",
    )


def _sign(log: Log, size: int, key: LogKey = KEY) -> StoredNote:
    return size, sign_checkpoint(key.name, size, tree_root(row.hash for row in log.leaves[:size]), key)


ENTRIES = [_entry(number) for number in range(SIZE)]
LOG = _write(ENTRIES)
FORGED = Entry(type="alert.noted", actor=Actor(kind="system"), subject={"alert": 1}, facts={"forged": True})

positions = st.integers(0, SIZE - 1)


# What is right


def test_a_whole_log_is_ok() -> None:
    report = LOG.check(kept=(LOG.notes[1][1],))

    assert report.findings == ()
    assert (report.exit_code, report.verdict) == (0, "ok")
    assert report.figures == {
        "entries": 12,
        "entries_covered": 11,
        "entries_after_the_last_checkpoint": 1,
        "checkpoints_valid": 4,
        "checkpoints_kept_elsewhere": 1,
        "texts_checked": 12,
        "deliveries_checked": 3,
        "bodies_checked": 3,
        "bodies_not_kept": 0,
        "alerts_checked": 0,
    }


@given(st.integers(1, SIZE), st.data())
def test_every_log_with_any_checkpoints_is_ok(size: int, data: st.DataObject) -> None:
    sealed = data.draw(st.sets(st.integers(0, size), min_size=1).filter(lambda sizes: max(sizes) > 0))

    report = _write(ENTRIES[:size], sealed=tuple(sorted(sealed))).check(now=START)

    assert (report.exit_code, report.figures["checkpoints_valid"]) == (0, len(sealed))


def test_a_log_is_read_once_and_never_held_whole() -> None:
    """Memory does not grow with the log: when a page is fetched, all before it are done with."""
    done: list[int] = []

    class InPages(Log):
        def pages(self) -> Iterator[LogPage]:
            for row in LOG.leaves:
                done.append(row.seq)
                texts = [text for text in LOG.texts if text[0] == row.seq]
                notes = [note for note in LOG.notes if note[0] == row.seq + 1]
                yield LogPage(entries=[row], texts=texts, notes=notes)

        def delivery(self, number: int) -> StoredDelivery | None:
            assert done[-1] == (number - 1) * 4
            return LOG.delivery(number)

    report = InPages().check()

    assert report.exit_code == 0
    assert done == list(range(SIZE))


# What is less complete, and says so

PURGED = Entry(
    type="retention.purged",
    actor=Actor(kind="system"),
    subject={},
    facts={"before": timestamp(_at(6)), "number": 2},
)


def test_bodies_that_retention_has_forgotten_are_listed() -> None:
    """The log says how far retention went, so it is an exception and no fault."""
    log = _write([*ENTRIES, PURGED])

    report = replace(log, bodies=log.bodies | {1: b"", 2: b""}).check()

    assert report.exit_code == 3
    assert [(one.fault, one.where) for one in report.findings] == [
        (Fault.BODY_FORGOTTEN, ("entry 0", "entry 4"))
    ]
    assert (report.figures["bodies_checked"], report.figures["bodies_not_kept"]) == (1, 2)


@pytest.mark.parametrize("purged", [True, False])
def test_a_body_that_nothing_in_the_log_explains_is_a_fault(purged: bool) -> None:  # noqa: FBT001
    """Emptied by hand: without any retention, or beyond where it went."""
    log = _write([*ENTRIES, PURGED] if purged else ENTRIES)

    assert replace(log, bodies=log.bodies | {3: b""}).faults() == {Fault.BODY_GONE}


def test_a_body_that_was_always_empty_is_not_gone() -> None:
    """Somebody sent an empty request, and that is what is kept."""
    nothing = replace(_entry(0), private={"raw": sha256(b"").hexdigest(), "gap": "Field 0 is unknown"})
    log = _write([nothing, *ENTRIES[1:]])

    report = replace(log, bodies=log.bodies | {1: b""}).check()

    assert (report.exit_code, report.figures["bodies_checked"]) == (0, 3)


def test_a_deleted_delivery_is_never_explained_by_retention() -> None:
    """Retention empties bodies; it deletes no rows."""
    log = _write([*ENTRIES, PURGED])
    left = {number: body for number, body in log.bodies.items() if number != 1}

    assert replace(log, bodies=left).faults() == {Fault.DELIVERY_GONE}


# What proves nothing


@pytest.mark.parametrize("sealed", [(), (0,)])
def test_an_empty_log_is_never_ok(sealed: tuple[int, ...]) -> None:
    report = _write([], sealed=sealed).check()

    assert report.exit_code == 1
    assert Fault.EMPTY in {finding.fault for finding in report.findings}


@pytest.mark.parametrize("sealed", [(), (0,)])
def test_a_log_that_nothing_vouches_for_is_not_ok(sealed: tuple[int, ...]) -> None:
    (finding,) = _write(ENTRIES, sealed=sealed).check().findings

    assert (finding.fault, finding.where) == (Fault.UNCOVERED, ("entries 0 to 11",))


def test_another_key_vouches_for_nothing() -> None:
    notes = [_sign(LOG, size, OTHER_KEY) for size in SEALED]

    assert replace(LOG, notes=notes).faults() == {Fault.NOTE, Fault.UNCOVERED}


def test_a_mistyped_public_key_is_an_error_and_no_finding() -> None:
    with pytest.raises(BadVerifierKey):
        verify_log(LOG, KEY.vkey.replace("test", "tset"), now=NOW)


def test_entries_that_nobody_has_signed_for_long_are_a_fault() -> None:
    """The newest ones wait for their checkpoint; after ten minutes it was removed, or socmon is in trouble."""
    soon, late = (LOG.check(now=_at(SIZE - 1) + timedelta(minutes=after)) for after in (9, 11))

    assert soon.exit_code == 0
    assert [(one.fault, one.where) for one in late.findings] == [(Fault.UNSIGNED, ("entries 11 to 11",))]


def test_checkpoints_that_were_removed_are_missed() -> None:
    """All but the first."""
    assert replace(LOG, notes=LOG.notes[:1]).faults() == {Fault.UNSIGNED}


# Rows edited in place, nothing else made to fit


@given(positions, st.data())
def test_an_edited_entry_is_found(seq: int, data: st.DataObject) -> None:
    """Not one byte of one entry can be changed."""
    leaf = bytearray(LOG.leaves[seq].leaf)
    leaf[data.draw(st.integers(0, len(leaf) - 1))] ^= data.draw(st.integers(1, 255))
    edited = _replaced(LOG.leaves, seq, replace(LOG.leaves[seq], leaf=bytes(leaf)))

    assert Fault.HASH in replace(LOG, leaves=edited).faults()


@given(positions, st.binary(max_size=40).filter(lambda stored: stored != LOG.leaves[0].hash))
def test_an_edited_hash_is_found(seq: int, stored: bytes) -> None:
    edited = _replaced(LOG.leaves, seq, replace(LOG.leaves[seq], hash=stored))

    assert replace(LOG, leaves=edited).faults() == {Fault.HASH}


@given(
    positions,
    st.sampled_from(
        [("by", "U1EVIL"), ("type", "alert.resolved"), ("at", 0), ("alert_id", 99), ("alert_id", None)]
    ),
)
def test_an_edited_column_is_found(seq: int, edit: tuple[str, Any]) -> None:
    """Who, when, what and about which alert: what the timeline shows is what the entry says."""
    column, value = edit
    row = LOG.leaves[seq]
    edited = _replaced(LOG.leaves, seq, replace(row, **{column: value}))
    findings = replace(LOG, leaves=edited).check().findings

    if getattr(row, column) == value:
        assert findings == ()
    else:
        assert [(one.fault, one.where) for one in findings] == [(Fault.COLUMN, (f"entry {seq}: {column}",))]


TREE = Frontier()
TREE.append_many(row.hash for row in LOG.leaves)
HEAD = StoredHead(
    log=ORIGIN,
    size=SIZE,
    last_hash=LOG.leaves[-1].hash,
    frontier=TREE.to_bytes(),
    alerts=0,
    deliveries=3,
    signed=SEALED[-1],
    newest=SEALED[-1],
)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"size": SIZE - 1},
        {"last_hash": bytes(32)},
        {"frontier": Frontier().to_bytes()},
        {"alerts": 1},
        {"deliveries": 2},
        {"log": "elsewhere.example/log"},
    ],
    ids=lambda change: next(iter(change), "none"),
)
def test_an_edited_head_is_found(change: dict[str, Any]) -> None:
    """The next entry and the next signature would go on from it."""
    findings = replace(LOG, head=replace(HEAD, **change)).check().findings

    assert [(one.fault, one.where) for one in findings] == [(Fault.HEAD, (name,)) for name in change]


def test_a_removed_checkpoint_is_missed_at_once() -> None:
    """The signer remembers up to where it signed."""
    findings = replace(LOG, notes=LOG.notes[:-1], head=replace(HEAD, newest=SEALED[-2])).check().findings

    assert [(one.fault, one.where) for one in findings] == [(Fault.HEAD, ("sealed",))]


def test_a_deleted_newest_entry_is_found_before_any_checkpoint_covers_it() -> None:
    """The head remembers it."""
    cut = replace(LOG, leaves=LOG.leaves[:-1], texts=LOG.texts[:-1], head=HEAD)

    assert cut.faults() == {Fault.HEAD}


def test_a_delivery_with_a_number_of_its_own_is_found() -> None:
    assert replace(LOG, head=replace(HEAD, strays=[7])).faults() == {Fault.DELIVERY_UNKNOWN}


def test_an_entry_that_skips_a_number_is_found() -> None:
    """Signed or not: a delivery, or an alert, would be without its entry."""
    skips = replace(_entry(4), subject={"delivery": 3})
    opens = Entry(type="alert.triggered", actor=Actor(kind="system"), subject={"alert": 2})

    assert Fault.NUMBER in _write([*ENTRIES[:4], skips, *ENTRIES[5:]]).faults()
    assert Fault.NUMBER in _write([*ENTRIES, opens]).faults()


@given(st.integers(0, SIZE - 2))
def test_a_deleted_row_is_found(seq: int) -> None:
    faults = replace(LOG, leaves=_without(LOG.leaves, seq)).faults()

    assert {Fault.MISSING_ENTRY, Fault.CHAIN} <= faults


def test_a_deleted_last_row_is_found_once_a_checkpoint_covers_it() -> None:
    """Who also edits the head has the last minute before a checkpoint to let the newest entry vanish unseen."""
    sealed = _write(ENTRIES, sealed=(3, SIZE))
    unsealed = LOG

    assert Fault.SHORT in replace(sealed, leaves=sealed.leaves[:-1]).faults()
    cut = replace(unsealed, leaves=unsealed.leaves[:-1], texts=unsealed.texts[:-1])
    assert cut.faults() == set()
    assert Fault.SHORT in cut.faults(kept=(_sign(LOG, SIZE)[1],))


@given(positions, st.integers(0, SIZE))
def test_an_inserted_row_is_found(source: int, place: int) -> None:
    leaves = [*LOG.leaves[:place], LOG.leaves[source], *LOG.leaves[place:]]

    assert Fault.MISSING_ENTRY in replace(LOG, leaves=leaves).faults()


@given(positions, positions.filter(bool))
def test_swapped_contents_are_found(first: int, distance: int) -> None:
    """Two rows that change places and keep their numbers."""
    second = (first + distance) % SIZE
    leaves = list(LOG.leaves)
    leaves[first], leaves[second] = (
        replace(LOG.leaves[second], seq=first),
        replace(LOG.leaves[first], seq=second),
    )

    assert {Fault.PLACE, Fault.CHAIN} <= replace(LOG, leaves=leaves).faults()


# Texts and bodies


@given(st.integers(0, len(LOG.texts) - 1), st.data())
def test_an_edited_text_salt_or_body_is_found(row: int, data: st.DataObject) -> None:
    seq, path, salt, text = LOG.texts[row]
    change = data.draw(st.sampled_from(["salt", "no salt", "path", "text"]))
    log = LOG
    if change == "salt":
        other = data.draw(st.binary(max_size=20).filter(lambda other: other != salt))
        log = replace(log, texts=_replaced(log.texts, row, (seq, path, other, text)))
    elif change == "no salt":
        log = replace(log, texts=_replaced(log.texts, row, (seq, path, None, text)))
    elif change == "path":
        log = replace(log, texts=_replaced(log.texts, row, (seq, "elsewhere", salt, text)))
    elif path == "raw":
        log = replace(log, bodies=log.bodies | {seq // 4 + 1: data.draw(st.binary(max_size=9))})
    else:
        other_text = data.draw(st.text().filter(lambda other: other != text))
        log = replace(log, texts=_replaced(log.texts, row, (seq, path, salt, other_text)))

    assert log.faults() & {Fault.STRAY_TEXT, Fault.TEXT, Fault.BODY, Fault.BODY_GONE}
    assert log.check().exit_code == 1


@given(st.integers(0, len(LOG.texts) - 1))
def test_a_deleted_text_is_found(row: int) -> None:
    assert Fault.MISSING_TEXT in replace(LOG, texts=_without(LOG.texts, row)).faults()


@given(
    st.integers(0, len(LOG.texts) - 1).filter(lambda row: LOG.texts[row][1] not in ELSEWHERE), st.booleans()
)
def test_an_emptied_text_is_found(row: int, salt_too: bool) -> None:  # noqa: FBT001
    """No entry says that it was redacted, so nobody may have emptied it."""
    seq, path, salt, _ = LOG.texts[row]
    emptied = _replaced(LOG.texts, row, (seq, path, b"" if salt_too else salt, None))

    assert Fault.MISSING_TEXT in replace(LOG, texts=emptied).faults()


@given(st.integers(-1, SIZE + 1), st.sampled_from(["note", "raw", "elsewhere"]))
def test_a_text_that_no_entry_commits_to_is_found(seq: int, path: str) -> None:
    texts = sorted([*LOG.texts, (seq, path, bytes(16), "planted")], key=lambda row: row[0])

    assert Fault.STRAY_TEXT in replace(LOG, texts=texts).faults()


def test_a_stored_digest_does_not_stand_in_for_the_body() -> None:
    """The text column of a body's row is not asked: the body itself is."""
    row = next(place for place, text in enumerate(LOG.texts) if text[1] == "raw")
    seq, path, salt, _ = LOG.texts[row]
    texts = _replaced(LOG.texts, row, (seq, path, salt, sha256(LOG.bodies[1]).hexdigest()))

    assert replace(LOG, texts=texts, bodies=LOG.bodies | {1: b"another"}).faults() == {Fault.BODY}


# Checkpoints


@given(st.integers(0, len(SEALED) - 1), st.data())
def test_an_edited_checkpoint_is_found(number: int, data: st.DataObject) -> None:
    size, note = LOG.notes[number]
    edited = bytearray(note)
    edited[data.draw(st.integers(0, len(note) - 1))] ^= data.draw(st.integers(1, 255))

    assert Fault.NOTE in replace(LOG, notes=_replaced(LOG.notes, number, (size, bytes(edited)))).faults()


def test_a_checkpoint_in_another_s_place_is_found() -> None:
    notes = [(3, LOG.notes[1][1]), *LOG.notes[1:]]

    assert replace(LOG, notes=notes).faults() == {Fault.NOTE_PLACE}


def test_checkpoints_out_of_order_are_not_passed_over() -> None:
    assert Fault.NOTE_PLACE in replace(LOG, notes=[LOG.notes[2], LOG.notes[0]]).faults()


def test_a_checkpoint_of_another_log_is_found() -> None:
    """Also when the same key signs for both."""
    other = LogKey("socmon.example.com/other", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    notes = [*LOG.notes, (SIZE, _sign(LOG, SIZE, other)[1])]

    assert replace(LOG, notes=notes).faults() == {Fault.NOTE}


def test_a_kept_file_that_is_no_checkpoint_is_named() -> None:
    report = LOG.check(kept=(LOG.notes[0][1], b"holiday.jpg"))

    assert [(one.fault, one.where[0][:17]) for one in report.findings] == [(Fault.NOTE, "kept checkpoint 2")]


def test_an_older_backup_is_found() -> None:
    """A restored database lacks what a checkpoint outside has seen."""
    backup = _write(ENTRIES[:7], sealed=(3, 7))

    assert backup.faults() == set()
    assert backup.faults(kept=(LOG.notes[2][1],)) == {Fault.SHORT}


def test_a_restored_log_that_grew_again_is_found() -> None:
    """A fork: after an old backup was restored, other entries took the place of the lost ones."""
    fork = _write([*ENTRIES[:7], *[FORGED] * 9], sealed=(3, 7, 16))

    assert fork.faults() == set()
    assert fork.faults(kept=(LOG.notes[2][1],)) == {Fault.ROOT}


# Everything made to fit; notes only, so that no number of a delivery gives it away

NOTES = [_entry(4 * number + 1) for number in range(SIZE)]
NOTES_LOG = _write(NOTES)


def _edit(entries: list[Entry], place: int) -> list[Entry]:
    return [*entries[:place], FORGED, *entries[place + 1 :]]


def _delete(entries: list[Entry], place: int) -> list[Entry]:
    return _without(entries, place)


def _insert(entries: list[Entry], place: int) -> list[Entry]:
    return [*entries[:place], FORGED, *entries[place:]]


def _swap(entries: list[Entry], place: int) -> list[Entry]:
    other = max(0, place - 1) if place else 1
    swapped = list(entries)
    swapped[place], swapped[other] = entries[other], entries[place]
    return swapped


def _truncate(entries: list[Entry], place: int) -> list[Entry]:
    return entries[:place]


Tamper = Callable[[list[Entry], int], list[Entry]]
TAMPERS = pytest.mark.parametrize("tamper", [_edit, _delete, _insert, _swap, _truncate])
covered = st.integers(0, SEALED[-1] - 1)


@TAMPERS
@given(covered)
def test_a_rewritten_log_contradicts_its_checkpoints(tamper: Tamper, place: int) -> None:
    """All hashes, numbers and commitments fit; the signatures of before do not."""
    rewritten = replace(_write(tamper(NOTES, place)), notes=NOTES_LOG.notes)

    assert rewritten.faults() & {Fault.ROOT, Fault.SHORT}
    assert not rewritten.faults() & {Fault.HASH, Fault.CHAIN, Fault.PLACE}
    assert rewritten.check().exit_code == 1


@TAMPERS
@given(covered)
def test_who_also_removes_checkpoints_needs_a_copy_outside_to_be_found(tamper: Tamper, place: int) -> None:
    """NEEDS AN OUTSIDE COPY. From inside it looks like a log whose last checkpoint is old."""
    before = tuple(note for note in NOTES_LOG.notes if note[0] <= max(0, place - 1))
    rewritten = replace(_write(tamper(NOTES, place)), notes=list(before))

    assert rewritten.faults() <= {Fault.UNCOVERED, Fault.UNSIGNED, Fault.EMPTY}
    assert rewritten.faults(kept=(NOTES_LOG.notes[-1][1],)) & {Fault.ROOT, Fault.SHORT}


@TAMPERS
@given(covered)
def test_who_holds_the_key_needs_a_copy_outside_to_be_found(tamper: Tamper, place: int) -> None:
    """NEEDS AN OUTSIDE COPY. Whoever can sign can sign another history: all of it is consistent."""
    entries = tamper(NOTES, place) or [FORGED]
    forged = _write(entries, sealed=(len(entries),))

    assert forged.faults() == set()
    assert forged.faults(kept=(NOTES_LOG.notes[-1][1],)) & {Fault.ROOT, Fault.SHORT}


def test_a_backdated_entry_that_is_appended_late_is_not_found_by_any_checkpoint() -> None:
    """What a checkpoint cannot show: when it was made. That takes anchors with a time (RFC 3161, Slack, mail)."""
    late = _write([*NOTES, FORGED], sealed=(SIZE + 1,))

    assert late.faults(kept=tuple(note for _, note in NOTES_LOG.notes)) == set()


def test_one_outside_copy_covers_all_before_it_and_nothing_after() -> None:
    kept = (NOTES_LOG.notes[1][1],)
    size = NOTES_LOG.notes[1][0]

    for place in range(size):
        assert _write(_edit(NOTES, place)).faults(kept=kept) == {Fault.ROOT}
    for place in range(size, SIZE):
        assert _write(_edit(NOTES, place)).faults(kept=kept) == set()


# Entries that are signed, and still wrong


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        pytest.param({"log": "elsewhere.example/log"}, Fault.PLACE, id="another log's name"),
        pytest.param({"seq": 5}, Fault.PLACE, id="another number"),
        pytest.param({"prev": bytes(32)}, Fault.CHAIN, id="another predecessor"),
    ],
)
def test_a_writer_that_breaks_the_rules_is_found(changes: dict[str, Any], fault: Fault) -> None:
    assert _write(ENTRIES, **changes).faults() == {fault}


GOOD = {
    "v": 1,
    "type": "alert.noted",
    "log": ORIGIN,
    "seq": 0,
    "at": timestamp(START),
    "actor": {},
    "subject": {},
    "prev": "",
    "commit": {},
}


def _alone(leaf: bytes) -> StoredEntry:
    return _row(0, leaf, Entry(type="alert.noted", actor=Actor(kind="system"), subject={}))


@pytest.mark.parametrize(
    ("leaf", "says"),
    [
        pytest.param(b"", "Expecting value", id="empty"),
        pytest.param(b"\xff\xfe", "can't decode", id="not UTF-8"),
        pytest.param(json.dumps(GOOD).encode("utf-16"), "can't decode", id="UTF-16"),
        pytest.param(b"[]", "not an envelope", id="no object"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(
            canonical({k: v for k, v in GOOD.items() if k != "prev"}), "not an envelope", id="no prev"
        ),
        pytest.param(canonical(GOOD | {"v": 2}), "version 2", id="a later version"),
        pytest.param(canonical(GOOD | {"subject": []}), "not an envelope", id="subject"),
        pytest.param(canonical(GOOD | {"commit": []}), "not an envelope", id="commit"),
        pytest.param(canonical(GOOD | {"actor": "U1"}), "not an envelope", id="actor"),
        pytest.param(canonical(GOOD | {"facts": []}), "not an envelope", id="facts"),
        pytest.param(canonical(GOOD | {"type": []}), "not an envelope", id="type"),
        pytest.param(canonical(GOOD | {"at": "noon"}), "noon", id="no time"),
        pytest.param(canonical(GOOD | {"at": "2026-11-24T00:00:00"}), "is no time", id="no time zone"),
        pytest.param(canonical(GOOD | {"at": 7}), "is no time", id="a number for a time"),
        pytest.param(canonical(GOOD).replace(b'"seq":0', b'"seq":0,"seq":0'), "stands twice", id="key twice"),
        pytest.param(canonical(GOOD).replace(b'"seq":0', b'"seq":NaN'), "NaN is no JSON", id="NaN"),
        pytest.param(
            canonical(GOOD).replace(b'"seq":0', b'"seq":' + b"9" * 5000), "limit", id="endless number"
        ),
    ],
)
def test_an_entry_that_two_readers_could_read_differently_is_refused(leaf: bytes, says: str) -> None:
    """Even when it is signed."""
    log = Log(leaves=[_alone(leaf)])

    report = replace(log, notes=[_sign(log, 1)]).check()

    assert [(one.fault, says in one.where[0]) for one in report.findings] == [(Fault.UNREADABLE, True)]


def test_commitments_that_are_no_text_match_nothing() -> None:
    leaf = canonical(GOOD | {"commit": {"note": None}})
    log = Log(leaves=[_alone(leaf)], texts=[(0, "note", bytes(16), "x")])

    assert replace(log, notes=[_sign(log, 1)]).faults() == {Fault.TEXT}


def test_a_text_without_canonical_form_matches_nothing() -> None:
    texts = [(*row[:3], "\ud800") if row[:2] == (1, "note") else row for row in LOG.texts]

    assert replace(LOG, texts=texts).faults() == {Fault.TEXT}


# The report


def test_the_report_says_what_where_and_what_it_means() -> None:
    row = next(place for place, text in enumerate(LOG.texts) if text[1] == "note")
    text = replace(LOG, texts=_without(LOG.texts, row)).check().to_text()

    assert text.startswith(f"{ORIGIN}: wrong\n")
    assert (
        "WRONG: A text is gone without a trace. (1)\n  Where: entry 1, 'note'\n  It means: It was deleted"
        in text
    )
    assert "entries: 12\n" in text
    assert f"checked with: {KEY.vkey}" in text
    assert "Not compared, since the log does not carry it: alert.occurrence, alert.value" in text


def test_the_report_says_what_a_check_from_inside_cannot_show() -> None:
    says = "No checkpoint from outside was given"

    assert says in LOG.check().to_text()
    assert says not in LOG.check(kept=(LOG.notes[0][1],)).to_text()


def test_the_report_is_readable_by_machines() -> None:
    log = _write([*ENTRIES, PURGED])
    report = json.loads(replace(log, bodies=log.bodies | {1: b""}).check().to_json())

    assert report["verdict"] == "ok, with exceptions"
    assert (report["exit_code"], report["log"], report["vkey"]) == (3, ORIGIN, KEY.vkey)
    assert report["figures"]["bodies_not_kept"] == 1
    assert "delivery.delivery_id" in report["not_compared"]
    assert report["findings"] == [
        {
            "kind": "body_forgotten",
            "wrong": False,
            "what": Fault.BODY_FORGOTTEN.what,
            "means": Fault.BODY_FORGOTTEN.means,
            "count": 1,
            "where": ["entry 0"],
        }
    ]


def test_a_long_list_is_cut_and_counted() -> None:
    """A wrong root shows at every later checkpoint; the report stays readable."""
    entries = [_entry(1)] * 50
    log = _write(entries, sealed=tuple(range(1, 51)))

    report = replace(_write(_edit(entries, 0), sealed=()), notes=log.notes).check()

    finding = next(one for one in report.findings if one.fault is Fault.ROOT)
    assert (finding.count, len(finding.where)) == (50, MOST_PLACES)
    assert f"stored checkpoint at {MOST_PLACES} and {50 - MOST_PLACES} more" in report.to_text()


def test_a_planted_name_cannot_play_with_the_reader_s_terminal() -> None:
    """Control characters are shown as such, and endless names are cut."""
    texts = [*LOG.texts, (SIZE, "\x1b[2Jok", bytes(16), "x"), (SIZE, "y" * 9999, bytes(16), "x")]

    report = replace(LOG, texts=texts).check()

    assert "\x1b" not in report.to_text() + report.to_json()
    assert max(len(where) for where in report.findings[0].where) == MOST_LETTERS


def test_every_fault_can_be_told_from_every_other() -> None:
    assert len({fault.what for fault in Fault}) == len(Fault)
    assert [fault for fault in Fault if not fault.wrong] == [Fault.BODY_FORGOTTEN]


def _without(items: list[Any], place: int) -> list[Any]:
    return items[:place] + items[place + 1 :]


def _replaced(items: list[Any], place: int, item: Any) -> list[Any]:
    return [*items[:place], item, *items[place + 1 :]]
