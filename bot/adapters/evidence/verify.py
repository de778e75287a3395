"""Check the evidence log, and the records against it, in one pass that needs little memory; alerts come after it.

Within the database it proves that nothing changed since socmon signed. Whoever holds the signing key could still have
rewritten everything and signed anew: only checkpoints that somebody kept elsewhere prove the contrary.
"""

from array import array
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

from bot.adapters.evidence.alerts import check_alerts
from bot.adapters.evidence.envelope import matches, millis, read_entry, who
from bot.adapters.evidence.note import BadNote, VerifierKey, open_checkpoint
from bot.adapters.evidence.report import Fault, Findings, Report
from bot.adapters.evidence.stored import LogPage, StoredEntry, StoredHead, StoredLog, StoredText
from bot.domain.evidence import ELSEWHERE, Frontier, leaf_hash, timestamp

SIGNED_WITHIN = 10 * 60 * 1000  # milliseconds; socmon signs each minute
OPENINGS = frozenset({"alert.triggered", "alert.reopened"})
RESULTS = {"delivery.unreadable": "unreadable"}  # all others are accepted

Texts: TypeAlias = dict[str, tuple[bytes | None, str | None]]
"""path → (salt, text) of one entry."""
_Note: TypeAlias = tuple[int, str, bytes]
"""(size, "stored" or "kept", the signed note)."""


def verify_log(log: StoredLog, vkey: str, *, now: datetime, kept: Iterable[bytes] = ()) -> Report:
    """Check a whole log, and the alerts and deliveries that it is about.

    `kept` are signed notes that somebody kept outside the database. Raises BadVerifierKey.
    """
    check = _Check(log, VerifierKey.parse(vkey))
    check.read_kept(kept)
    for page in log.pages():
        check.page(page)
    check.end(now)
    check_alerts(log.alerts(), check.opened, check.findings)
    return check.report()


class _Check:
    """The state of one pass: the tree so far, and what was found."""

    def __init__(self, log: StoredLog, key: VerifierKey) -> None:
        self.findings = Findings()
        self.opened = 0  # alerts so far
        self._log = log
        self._key = key
        self._tree = Frontier()
        self._due = 0
        self._last = b""  # the last leaf's hash, which the next leaf has to name
        self._covered = 0
        self._uncovered_since: int | None = None  # milliseconds since 1970
        self._deliveries = 0
        self._texts: deque[StoredText] = deque()
        self._stored: deque[_Note] = deque()
        self._kept: deque[_Note] = deque()
        # Of each body that is gone: when it was received, and where its entry stands. Which retention has forgotten is
        # known at the end.
        self._gone_at, self._gone_seq = array("q"), array("q")
        self._purged_before = 0

    def read_kept(self, notes: Iterable[bytes]) -> None:
        """Take in the valid ones, in order of size."""
        valid = []
        for number, note in enumerate(notes, start=1):
            try:
                valid.append((open_checkpoint(note, self._key).size, "kept", note))
            except BadNote as error:
                self.findings.add(Fault.NOTE, f"kept checkpoint {number} ({error})")
        self._kept.extend(sorted(valid))

    def page(self, page: LogPage) -> None:
        self._texts.extend(page.texts)
        self._stored.extend((size, "stored", note) for size, note in page.notes)
        self._notes()
        for entry in page.entries:
            self._entry(entry)
            self._notes()
        if page.head:
            self._head(page.head)

    def end(self, now: datetime) -> None:
        for seq, path, *_ in self._texts:
            self.findings.add(Fault.STRAY_TEXT, f"entry {seq}, {path!r}")
        for size, origin, note in (*self._stored, *self._kept):
            if self._opens(size, origin, note):
                where = f"{origin} checkpoint at {size}, the log ends at {self._tree.size}"
                self.findings.add(Fault.SHORT, where)
        self._bodies_gone()
        uncovered = f"entries {self._covered} to {self._tree.size - 1}"
        if not self._tree.size:
            self.findings.add(Fault.EMPTY, "the whole log")
        elif not self._covered:
            self.findings.add(Fault.UNCOVERED, uncovered)
        elif (
            self._uncovered_since is not None
            and self._uncovered_since < millis(timestamp(now)) - SIGNED_WITHIN
        ):
            self.findings.add(Fault.UNSIGNED, uncovered)

    def report(self) -> Report:
        figures = {
            "entries": self._tree.size,
            "entries_covered": self._covered,
            "entries_after_the_last_checkpoint": self._tree.size - self._covered,
        }
        return Report(
            vkey=self._key,
            root=b64encode(self._tree.root()).decode(),
            figures=figures | self.findings.figures,
            findings=self.findings.all(),
        )

    def _entry(self, entry: StoredEntry) -> None:
        digest = leaf_hash(entry.leaf)
        if entry.seq != self._due:
            self.findings.add(Fault.MISSING_ENTRY, f"entry {self._due} (entry {entry.seq} stands there)")
        if digest != entry.hash:
            self.findings.add(Fault.HASH, f"entry {entry.seq}")
        try:
            self._content(entry, read_entry(entry.leaf))
        except ValueError as error:
            self.findings.add(Fault.UNREADABLE, f"entry {entry.seq} ({error})")
            self._take_texts(entry.seq, {})
        self._tree.append(digest)
        self._last = digest
        self._due = entry.seq + 1

    def _content(self, entry: StoredEntry, content: dict[str, Any]) -> None:
        """Check what an entry says against where it stands and what stands beside it. Raises ValueError."""
        seq = entry.seq
        at = millis(content["at"])
        if (content["log"], content["seq"]) != (self._key.name, seq):
            self.findings.add(
                Fault.PLACE, f"entry {seq} (it states {content['seq']!r} of {content['log']!r})"
            )
        if content["prev"] != self._last.hex():
            self.findings.add(Fault.CHAIN, f"entry {seq}")
        stated = {
            "alert_id": (entry.alert_id, content["subject"].get("alert")),
            "at": (entry.at, at),
            "type": (entry.type, content["type"]),
            "by": (entry.by, who(content)),
        }
        if wrong := _differing(stated):
            self.findings.add(Fault.COLUMN, f"entry {seq}: {wrong}")
        if content["type"] in OPENINGS:
            self.opened += 1
            self._numbered(seq, "alert", content["subject"].get("alert"), self.opened)
        if content["type"] == "retention.purged":
            self._purged_before = max(self._purged_before, millis(content["facts"].get("before")))
        if self._uncovered_since is None:
            self._uncovered_since = at
        texts = self._take_texts(seq, content["commit"])
        if "raw" in content["commit"]:
            self._delivery(seq, content, texts)

    def _numbered(self, seq: int, what: str, number: object, due: int) -> None:
        if number != due:
            self.findings.add(Fault.NUMBER, f"entry {seq} ({what} {number!r} instead of {due})")

    def _take_texts(self, seq: int, commits: dict[str, str]) -> Texts:
        """Check the texts of one entry, and return them."""
        found: Texts = {}
        while self._texts and self._texts[0][0] <= seq:
            at, path, salt, text = self._texts.popleft()
            if at != seq or path not in commits or path in found:
                self.findings.add(Fault.STRAY_TEXT, f"entry {at}, {path!r}")
            else:
                found[path] = (salt, text)
        for path, committed in sorted(commits.items()):
            salt, text = found.get(path, (None, None))
            if path not in found or (text is None and path not in ELSEWHERE):
                self.findings.add(Fault.MISSING_TEXT, f"entry {seq}, {path!r}")
            elif path not in ELSEWHERE:
                holds = matches(committed, salt, path, text)
                self.findings.check("texts_checked", Fault.TEXT, f"entry {seq}, {path!r}", holds=holds)
        return found

    def _delivery(self, seq: int, content: dict[str, Any], texts: Texts) -> None:
        """Check the row of a delivery, and its body, against the one entry that carries them."""
        number, facts = content["subject"].get("delivery"), content["facts"]
        self._deliveries += 1
        self._numbered(seq, "delivery", number, self._deliveries)
        row = self._log.delivery(number) if number == self._deliveries else None
        if row is None:
            self.findings.add(Fault.DELIVERY_GONE, f"delivery {number!r} of entry {seq}")
            return
        received_at = millis(facts.get("received_at"))
        stated = {
            "provider": (row.provider, facts.get("provider")),
            "verified_by": (row.verified_by, facts.get("verified_by")),
            "received_at": (row.received_at, received_at),
            "result": (row.result, RESULTS.get(content["type"], "accepted")),
            "gap": (row.gap, texts.get("gap", (None, ""))[1]),
        }
        wrong = _differing(stated)
        where = f"delivery {number}: {wrong}"
        self.findings.check("deliveries_checked", Fault.DELIVERY, where, holds=not wrong)
        if "raw" not in texts:  # which was found already
            return
        if matches(content["commit"]["raw"], texts["raw"][0], "raw", sha256(row.body).hexdigest()):
            self.findings.figures["bodies_checked"] += 1
        elif row.body:
            self.findings.add(Fault.BODY, f"entry {seq}")
        else:
            self._gone_at.append(received_at)
            self._gone_seq.append(seq)

    def _bodies_gone(self) -> None:
        """Retention says in the log how far it went; a body that is gone beyond that was not forgotten by socmon."""
        for received_at, seq in zip(self._gone_at, self._gone_seq, strict=True):
            if received_at <= self._purged_before:
                self.findings.figures["bodies_not_kept"] += 1
                self.findings.add(Fault.BODY_FORGOTTEN, f"entry {seq}")
            else:
                self.findings.add(Fault.BODY_GONE, f"entry {seq}")

    def _head(self, head: StoredHead) -> None:
        stated = {
            "log": (head.log, self._key.name),
            "size": (head.size, self._tree.size),
            "last_hash": (head.last_hash, self._last),
            "frontier": (head.frontier, self._tree.to_bytes()),
            "alerts": (head.alerts, self.opened),
            "deliveries": (head.deliveries, self._deliveries),
            "sealed": (head.signed, head.newest),
        }
        if wrong := _differing(stated):
            self.findings.add(Fault.HEAD, wrong)
        for number in head.strays:
            self.findings.add(Fault.DELIVERY_UNKNOWN, f"delivery {number}")

    def _notes(self) -> None:
        """Check the checkpoints at the tree's present size."""
        for notes in (self._stored, self._kept):
            while notes and notes[0][0] <= self._tree.size:
                self._note(*notes.popleft())

    def _note(self, size: int, origin: str, note: bytes) -> None:
        root = self._opens(size, origin, note)
        if root is None:
            return
        if size != self._tree.size:  # it came after a larger one
            self.findings.add(Fault.NOTE_PLACE, f"{origin} checkpoint at {size}, out of order")
        elif root != self._tree.root():
            self.findings.add(Fault.ROOT, f"{origin} checkpoint at {size}")
        else:
            self._covered, self._uncovered_since = size, None
            self.findings.figures["checkpoints_valid"] += 1
            self.findings.figures["checkpoints_kept_elsewhere"] += origin == "kept"

    def _opens(self, size: int, origin: str, note: bytes) -> bytes | None:
        """The root that a valid checkpoint of this size states, None for any other."""
        try:
            checkpoint = open_checkpoint(note, self._key)
        except BadNote as error:
            self.findings.add(Fault.NOTE, f"{origin} checkpoint at {size} ({error})")
            return None
        if checkpoint.size != size:
            self.findings.add(Fault.NOTE_PLACE, f"{origin} checkpoint at {size}, it states {checkpoint.size}")
            return None
        return checkpoint.root


def _differing(stated: Mapping[str, tuple[object, object]]) -> str:
    """The names of what a row and the log state differently, of name → (the row's, the log's)."""
    return ", ".join(name for name, (stored, told) in stated.items() if stored != told)
