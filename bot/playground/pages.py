"""The HTTP side of the playground's page: the page itself, its state and stream, and what people do on it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.playground.errors import SlackError
from bot.playground.faults import Kind, read_fault
from bot.playground.fleet_desk import FleetDesk
from bot.playground.interactions import Place
from bot.playground.live import older_messages, page_state, thread_state
from bot.playground.pagerduty import FakePagerDuty
from bot.playground.pagerduty_desk import desk, do
from bot.playground.responses import show_response
from bot.playground.sources import Action

if TYPE_CHECKING:
    from bot.playground.app import Playground

STATIC = Path(__file__).with_name("static")
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

Handler = Callable[["Playground", Request], Awaitable[Response]]


def page_routes(playground: "Playground") -> list[Route]:
    """All routes but the Web API itself."""

    def route(path: str, handler: Handler, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                return await handler(playground, request)
            except SlackError as error:
                return JSONResponse({"ok": False, "error": error.error} | error.details, status_code=400)

        return Route(path, endpoint, methods=[method], name=handler.__name__)

    return [
        route("/", front_door),
        route("/playground", front_door),
        route("/playground/", index),
        route("/playground/static/{name}", static),
        route("/playground/state", state),
        route("/playground/events", events),
        route("/playground/thread", thread),
        route("/playground/older", older),
        route("/playground/transcript", transcript),
        route("/playground/act/{act}", act, "POST"),
        route("/playground/faults", list_faults),
        route("/playground/faults", set_fault, "POST"),
        route("/playground/pagerduty", pagerduty),
        route("/playground/pagerduty/{act}", act_in_pagerduty, "POST"),
        route("/playground/fleet", fleet),
        route("/playground/fleet/look", let_look, "POST"),
        route("/playground/fleet/{act}", act_on_fleet, "POST"),
        route("/playground/sources", list_sources),
        route("/playground/sources/{provider}/{action}", use_source, "POST"),
        route("/playground/reset", reset, "POST"),
        route("/playground/clock", turn_clock_on, "POST"),
        route("/playground/respond/{secret}", respond, "POST"),
        route("/playground/upload/{file_id}", upload, "POST"),
        route("/playground/files/{file_id}/{name}", download),
    ]


# The page
async def front_door(_: "Playground", __: Request) -> Response:
    return RedirectResponse("/playground/")


async def index(_: "Playground", __: Request) -> Response:
    return FileResponse(STATIC / "index.html", headers=SECURITY_HEADERS)


async def static(_: "Playground", request: Request) -> Response:
    name = request.path_params["name"]
    if name not in {path.name for path in STATIC.iterdir()}:
        return Response("There is no such file.", status_code=404)
    return FileResponse(STATIC / name, headers=SECURITY_HEADERS)


async def state(playground: "Playground", request: Request) -> Response:
    user_id = request.query_params.get("user", "")
    found = page_state(playground.workspace, user_id, playground.live.number)
    more = {
        "sources": playground.sources.names,
        "pagerduty": playground.pagerduty is not None,
        "fleet": playground.fleet is not None,
    }
    return JSONResponse(found | more | {"faults": _faults(playground)})


async def events(playground: "Playground", request: Request) -> Response:
    user = playground.workspace.user(request.query_params.get("user", ""))
    since = int(request.query_params.get("since") or playground.live.number)
    return StreamingResponse(
        playground.live.stream(user.id, since),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def thread(playground: "Playground", request: Request) -> Response:
    channel, ts = request.query_params.get("channel", ""), request.query_params.get("ts", "")
    return JSONResponse({"messages": thread_state(playground.workspace, channel, ts)})


async def older(playground: "Playground", request: Request) -> Response:
    channel = playground.workspace.channel(request.query_params.get("channel", ""))
    return JSONResponse(
        older_messages(playground.workspace, channel.id, request.query_params.get("before", ""))
    )


# What people do
async def act(playground: "Playground", request: Request) -> Response:
    given = await _given(request)
    user_id = playground.workspace.user(str(given.get("user"))).id
    acts = playground.interactions
    place = Place(
        channel=str(given.get("channel") or ""),
        ts=str(given.get("ts") or ""),
        view_id=str(given.get("view_id") or ""),
    )
    block_id, action_id = str(given.get("block_id") or ""), str(given.get("action_id") or "")
    values = given.get("values") or {}
    match request.path_params["act"]:
        case "write":
            result = await acts.write(user_id, place.channel, str(given.get("text")), given.get("thread_ts"))
        case "click":
            result = await acts.click(
                user_id,
                place,
                block_id=block_id,
                action_id=action_id,
                raw=given.get("value"),
                given=values,
            )
        case "options":
            result = await acts.options(user_id, place, block_id, action_id, str(given.get("query") or ""))
        case "submit":
            result = await acts.submit(user_id, place.view_id, values)
        case "close":
            result = await acts.close(user_id, place.view_id)
        case "shortcut":
            result = await acts.shortcut(user_id, str(given.get("callback_id")), place)
        case "home":
            result = await acts.open_home(user_id, str(given.get("tab") or "home"))
        case "read":
            playground.workspace.read(user_id, place.channel, place.ts, given.get("thread_ts"))
            result = {"ok": True}
        case "dismiss":
            playground.workspace.dismiss(user_id, place.ts)
            result = {"ok": True}
        case other:
            raise SlackError("unknown_act", f"nobody can {other} here")
    return JSONResponse(result)


async def respond(playground: "Playground", request: Request) -> Response:
    """The bot answers an interaction at its response address."""
    try:
        given = json.loads(await request.body())
    except ValueError:
        return Response("invalid_payload", status_code=400)
    try:
        address = playground.workspace.tickets.respond(request.path_params["secret"])
        show_response(playground.workspace, address, given)
        error = ""
    except SlackError as refusal:
        error = refusal.error
    playground.note("response_url", error)
    if error in {"expired_url", "used_url"}:
        return JSONResponse({"ok": False, "error": error}, status_code=404)
    return Response(error or "ok", status_code=400 if error else 200)


async def upload(playground: "Playground", request: Request) -> Response:
    """The bytes of a file that files.getUploadURLExternal announced."""
    content = await request.body()
    playground.workspace.files.receive(request.path_params["file_id"], content)
    return Response(f"OK - {len(content)}")


async def download(playground: "Playground", request: Request) -> Response:
    file = playground.workspace.files.find(request.path_params["file_id"])
    headers = SECURITY_HEADERS | {"Content-Security-Policy": "default-src 'none'; sandbox"}
    if not file.is_picture:
        headers["Content-Disposition"] = "attachment"
    return Response(file.content or b"", media_type=file.mimetype, headers=headers)


# The laboratory
async def list_sources(playground: "Playground", _: Request) -> Response:
    return JSONResponse({"providers": playground.sources.names, "actions": list(Action)})


async def use_source(playground: "Playground", request: Request) -> Response:
    _require_same_origin(request)
    try:
        action = Action(request.path_params["action"])
    except ValueError as error:
        raise SlackError("unknown_action", f"the actions are {', '.join(Action)}") from error
    answers = await playground.sources.act(request.path_params["provider"], action)
    return JSONResponse({"ok": True, "answers": [asdict(answer) for answer in answers]})


async def pagerduty(playground: "Playground", _: Request) -> Response:
    return JSONResponse(desk(_pagerduty(playground)))


async def act_in_pagerduty(playground: "Playground", request: Request) -> Response:
    fake = _pagerduty(playground)
    do(fake, request.path_params["act"], await _given(request))
    return JSONResponse({"ok": True} | desk(fake))


def _pagerduty(playground: "Playground") -> FakePagerDuty:
    if playground.pagerduty is None:
        raise SlackError("no_pagerduty", "this playground has no PagerDuty; `socmon playground` has one")
    return playground.pagerduty.fake


async def fleet(playground: "Playground", _: Request) -> Response:
    return JSONResponse(await _fleet(playground).shown())


async def act_on_fleet(playground: "Playground", request: Request) -> Response:
    given, desk = await _given(request), _fleet(playground)
    desk.do(request.path_params["act"], str(given.get("on") or ""), str(given.get("to") or ""))
    return JSONResponse({"ok": True} | await desk.shown())


async def let_look(playground: "Playground", request: Request) -> Response:
    """The bot looks, after so many `minutes`; 0 is now."""
    minutes, desk = _minutes(await _given(request)), _fleet(playground)
    if minutes:
        playground.turn_clock_on(timedelta(minutes=minutes))
    await desk.let_look()
    return JSONResponse({"ok": True} | await desk.shown())


def _fleet(playground: "Playground") -> FleetDesk:
    if playground.fleet is None:
        raise SlackError("no_fleet", "this playground has no fleet; `socmon playground` has one")
    return playground.fleet


async def list_faults(playground: "Playground", _: Request) -> Response:
    return JSONResponse({"faults": _faults(playground)})


async def set_fault(playground: "Playground", request: Request) -> Response:
    given = await _given(request)
    if given.get("clear"):
        playground.faults.clear()
        return await list_faults(playground, request)
    fault = read_fault(given, playground.workspace.now())
    playground.workspace.channel(fault.channel)
    if given.get("off"):
        playground.faults.stop(fault)
        return await list_faults(playground, request)
    playground.faults.start(fault)
    await _announce(playground, fault.kind, fault.channel)
    return await list_faults(playground, request)


async def transcript(playground: "Playground", _: Request) -> Response:
    return JSONResponse(playground.transcript_json())


async def reset(playground: "Playground", request: Request) -> Response:
    await _given(request)
    playground.reset()
    return JSONResponse({"ok": True})


async def turn_clock_on(playground: "Playground", request: Request) -> Response:
    playground.turn_clock_on(timedelta(minutes=_minutes(await _given(request))))
    return JSONResponse({"ok": True, "now": playground.workspace.now().isoformat()})


def _minutes(given: dict[str, Any]) -> int:
    minutes = given.get("minutes")
    if not isinstance(minutes, int):
        raise SlackError("invalid_time", 'send {"minutes": a whole number}')
    return minutes


async def _announce(playground: "Playground", kind: Kind, channel: str) -> None:
    """Tell the bot of what Slack would send an event about."""
    event_ts = playground.workspace.new_ts()
    if kind is Kind.ARCHIVE_CHANNEL:
        event = {"type": "channel_archive", "channel": channel, "user": "U0ADMIN", "event_ts": event_ts}
        await playground.interactions.event(event)
    elif kind is Kind.REVOKED_TOKEN:
        await playground.interactions.event(
            {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0SOCMON"]}}
        )


def _faults(playground: "Playground") -> list[dict[str, Any]]:
    now = playground.workspace.now()
    return [fault.as_json(now) for fault in playground.faults.on]


async def _given(request: Request) -> dict[str, Any]:
    """The JSON object a page or a test sent."""
    _require_same_origin(request)
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise SlackError("invalid_post_type", "send application/json")
    try:
        given = json.loads(await request.body())
    except ValueError as error:
        raise SlackError("invalid_json") from error
    if not isinstance(given, dict):
        raise SlackError("json_not_object")
    return given


def _require_same_origin(request: Request) -> None:
    """No other web page may act here on a visitor's behalf."""
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise SlackError("foreign_origin", f"{origin} may not act here")
