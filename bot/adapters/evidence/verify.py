"""Check the evidence log: every entry, every text, every signed checkpoint, in one pass that needs little memory.

Within the database it proves that nothing changed since socmon signed. Whoever holds the signing key could still have
rewritten everything and signed anew: only checkpoints that somebody kept elsewhere prove the contrary.
"""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from typing import Any, Generic, TypeAlias, TypeVar

from bot.adapters.evidence.note import BadNote, VerifierKey, open_checkpoint
from bot.adapters.evidence.report import MOST_LETTERS, MOST_PLACES, Fault, Finding, Report
from bot.domain.evidence import VERSION, Frontier, NotCanonical, commitment, leaf_hash

T = TypeVar("T")
Leaf: TypeAlias = tuple[int, bytes, bytes]
"""(seq, the bytes, the leaf hash stored beside them)."""
Disclosure: TypeAlias = tuple[int, str, bytes | None, str | None]
"""(seq, path, salt, text); no text means that it was redacted, or, at path "raw", that it lies in the delivery."""
Note: TypeAlias = tuple[int, bytes]
"""(size, the signed note)."""
RawDigest: TypeAlias = Callable[[int], str | None]
"""seq → the lower-case hex SHA-256 of the body of the delivery which that entry records; None when it is not kept."""

RAW = "raw"
FIELDS = frozenset({"v", "log", "seq", "subject", "prev", "commit"})


def verify_log(
    leaves: Iterable[Leaf],
    disclosures: Iterable[Disclosure],
    checkpoints: Iterable[Note],
    vkey: str,
    *,
    raw_digest: RawDigest | None = None,
    kept: Iterable[bytes] = (),
) -> Report:
    """Check a whole log. Leaves and disclosures come in order of seq, checkpoints in order of size.

    `kept` are signed notes that somebody kept outside the database. Raises BadVerifierKey.
    """
    check = _Check(VerifierKey.parse(vkey), raw_digest)
    outside = check.read_kept(kept)
    inside = ((size, "stored", note) for size, note in checkpoints)
    notes = _Ahead(merge(inside, outside, key=lambda one: one[0]))
    texts = _Ahead(disclosures)
    check.notes(notes)
    for seq, leaf, stored in leaves:
        check.leaf(seq, leaf, stored, texts)
        check.notes(notes)
    check.end(notes, texts)
    return check.report()


class _Ahead(Generic[T]):
    """A stream that hands out items as long as they are due, and keeps the first that is not."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self._next = next(self._items, None)

    def take(self, due: Callable[[T], bool]) -> Iterator[T]:
        while (item := self._next) is not None and due(item):
            self._next = next(self._items, None)
            yield item


_KeptNote: TypeAlias = tuple[int, str, bytes]
"""(size, "stored" or "kept", the signed note)."""


class _Check:
    """The state of one pass: the tree so far, and what was found."""

    def __init__(self, key: VerifierKey, raw_digest: RawDigest | None) -> None:
        self._key = key
        self._raw_digest = raw_digest
        self._tree = Frontier()
        self._due = 0
        self._last = ""  # the last leaf's hash in hex, which the next leaf has to name
        self._covered = 0
        self._figures: Counter[str] = Counter()
        self._found: Counter[Fault] = Counter()
        self._places: dict[Fault, list[str]] = {}

    def read_kept(self, notes: Iterable[bytes]) -> list[_KeptNote]:
        """The valid ones, in order of size."""
        valid = []
        for number, note in enumerate(notes, start=1):
            try:
                valid.append((open_checkpoint(note, self._key).size, "kept", note))
            except BadNote as error:
                self._add(Fault.NOTE, f"kept checkpoint {number} ({error})")
        return sorted(valid)

    def leaf(self, seq: int, leaf: bytes, stored: bytes, texts: _Ahead[Disclosure]) -> None:
        digest = leaf_hash(leaf)
        if seq != self._due:
            self._add(Fault.MISSING_ENTRY, f"entry {self._due} (entry {seq} stands there)")
        if digest != stored:
            self._add(Fault.HASH, f"entry {seq}")
        try:
            commits = self._envelope(seq, leaf)
        except ValueError as error:
            self._add(Fault.UNREADABLE, f"entry {seq} ({error})")
            commits = {}
        self._texts(seq, commits, texts)
        self._tree.append(digest)
        self._last = digest.hex()
        self._due = seq + 1

    def notes(self, notes: _Ahead[_KeptNote]) -> None:
        """Check the checkpoints at the tree's present size."""
        for size, origin, note in notes.take(lambda one: one[0] <= self._tree.size):
            self._note(size, origin, note)

    def end(self, notes: _Ahead[_KeptNote], texts: _Ahead[Disclosure]) -> None:
        for seq, path, _, _ in texts.take(lambda _: True):
            self._add(Fault.STRAY_TEXT, f"entry {seq}, {path!r}")
        for size, origin, note in notes.take(lambda _: True):
            if self._opens(size, origin, note):
                self._add(Fault.SHORT, f"{origin} checkpoint at {size}, the log ends at {self._tree.size}")
        if not self._tree.size:
            self._add(Fault.EMPTY, "the whole log")
        elif not self._covered:
            self._add(Fault.UNCOVERED, f"entries 0 to {self._tree.size - 1}")

    def report(self) -> Report:
        counted = (
            "checkpoints_valid",
            "checkpoints_kept_elsewhere",
            "texts_checked",
            "texts_redacted",
            "bodies_checked",
            "bodies_not_kept",
            "bodies_not_compared",
        )
        figures = {
            "entries": self._tree.size,
            "entries_covered": self._covered,
            "entries_after_the_last_checkpoint": self._tree.size - self._covered,
        }
        return Report(
            vkey=self._key,
            root=b64encode(self._tree.root()).decode(),
            figures=figures | {name: self._figures[name] for name in counted},
            findings=tuple(
                Finding(fault=fault, count=self._found[fault], where=tuple(self._places[fault]))
                for fault in Fault
                if fault in self._found
            ),
        )

    def _envelope(self, seq: int, leaf: bytes) -> dict[str, str]:
        """Check where the entry says it stands; returns its commitments. Raises ValueError when it is unreadable."""
        content = _read(leaf)
        if (content["log"], content["seq"]) != (self._key.name, seq):
            self._add(Fault.PLACE, f"entry {seq} (it states {content['seq']!r} of {content['log']!r})")
        if content["prev"] != self._last:
            self._add(Fault.CHAIN, f"entry {seq}")
        commits: dict[str, str] = content["commit"]
        return commits

    def _texts(self, seq: int, commits: dict[str, str], texts: _Ahead[Disclosure]) -> None:
        missing = set(commits)
        for at, path, salt, text in texts.take(lambda row: row[0] <= seq):
            if at != seq or path not in missing:
                self._add(Fault.STRAY_TEXT, f"entry {at}, {path!r}")
                continue
            missing.remove(path)
            if path == RAW:
                self._body(seq, salt, commits[path])
            else:
                self._text(seq, path, salt, text, commits[path])
        for path in sorted(missing):
            self._add(Fault.MISSING_TEXT, f"entry {seq}, {path!r}")

    def _text(self, seq: int, path: str, salt: bytes | None, text: str | None, committed: str) -> None:
        if text is None:
            self._figures["texts_redacted"] += 1
            self._add(Fault.REDACTED, f"entry {seq}, {path!r}")
        elif _matches(committed, salt, path, text):
            self._figures["texts_checked"] += 1
        else:
            self._add(Fault.TEXT, f"entry {seq}, {path!r}")

    def _body(self, seq: int, salt: bytes | None, committed: str) -> None:
        if self._raw_digest is None:
            self._figures["bodies_not_compared"] += 1
            self._add(Fault.BODY_UNCHECKED, f"entry {seq}")
            return
        digest = self._raw_digest(seq)
        if digest is None:
            self._figures["bodies_not_kept"] += 1
            self._add(Fault.BODY_GONE, f"entry {seq}")
        elif _matches(committed, salt, RAW, digest):
            self._figures["bodies_checked"] += 1
        else:
            self._add(Fault.BODY, f"entry {seq}")

    def _note(self, size: int, origin: str, note: bytes) -> None:
        root = self._opens(size, origin, note)
        if root is None:
            return
        if size != self._tree.size:  # it came after a larger one
            self._add(Fault.NOTE_PLACE, f"{origin} checkpoint at {size}, out of order")
        elif root != self._tree.root():
            self._add(Fault.ROOT, f"{origin} checkpoint at {size}")
        else:
            self._covered = size
            self._figures["checkpoints_valid"] += 1
            self._figures["checkpoints_kept_elsewhere"] += origin == "kept"

    def _opens(self, size: int, origin: str, note: bytes) -> bytes | None:
        """The root that a valid checkpoint of this size states, None for any other."""
        try:
            checkpoint = open_checkpoint(note, self._key)
        except BadNote as error:
            self._add(Fault.NOTE, f"{origin} checkpoint at {size} ({error})")
            return None
        if checkpoint.size != size:
            self._add(Fault.NOTE_PLACE, f"{origin} checkpoint at {size}, it states {checkpoint.size}")
            return None
        return checkpoint.root

    def _add(self, fault: Fault, where: str) -> None:
        self._found[fault] += 1
        places = self._places.setdefault(fault, [])
        if len(places) < MOST_PLACES:
            places.append(where[:MOST_LETTERS])


def _matches(committed: str, salt: bytes | None, path: str, text: str) -> bool:
    try:
        return salt is not None and commitment(salt, path, text) == committed
    except NotCanonical:
        return False


def _read(leaf: bytes) -> dict[str, Any]:
    """The envelope's content, with every field a check needs. Raises ValueError saying what is amiss."""
    try:
        content = json.loads(leaf.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(content, dict) or FIELDS - content.keys():
        raise ValueError("not an envelope")
    if content["v"] != VERSION:
        raise ValueError(f"version {content['v']!r}")
    subject, commits = content["subject"], content["commit"]
    if not isinstance(subject, dict) or not isinstance(commits, dict):
        raise ValueError("not an envelope")  # noqa: TRY004 - what was read is wrong, not how we were called
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may take different ones of two equal keys."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice")
    return content


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
