"""A storm's digest and its list: open it, turn its pages, acknowledge or resolve many alerts at once.

Many alerts are answered in parts, so that no single write keeps incoming alerts waiting. The first part decides whether
the form is taken; what comes after it is reported when all is done.
"""

from collections.abc import Awaitable, Callable, Sequence

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.adapters.slack import digest as shown
from bot.adapters.slack import forms
from bot.adapters.slack import interactions as do
from bot.adapters.slack.answers import SORRY, told
from bot.adapters.slack.views import View, error_view, info_view
from bot.domain.alert import Act
from bot.domain.errors import SocmonError, ThinNote, Unavailable, Unidentified
from bot.domain.person import Person
from bot.procedures import respond_to_storm
from bot.procedures.respond_to_storm import Choice, Done
from handlers.slack.actions import callback
from handlers.slack.desk import Body, Desk, Refuse, Say, log
from handlers.slack.home import refresh_home

PART = 100  # alerts in one write: some 0.1 s

NOTHING = Done(done=0, skipped=())
Write = Callable[[list[int]], Awaitable[Done]]


def register(app: AsyncApp, desk: Desk) -> None:
    for action_id, act in (
        (do.STORM_LIST, open_list),
        (do.STORM_ACKNOWLEDGE, acknowledge_all),
        (do.STORM_ACKNOWLEDGE_LISTED, acknowledge_listed),
        (do.STORM_PREVIOUS, turn_page),
        (do.STORM_NEXT, turn_page),
    ):
        app.action(action_id)(callback(desk, act))
    app.view(do.STORM_LIST_FORM)(_to_the_note(desk))
    app.view(do.STORM_RESOLVE_FORM)(_resolve(desk))


async def open_list(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    target = do.read_value(value)
    await desk.open(body, _list(desk, body, do.Listed(target.alert_id, 0, 1)), refuse)


async def turn_page(desk: Desk, body: Body, value: str, _refuse: Refuse) -> None:
    page = int(value[:9]) if value.isascii() and value.isdigit() else 1
    listed = _listed(body["view"])
    view = await _list(desk, body, do.Listed(listed.storm_id, listed.newest, page, listed.ticked))
    await desk.update(body["view"], view)


async def acknowledge_all(desk: Desk, body: Body, value: str, refuse: Refuse) -> None:
    """From the digest: what it counted when it was drawn."""
    target = do.read_value(value)
    await refuse(told(await _acknowledge(desk, body, target.alert_id, newest=target.version)))


async def acknowledge_listed(desk: Desk, body: Body, _value: str, _refuse: Refuse) -> None:
    """From the list: the ticked ones, or all that it counted."""
    listed = _listed(body["view"])
    said = await _acknowledge(desk, body, listed.storm_id, newest=listed.newest, ticked=listed.ticked)
    view = await _list(desk, body, do.Listed(listed.storm_id, listed.newest, listed.page), said=said)
    await desk.update(body["view"], view)


async def _acknowledge(
    desk: Desk, body: Body, storm_id: int, *, newest: int, ticked: tuple[int, ...] = ()
) -> str:
    person = await desk.person(body)
    choice = await desk.records.read(
        respond_to_storm.choose, storm_id, Act.ACKNOWLEDGE, by=person, newest=newest, ticked=ticked
    )

    async def write(ids: list[int]) -> Done:
        return await desk.records.write(respond_to_storm.acknowledge_all, ids, by=person)

    done = await _in_parts(choice.alert_ids, write)
    return _report("acknowledged, and yours now", done, choice.newer)


def _to_the_note(desk: Desk) -> Callable[..., Awaitable[None]]:
    """“Resolve…” under the list lays the form for the note on top of it."""

    async def sent(ack: Say, body: Body) -> None:
        try:
            view = await _note_form(desk, body)
        except SocmonError as error:
            view = error_view(str(error))
        except Exception:  # noqa: BLE001 - logged whole, and told to the person
            log.exception("a form failed")
            view = error_view(SORRY)
        await ack(response_action="push", view=view)

    return sent


async def _note_form(desk: Desk, body: Body) -> View:
    listed = _listed(body["view"])
    choice = await _chosen(desk, listed, await desk.person_in_time(body))
    if not choice.alert_ids:
        return info_view("Nothing to resolve", "None of these alerts is open any more. Nothing changed.")
    return shown.resolve_all_form(listed, choice.alert_ids, firing=choice.firing)


def _resolve(desk: Desk) -> Callable[..., Awaitable[None]]:
    """The note was sent: it closes, and the list below it tells what came of it."""

    async def sent(ack: Say, body: Body) -> None:
        view = body["view"]
        try:
            listed, note = do.read_listed(view["private_metadata"]), forms.read_resolution(view["state"])
            person = await desk.person_in_time(body)
            choice = await _chosen(desk, listed, person)

            async def write(ids: list[int]) -> Done:
                return await desk.records.write(
                    respond_to_storm.resolve_all, ids, by=person, resolution=note, form=view["id"]
                )

            first = await write(list(choice.alert_ids[:PART]))
        except ThinNote as error:
            await ack(response_action="errors", errors=forms.field_error(error))
        except (Unavailable, Unidentified) as error:  # worth sending again, as it is
            await ack(response_action="errors", errors=forms.first_field_error(view, str(error)))
        except SocmonError as error:
            await ack(response_action="push", view=error_view(str(error)))
        except Exception:  # noqa: BLE001 - logged whole, and told to the person
            log.exception("a form failed")
            await ack(response_action="errors", errors=forms.first_field_error(view, SORRY))
        else:
            await ack()
            tell = _teller(desk, body, listed)
            rest = choice.alert_ids[PART:]
            if rest:
                await tell(f"Resolving: {first.done:,} of {len(choice.alert_ids):,} so far …")
            done = await _in_parts(rest, write, before=first)
            await tell(_report("resolved with this note", done, choice.newer))
            desk.wake()
            await refresh_home(desk, body)

    return sent


def _teller(desk: Desk, body: Body, listed: do.Listed) -> Callable[[str], Awaitable[None]]:
    """Shows the list anew with a word on top of it; who has closed it meanwhile gets the word as a direct message."""
    tell_alone = desk.teller(body, _nowhere)

    async def tell(said: str) -> None:
        view = await _list(desk, body, do.Listed(listed.storm_id, listed.newest, listed.page), said=said)
        try:
            await desk.client.views_update(view_id=body["view"]["root_view_id"], view=view)
        except SlackApiError:
            await tell_alone(told(said))

    return tell


async def _nowhere(**_said: object) -> None:
    """A form has no message to answer at."""


async def _in_parts(ids: Sequence[int], write: Write, *, before: Done = NOTHING) -> Done:
    """Answer them part by part. When the records fail in the middle, what was done stays, and the rest is skipped."""
    done, skipped = before.done, list(before.skipped)
    for start in range(0, len(ids), PART):
        part = list(ids[start : start + PART])
        try:
            came = await write(part)
        except Unavailable as error:
            if not done:
                raise
            why = f"{error} Choose the same again for the rest."
            return Done(done=done, skipped=(*skipped, *((each, why) for each in ids[start:])))
        done, skipped = done + came.done, [*skipped, *came.skipped]
    return Done(done=done, skipped=tuple(skipped))


async def _chosen(desk: Desk, listed: do.Listed, person: Person) -> Choice:
    return await desk.records.read(
        respond_to_storm.choose,
        listed.storm_id,
        Act.RESOLVE,
        by=person,
        newest=listed.newest,
        ticked=listed.ticked,
    )


async def _list(desk: Desk, body: Body, listed: do.Listed, *, said: str = "") -> View:
    listing = await desk.records.read(
        respond_to_storm.list_storm,
        listed.storm_id,
        by=await desk.person(body),
        page=listed.page,
        size=shown.PAGE,
    )
    if listing.digest is None:
        return info_view("Alert storm", "None of its alerts can be read. `socmon evidence verify` says why.")
    return shown.storm_list(
        listing.storm,
        listing.digest,
        listing.alerts,
        page=listing.page,
        ticked=listed.ticked,
        now=desk.clock.now(),
        said=said,
    )


def _listed(view: View) -> do.Listed:
    """The list that is open, with what is ticked on this page and was on the others."""
    listed = do.read_listed(view["private_metadata"])
    ticked, offered = shown.ticked_here(view)
    every = sorted((set(listed.ticked) - offered) | ticked)
    return do.Listed(listed.storm_id, listed.newest, listed.page, tuple(every))


def _report(verb: str, done: Done, newer: int) -> str:
    return shown.report(verb, done.done, done.skipped, newer)
