"""What procedures and providers need from outside, as Protocols: the records, the clock, randomness, the network."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from bot.domain.alert import Act, Alert, Severity
from bot.domain.answers import Age, Subject
from bot.domain.attestation import Attestation, Delegation, Disposition, Overlap, Reminder
from bot.domain.component import Component
from bot.domain.coverage import Interval, Run, State
from bot.domain.dashboard import Capture, Chosen
from bot.domain.delivery import Delivery
from bot.domain.escalation import Phase, Progress
from bot.domain.evidence import Entry, Frontier
from bot.domain.follow_up import FollowUp
from bot.domain.heartbeat import Pulse, Watch
from bot.domain.home import Few, Glance, SeenHome
from bot.domain.monitor_change import MonitorChange
from bot.domain.notice import Owed
from bot.domain.oncall import AccountLink, Roster, StoredRoster
from bot.domain.scope import (
    Change,
    Difference,
    ExclusionRequest,
    Finding,
    FindingKind,
    Heard,
    InScope,
    Revision,
    Scope,
    Sighting,
)
from bot.domain.self_test import SelfTest
from bot.domain.shortfall import Question, Why
from bot.domain.slot import Rhythm
from bot.domain.standard_version import Version
from bot.domain.storm import Digest, Members, Storm
from bot.domain.test_alert import KnownPath, TestAlert
from bot.domain.thread import Moment, Thread
from bot.domain.tool import ToolAct, VendorWrite
from bot.domain.validation import Facts, Validation
from bot.domain.validation_copy import Copy

P = ParamSpec("P")
T = TypeVar("T")


class Clock(Protocol):
    """Time, so that tests can drive it."""

    def now(self) -> datetime:
        """Wall time, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Randomness(Protocol):
    """Unpredictable bytes."""

    def token(self, size: int) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply from the network: HTTP status and at most the asked number of bytes."""

    status: int
    body: bytes


class Network(Protocol):
    """Outgoing plain HTTP(S) requests. Honours HTTPS_PROXY and SSL_CERT_FILE; never follows redirects."""

    async def get(self, url: str, *, most_bytes: int, seconds: float) -> Answer:
        """Fetch `url`. Raises OSError or TimeoutError without an answer, ValueError for one over `most_bytes`."""
        ...


class Artifacts(Protocol):
    """Bytes that are kept as evidence, by their digest ("sha256:…"). Blocks: call it in a worker thread."""

    def keep(self, content: bytes) -> str:
        """Returns the digest; keeping the same again is harmless. Raises ArtifactsAway."""
        ...

    def read(self, digest: str) -> bytes:
        """Exactly those bytes. Raises NoArtifact and ArtifactsAway."""
        ...


class OnCallRecords(Protocol):
    """Who was on call when, and whose account in a tool is which Slack user."""

    def latest_roster(self) -> StoredRoster | None:
        """The one in force; None before anything is known."""
        ...

    def roster_at(self, at: datetime) -> StoredRoster | None:
        """The one in force at a time; None before the first one."""
        ...

    def roster(self, roster_id: int) -> StoredRoster:
        """Raises UnknownRoster."""
        ...

    def add_roster(self, roster: Roster, *, checked_at: datetime) -> StoredRoster:
        """It is in force from now on."""
        ...

    def save_roster_check(self, roster_id: int, at: datetime) -> None:
        """It was seen to be still true."""
        ...

    def save_roster_review(self, roster_id: int, *, by: str) -> None: ...

    def last_review(self) -> StoredRoster | None:
        """The roster that was reviewed last."""
        ...

    def on_call_at(self, team: str, level: int) -> tuple[str, ...]:
        """Slack ids of who is on call there now; without people whom Slack cannot reach."""
        ...

    def account_links(self) -> list[AccountLink]: ...

    def link_account(self, link: AccountLink) -> None:
        """In place of the one that the account had before."""
        ...


class EscalationRecords(Protocol):
    """How far alerts have come in the escalation policy."""

    def waiting_alerts(
        self, *, patience: Mapping[Severity, timedelta], after: int, most: int
    ) -> list[tuple[Alert, Mapping[Phase, Progress]]]:
        """The next open alerts by number that wait for somebody, or whose clock runs though they wait no more.

        Those that have merely fired for less than the `patience` with their severity are left out.
        """
        ...

    def escalation(self, alert_id: int) -> Mapping[Phase, Progress]:
        """What is kept of each phase the alert has been in."""
        ...

    def keep_progress(self, alert_id: int, progress: Progress) -> None: ...


class NoticeRecords(Protocol):
    """Direct messages owed to people."""

    def owe_notice(self, user: str, alert_id: int, kind: str) -> None:
        """Once, as long as it has not been sent."""
        ...

    def owed_notices(self, *, tried_before: datetime, most: int) -> list[Owed]:
        """The oldest ones that are not sent, of people to whom no message has been on its way since then."""
        ...

    def notices_tried(self, ids: Collection[int], *, at: datetime | None) -> None:
        """A message with them is on its way since then; None when it certainly is not."""
        ...

    def notices_sent(self, ids: Collection[int]) -> None: ...

    def drop_notices(self, ids: Collection[int]) -> None:
        """Nobody has to be told any more."""
        ...

    def drop_sent_notices(self, before: datetime) -> int:
        """Retention. Returns how many."""
        ...


class ToolRecords(Protocol):
    """What the tools are to be told, and who is who there."""

    def tell_tool(self, alert: Alert, action: ToolAct, *, by: str, text: str = "") -> None:
        """The alert's tool is owed word of this act, if it takes such words; sent later, however long that takes."""
        ...

    def vendor_writes(self, alert_id: int) -> list[VendorWrite]:
        """What the alert's tool was or is to be told, oldest first."""
        ...

    def claim_vendor_writes(self, *, lease: str, lasting: timedelta, most: int) -> list[VendorWrite]:
        """Lease the oldest pending write of each alert that is due. No other replica sends it while the lease lasts."""
        ...

    def save_vendor_write(self, write: VendorWrite, *, keep_lease: bool = False) -> bool:
        """Store how far it has come; False when its lease is another's by now, or an echo has completed it: then not.

        The lease is given back unless it is kept. A write that carries no lease is stored in any case.
        """
        ...

    def failed_writes(self, provider: str, *, most: int = 500) -> list[VendorWrite]:
        """Those the tool did not answer to for too long, oldest first."""
        ...

    def not_recovered(self, provider: str) -> list[Alert]:
        """The newest alert of each problem that its tool has not declared over, oldest first."""
        ...

    def latest_alert_like(self, provider: str, begins: str) -> Alert | None:
        """The newest alert whose problem's key begins so."""
        ...

    def user_of(self, provider: str, account: str) -> str | None:
        """The Slack user to whom this account of the tool is linked."""
        ...

    def account_of(self, provider: str, user: str) -> str | None:
        """The tool's account that is linked to this Slack user."""
        ...

    def keep_account_name(self, provider: str, account: str, name: str) -> None:
        """What the tool calls one of its people."""
        ...

    def account_names(self, provider: str, accounts: Collection[str]) -> Mapping[str, str]:
        """What the tool last called these; those it never named are left out."""
        ...


class StormRecords(Protocol):
    """Storms: their digests' progress, and the alerts that each of them shows."""

    def storm(self, storm_id: int) -> Storm:
        """Raises UnknownStorm."""
        ...

    def running_storms(self) -> list[Storm]:
        """Those that are not over, oldest first; at most one a channel."""
        ...

    def unposted_since(self) -> dict[str, list[datetime]]:
        """Channel → since when its alerts wait for their first message, oldest first; as many as a rule asks for.

        An alert whose message may be under way does not wait.
        """
        ...

    def newest_triggers(self, channel: str, *, most: int) -> list[datetime]:
        """When the channel's newest alerts triggered, newest first."""
        ...

    def begin_storm(self, channel: str) -> Storm:
        """The channel has none that is running."""
        ...

    def waiting_severe(self, channel: str, *, besides: Collection[int], most: int) -> list[int]:
        """The numbers of the channel's first SEV1 alerts that wait for their message."""
        ...

    def take_in(self, taking: Storm) -> int:
        """The alerts that wait in its channel, but for its `spared` ones, are shown by its digest; returns how many."""
        ...

    def end_storm(self, storm_id: int) -> None: ...

    def give_up_storm(self, given_up: Storm, *, channel: str) -> bool:
        """Nobody can see its digest: its alerts wait in another channel, each for itself. False without the lease."""
        ...

    def claim_storms(
        self,
        *,
        lease: str,
        lasting: timedelta,
        busy_channels: Collection[str],
        updates_allowed: bool,
        except_storms: Collection[int],
    ) -> list[Storm]:
        """Lease the oldest storm of each channel whose digest lags and may be sent now."""
        ...

    def save_storm(self, storm_now: Storm, *, keep_lease: timedelta | None = None) -> bool:
        """As `save_thread`."""
        ...

    def stranded_storms(self) -> list[Storm]:
        """As `stranded_threads`."""
        ...

    def storm_members(self, storm_id: int, which: Members = Members.ALL) -> list[int]:
        """The alerts its digest shows, by number."""
        ...

    def announce_members(self, storm_id: int, alert_ids: Sequence[int]) -> None:
        """The digest in Slack counts them in."""
        ...

    def open_members(self, storm_id: int, *, offset: int, most: int) -> list[Alert]:
        """Its open alerts, most severe first."""
        ...

    def digest(self, storm_id: int) -> Digest | None:
        """How its alerts stand; None when it has none."""
        ...


class FlappingRecords(Protocol):
    """Alerts that come and go."""

    def flapping_alerts(self, *, more_than: int, since: datetime) -> list[Alert]:
        """Open alerts that fired again more often than that since then, and of which nobody has been told so."""
        ...


class HomeRecords(Protocol):
    """Who opened App Home lately, what they saw, and what there is to show."""

    def see_home(self, user: str, *, lease: str, lasting: timedelta) -> None:
        """They have opened it now; whoever holds the lease publishes it."""
        ...

    def take_home(
        self,
        user: str,
        *,
        seen_since: datetime,
        lease: str,
        lasting: timedelta,
        if_due: datetime | None = None,
    ) -> bool:
        """Lease it, whoever has it now. False when they have not opened it since then.

        With `if_due` also when it is not due: somebody publishes it now, or has since that time.
        """
        ...

    def save_home(self, user: str, shown: str, *, lease: str) -> None:
        """It was published; `shown` is the view's digest, "" when it may not have arrived. Gives the lease back.

        When another one has taken it meanwhile, nobody knows which of the two publications came last: kept as "".
        """
        ...

    def homes(self, *, seen_since: datetime, if_due: datetime) -> list[SeenHome]:
        """Those seen since then, the longest unpublished first; due as in `take_home`."""
        ...

    def forget_home(self, user: str) -> None: ...

    def forget_homes(self, *, seen_before: datetime) -> int:
        """Retention. Returns how many."""
        ...

    def glances(self) -> list[Glance]:
        """Every open alert, most severe first, then by number."""
        ...

    def suggested_tuning(self, *, most: int) -> Few:
        """Open alerts whose monitor was suggested to be changed."""
        ...

    def out_of_step(self) -> dict[str, int]:
        """Tool → how many acts it could not be told, since it did not answer."""
        ...


class SelfTestRecords(Protocol):
    """Direct messages that people sent themselves to see that they arrive."""

    def last_self_test(self, user: str) -> SelfTest | None: ...

    def self_test(self, test_id: int, *, user: str) -> SelfTest | None:
        """None when there is none with this number, or it is somebody else's."""
        ...

    def new_self_test(self, user: str) -> SelfTest: ...

    def save_self_test(self, test: SelfTest) -> None: ...


class TestAlertRecords(Protocol):
    """Test alerts, and the paths that they can take."""

    def test_paths(self) -> list[KnownPath]:
        """All that were ever known, by id."""
        ...

    def save_test_path(self, known: KnownPath) -> None: ...

    def new_test_id(self) -> int: ...

    def save_test_alert(self, test: TestAlert) -> None:
        """In place of what was kept of it before; one with another number is new."""
        ...

    def test_alert(self, test_id: int) -> TestAlert:
        """Raises UnknownTest."""
        ...

    def test_with_nonce(self, nonce: str) -> TestAlert | None: ...

    def is_test(self, provider: str, problem: str) -> bool:
        """Whether the provider has told of a test under this key, which names a problem."""
        ...

    def test_with_link(self, digest: str) -> TestAlert | None:
        """The one that the link with this digest confirms."""
        ...

    def unfinished_tests(self) -> list[TestAlert]:
        """Those that are not over, not cleaned up, or show something old; oldest first."""
        ...

    def newest_tests(self, path: str) -> tuple[TestAlert | None, TestAlert | None]:
        """(the path's newest test that failed or proved it, the newest one that proved it)."""
        ...

    def tests_between(self, start: datetime, end: datetime) -> list[TestAlert]:
        """Those asked for from `start` up to but without `end`, oldest first."""
        ...

    def missed_runs(self, job: str, start: datetime, end: datetime) -> list[datetime]:
        """When a job was due and did not run, from `start` up to but without `end`, oldest first."""
        ...


class ScopeRecords(Protocol):
    """What the tools see, what was found out about it, and every revision of the scope."""

    def sightings(self, *, after: int = 0, most: int = 1000) -> list[Sighting]:
        """The next ones by number, of all sources, what is gone included."""
        ...

    def in_sight(self, *, after: int, most: int) -> Mapping[int, Component]:
        """The next ones by number that a source still sees: the component as that source tells it."""
        ...

    def save_sightings(self, sightings: Sequence[Sighting]) -> None:
        """Those without a number are new."""
        ...

    def sightings_gone(self, ids: Collection[int], at: datetime) -> None: ...

    def heard(self) -> list[Heard]:
        """When each source was last asked, by its name."""
        ...

    def save_heard(self, news: Heard) -> None:
        """Without `complete_at` what was last said in full keeps its age."""
        ...

    def findings(self, *, waiting: bool = False) -> list[Finding]:
        """All of them, or those that wait for a reply; oldest first."""
        ...

    def finding(self, finding_id: int) -> Finding:
        """Raises UnknownFinding."""
        ...

    def save_findings(self, findings: Sequence[Finding]) -> None:
        """Those without a number are new."""
        ...

    def scope(self, revision: int | None = None) -> Scope | None:
        """As it stands, or stood at a revision; None before the first one. Raises UnknownRevision."""
        ...

    def scope_entries(self, revision: int, *, after: int, most: int) -> Mapping[int, InScope]:
        """The next ones by number, as the scope stood at a revision."""
        ...

    def scope_entry(self, key: str, *, revision: int | None = None) -> InScope | None:
        """The one with exactly this key, as it stands or stood at a revision; without reading the whole scope."""
        ...

    def scope_entries_with(self, text: str, *, most: int) -> list[InScope]:
        """Those in scope now that this plain text (letters, digits, ASCII) stands in, by key, whatever its case."""
        ...

    def scope_revisions(self, *, most: int) -> list[Revision]:
        """The newest first."""
        ...

    def add_revision(self, change: Change, made: Difference, *, by: str) -> Revision:
        """The scope as it stands, with this difference, is in force from now on."""
        ...

    def save_scope_review(self, revision: int, *, by: str, document: str) -> Revision: ...

    def exclusion_requests(self) -> list[ExclusionRequest]:
        """Those that nobody has decided, oldest first."""
        ...

    def exclusion_request(self, request_id: int) -> ExclusionRequest:
        """Raises UnknownExclusionRequest."""
        ...

    def save_exclusion_request(self, request: ExclusionRequest) -> int:
        """One without a number is new. Returns the number."""
        ...


class CoverageRecords(Protocol):
    """What the tools said of metrics and monitors, how monitors changed, and when what was out of coverage."""

    def answers(self, subject: Subject) -> Mapping[str, bytes]:
        """Provider → what it has said, packed (`bot.domain.packed_answers`)."""
        ...

    def ages(self) -> list[Age]:
        """How old each answer is, by provider."""
        ...

    def save_answer(self, age: Age, body: bytes) -> None:
        """In place of the one before."""
        ...

    def forget_answers(self, providers: Collection[str]) -> None:
        """Of tools that are not connected any more."""
        ...

    def add_monitor_changes(self, changes: Sequence[MonitorChange]) -> None:
        """Seen now."""
        ...

    def monitor_history(self, provider: str, monitor: str) -> list[tuple[datetime, MonitorChange]]:
        """Every change that was seen of it, oldest first."""
        ...

    def untold_losses(self, *, most: int) -> list[tuple[int, MonitorChange]]:
        """By number, the oldest changes of which people are to be told and nobody has been."""
        ...

    def losses_told(self, ids: Collection[int]) -> None: ...

    def add_run(self, run: Run) -> None: ...

    def latest_run(self) -> Run | None: ...

    def open_intervals(
        self, *, key: str = "", after: tuple[str, str] = ("", ""), most: int | None = None
    ) -> list[Interval]:
        """What is out of coverage now: of one component, or the page after this (component, measure).

        The interval of a component as a whole comes before those of its measures.
        """
        ...

    def urgent_gaps(self, *, start: int, most: int) -> list[Interval]:
        """Cells that are out of coverage now, from a place on: of what is most critical first, gaps before unknown."""
        ...

    def rank_intervals(self, ranked: Sequence[Interval]) -> None:
        """Their components have another criticality now."""
        ...

    def save_intervals(self, ended: Sequence[Interval], begun: Sequence[Interval]) -> None:
        """End these now, and begin those."""
        ...

    def time_out_of_coverage(self, start: datetime, end: datetime) -> Mapping[str, timedelta]:
        """Component → for how long within this time any of its cells was out of coverage."""
        ...


class FollowUpRecords(Protocol):
    """What somebody is to mend until a day."""

    def latest_follow_up(self, subject: str) -> FollowUp | None:
        """The newest one about it: only that can be open."""
        ...

    def open_follow_ups(self) -> list[FollowUp]:
        """What is due first comes first."""
        ...

    def save_follow_up(self, one: FollowUp) -> int:
        """One without a number is new. Returns the number."""
        ...


class DashboardRecords(Protocol):
    """Which dashboards are looked at each week, and what came of each capture."""

    def chosen_dashboards(self) -> list[Chosen]:
        """By tool and title."""
        ...

    def choose_dashboard(self, chosen: Chosen) -> None:
        """In place of what was known of it."""
        ...

    def leave_out_dashboard(self, key: str) -> None: ...

    def latest_captures(self) -> list[Capture]:
        """The newest one of each dashboard that ever was captured, oldest first."""
        ...

    def captures_since(self, at: datetime) -> list[Capture]:
        """Oldest first."""
        ...

    def capture(self, capture_id: int) -> Capture | None: ...

    def save_capture(self, one: Capture) -> int:
        """One without a number is new. Returns the number."""
        ...


class StandardRecords(Protocol):
    """The versions of the written standard that were in force."""

    def standard_versions(self) -> list[Version]:
        """The newest first."""
        ...

    def add_standard_version(self, version: Version) -> int:
        """Returns its number."""
        ...

    def save_standard_version(self, version: Version) -> None:
        """Its review, and when people were reminded of it."""
        ...


class WatchRecords(Protocol):
    """What is expected to be heard, and what socmon's audit of itself needs to know of the records."""

    def pulses(self) -> list[Pulse]: ...

    def pulse(self, provider: str, key: str) -> Pulse | None: ...

    def save_pulse(self, pulse: Pulse) -> None: ...

    def drop_pulse(self, provider: str, key: str) -> None: ...

    def watch(self) -> Watch | None:
        """None before the first look."""
        ...

    def save_watch(self, watch: Watch) -> None: ...

    def given_numbers(self) -> tuple[int, int]:
        """(alerts, deliveries) that were given a number, as the head row says."""
        ...

    def newest_numbers(self) -> tuple[int, int]:
        """(alert, delivery): the highest numbers that are stored."""
        ...

    def counted(self, kind: str, results: Collection[str]) -> int:
        """What the counters of `count` say since the beginning, of all providers and reasons."""
        ...

    def count_entries(self, kind: str, start: int, end: int) -> int:
        """How many entries of this type there are from `start` up to but without `end`."""
        ...

    def checkpoint_within(self, after: int, up_to: int) -> tuple[int, bytes] | None:
        """(size, note) of the largest checkpoint over more than `after` and at most `up_to` entries."""
        ...

    def last_done(self, job: str) -> datetime | None:
        """The newest due time of a job whose run went well."""
        ...


class ValidationRecords(Protocol):
    """The weekly validations: when they are due, what was shown, what was answered; and figures they are made of."""

    def rhythms(self) -> list[Rhythm]:
        """Oldest first."""
        ...

    def add_rhythm(self, rhythm: Rhythm) -> int:
        """Returns its number."""
        ...

    def validation(self, week: str) -> Validation | None: ...

    def validations(self, first: str, last: str) -> list[Validation]:
        """Those on record from a week to another, both included, oldest first."""
        ...

    def unanswered_validations(self) -> list[Validation]:
        """Those that are neither attested nor missed, oldest first."""
        ...

    def newest_week(self) -> str:
        """The newest one on record that should have opened by now; "" before there is one."""
        ...

    def save_validation(self, record: Validation) -> None:
        """New, or in place of what is on record of its week; its attestation is not touched."""
        ...

    def facts(self, week: str, revision: int | None = None) -> Facts | None:
        """The newest facts of a week, or those of a revision."""
        ...

    def add_facts(self, facts: Facts) -> None: ...

    def save_attestation(self, attestation: Attestation) -> None:
        """The first and only one of its week, or the same with a second signature."""
        ...

    def dispositions(self) -> list[Disposition]:
        """Those of findings that are not known to be gone, oldest first."""
        ...

    def save_disposition(self, disposition: Disposition) -> int:
        """One without a number is new. Returns the number."""
        ...

    def delegations(self) -> list[Delegation]:
        """Oldest first, those that are over too."""
        ...

    def save_delegation(self, delegation: Delegation) -> int:
        """One without a number is new. Returns the number."""
        ...

    def reminders(self, since: str) -> list[Reminder]:
        """Those about this week and later ones."""
        ...

    def save_reminder(self, reminder: Reminder) -> None:
        """In place of the one about the same week, of the same kind, to the same."""
        ...

    def validation_copies(self, since: str) -> list[Copy]:
        """The messages in Slack about this week and later ones."""
        ...

    def save_validation_copy(self, copy: Copy) -> None:
        """In place of the one about the same week, of the same kind, in the same channel."""
        ...

    def hands_in(self, start: datetime, end: datetime) -> Mapping[Overlap, frozenset[str]]:
        """Who (Slack user ids) changed the scope, approved exclusions and reviewed the standard within this time."""
        ...

    def responders(self, start: datetime, end: datetime) -> frozenset[str]:
        """Who acknowledged or resolved alerts that triggered within this time."""
        ...

    def count_waiting(self) -> Mapping[FindingKind, int]:
        """How many components that are new, vanished or renamed wait for somebody's decision."""
        ...

    def count_shortfalls(self) -> Mapping[tuple[State, Question, Why], int]:
        """How many cells are out of coverage now for each of these reasons; one may have several."""
        ...

    def monitor_changes(self, start: datetime, end: datetime) -> Iterable[tuple[datetime, MonitorChange]]:
        """Those seen within this time, oldest first."""
        ...


class Records(
    CoverageRecords,
    DashboardRecords,
    FollowUpRecords,
    StandardRecords,
    ValidationRecords,
    HomeRecords,
    SelfTestRecords,
    TestAlertRecords,
    OnCallRecords,
    EscalationRecords,
    NoticeRecords,
    ToolRecords,
    StormRecords,
    FlappingRecords,
    ScopeRecords,
    WatchRecords,
    Protocol,
):
    """The records, seen from inside one transaction. All of it happens, or nothing."""

    @property
    def now(self) -> datetime:
        """The time of this unit of work, aware UTC."""
        ...

    # Alerts
    def alert(self, alert_id: int) -> Alert:
        """Raises UnknownAlert."""
        ...

    def latest_alert(self, provider: str, dedup_key: str) -> Alert | None:
        """The newest alert of this problem. Only it can be open."""
        ...

    def new_alert_id(self) -> int:
        """The next alert number; numbers have no holes, since a unit that fails gives its number back."""
        ...

    def add_alert(self, alert: Alert, *, channel: str) -> None:
        """Add the alert and its Slack thread, which is yet to be posted to `channel`."""
        ...

    def save_alert(self, alert: Alert) -> None:
        """Replace the stored alert. Its thread is not touched: see `show`."""
        ...

    def save_repeat(self, alert: Alert) -> None:
        """The source said again what it had said: store how often, when, of which episode. Storms are made of it."""
        ...

    def show(self, alert_id: int) -> None:
        """Something people can see has changed: the alert's Slack thread has to catch up."""
        ...

    def due_snoozes(self) -> list[Alert]:
        """Alerts whose snooze is over."""
        ...

    def find_alerts(
        self,
        *,
        open_only: bool = False,
        owner: str = "",
        since: datetime | None = None,
        before: int | None = None,
        most: int = 500,
    ) -> list[Alert]:
        """The newest alerts, newest first: all, the open ones, one person's, those triggered since a time.

        `before` is the number of the last alert of the page before this one.
        """
        ...

    def alert_at(self, channel: str, ts: str) -> int | None:
        """The alert whose Slack parent this message is, or None."""
        ...

    def timeline(self, alert_id: int, *, after: int = -1, most: int = 500) -> list[Moment]:
        """The alert's next moments in the log after a place, oldest first."""
        ...

    def history(self, alert_id: int, *, most: int) -> tuple[list[Moment], int]:
        """(the alert's newest moments, oldest first; how many earlier ones were left out)."""
        ...

    def took_form(self, alert_id: int, form: str, *, by: str) -> bool:
        """Whether one of this person's last entries about the alert came from this form."""
        ...

    # What people have begun to write; no evidence, since they have not said it
    def keep_draft(
        self, person: str, alert_id: int, act: Act, fields: Mapping[str, str], *, until: datetime
    ) -> None:
        """Keep it in place of what was kept before."""
        ...

    def draft(self, person: str, alert_id: int, act: Act) -> Mapping[str, str]:
        """Field → what is written there; empty when nothing is kept, or its time is over."""
        ...

    def drop_draft(self, person: str, alert_id: int, act: Act) -> None: ...

    def drop_drafts(self) -> int:
        """Retention: forget those whose time is over. Returns how many."""
        ...

    # Slack threads
    def thread(self, alert_id: int) -> Thread:
        """Raises UnknownAlert."""
        ...

    def claim_threads(
        self,
        *,
        lease: str,
        lasting: timedelta,
        busy_channels: Collection[str],
        updates_allowed: bool,
        except_alerts: Collection[int],
    ) -> list[Thread]:
        """Lease the most urgent lagging thread of each channel: parents, then updates, then replies; most severe first.

        Channels that are busy get no post and no reply. No other replica works on a thread while its lease lasts.
        """
        ...

    def save_thread(self, thread: Thread, *, keep_lease: timedelta | None = None) -> bool:
        """Store the projector's progress if its lease still stands; gives the lease back unless it is kept so long.

        False when another replica has taken the thread over meanwhile: then nothing is stored.
        """
        ...

    def release_leases(self, *, look_after: timedelta) -> int:
        """Give every lease back, whoever holds it; returns how many.

        A thread whose message may be under way is not to be taken before so long after its intent.
        """
        ...

    def stranded_threads(self) -> list[Thread]:
        """Lagging threads that Slack has refused, or that have no parent yet: they may have to go elsewhere."""
        ...

    def move_thread(self, alert_id: int, *, channel: str) -> None:
        """Begin the thread anew in another channel, unless somebody works on it."""
        ...

    def lag(self) -> tuple[int, datetime | None]:
        """How many threads lag, and since when the oldest one does."""
        ...

    def set_problem(self, subject: str, text: str) -> bool:
        """Note what an operator has to mend; True when it is new."""
        ...

    def untold_problems(self) -> list[tuple[str, str]]:
        """(subject, text) of what no operator has been told of, oldest first."""
        ...

    def problem_told(self, subject: str) -> None: ...

    def clear_problem(self, subject: str) -> bool:
        """It is mended; True when it was there."""
        ...

    def problems(self) -> list[tuple[str, datetime, str]]:
        """(subject, since, text) of everything that is to be mended, oldest first."""
        ...

    # Deliveries
    def seen(self, provider: str, delivery_id: str) -> bool:
        """Whether this delivery was received before."""
        ...

    def add_delivery(self, delivery: Delivery) -> int:
        """Store the delivery whole; returns its number."""
        ...

    def count(self, provider: str, kind: str, result: str, reason: str = "") -> None:
        """Add one to a durable counter. `kind` is "delivery" or "alert", `result` a Result or an Outcome."""
        ...

    def counts(self, since: datetime) -> list[tuple[str, str, str, str, int]]:
        """(provider, kind, result, reason, number) of the hours since then."""
        ...

    def last_heard(self, provider: str) -> tuple[datetime | None, datetime | None]:
        """When the provider was last heard, and when a test notification of it last arrived."""
        ...

    def gaps(self, since: datetime) -> list[tuple[datetime, str, str]]:
        """(received at, provider, why) of genuine deliveries that could not be read, or not whole; newest first."""
        ...

    # The clock
    def claim_run(
        self, job: str, due_at: datetime, *, status: str = "running", dead_before: datetime | None = None
    ) -> bool:
        """Claim one due time of a job; False when some replica has it already.

        A run that was claimed before `dead_before` and never ended is nobody's.
        """
        ...

    def dead_runs(self, job: str, *, dead_before: datetime) -> list[datetime]:
        """Due times whose run was claimed before then and never ended, oldest first."""
        ...

    def finish_run(self, job: str, due_at: datetime, *, status: str, detail: str) -> None: ...

    def last_run(self, job: str) -> tuple[datetime, str, datetime | None, str] | None:
        """(due at, status, finished at, detail) of the newest due time on record."""
        ...

    def drop_future_runs(self, job: str, *, tolerance: timedelta) -> int:
        """Forget due times that have not come yet, by more than `tolerance`; returns how many.

        By the clock that all replicas share, where there are several: one whose own clock is wrong harms nobody.
        """
        ...

    def drop_runs(self, jobs: Collection[str], before: datetime, *, most: int) -> int:
        """Forget what these jobs did before then, except for each one's newest due time. Returns how many runs."""
        ...

    # The evidence log
    def log(self, entry: Entry) -> None:
        """Append one entry: leaf, salted commitments with their disclosures, and the alert's timeline."""
        ...

    def tree(self) -> tuple[str, Frontier]:
        """The log's origin and its present tree."""
        ...

    def last_checkpoint(self) -> tuple[int, datetime, bytes] | None:
        """(size, at, note) of the newest checkpoint."""
        ...

    def sealed_tree(self) -> Frontier:
        """The tree of the newest checkpoint, as it was stored with it; an empty one before the first."""
        ...

    def leaves(self, start: int, end: int) -> Iterable[tuple[int, bytes]]:
        """(seq, bytes) of the stored entries from `start` up to but without `end`."""
        ...

    def add_checkpoint(self, tree: Frontier, note: bytes) -> None:
        """Store a signed note and the tree that it is over."""
        ...

    def drop_bodies(self, before: datetime, *, after: int, most: int) -> tuple[int, int | None]:
        """Retention: forget the bodies received before then among the deliveries that follow number `after`.

        Leaves and their hashes stay. Returns how many were forgotten, and the number to go on after: None at the end.
        """
        ...


class RecordKeeper(Protocol):
    """The door to the records for the edges."""

    def write(
        self, procedure: Callable[Concatenate[Records, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        """Run `procedure(records, …)` in a transaction; returns after the commit is durable.

        Raises what it raised, or Unavailable when the records cannot be written.
        """
        ...

    def read(
        self, procedure: Callable[Concatenate[Records, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        """Run `procedure(records, …)` on one consistent state, without writing."""
        ...
