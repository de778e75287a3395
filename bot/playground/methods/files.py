"""files.*: the two-step upload, and what became of it."""

from typing import Any

from bot.playground.errors import SlackError
from bot.playground.files import File
from bot.playground.messages import Message
from bot.playground.methods.chat import read_content
from bot.playground.methods.method import Answer, Call, Method
from bot.playground.people import BOT_USER
from bot.playground.rate_limits import Tier

MOST_BYTES = 1 << 30


def get_upload_url(call: Call) -> Answer:
    name = call.arguments.required("filename").replace("/", "_")
    length = call.arguments.number("length", 0, least=1, most=MOST_BYTES)
    created = int(call.workspace.now().timestamp())
    file = call.workspace.files.announce(name, length, created, call.arguments.text("alt_txt"))
    return {"file_id": file.id, "upload_url": f"{call.own_url}/playground/upload/{file.id}"}


def complete_upload(call: Call) -> Answer:
    given = call.arguments.structure("files")
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        raise SlackError("invalid_arguments", "files must be an array of objects [json-pointer:/files]")
    files = [
        call.workspace.files.complete(str(item.get("id")), str(item.get("title") or "")) for item in given
    ]
    if channel := call.arguments.text("channel_id") or call.arguments.text("channels"):
        _share(call, channel, files)
    return {"files": [file.as_slack(call.own_url) for file in files]}


def info(call: Call) -> Answer:
    file = call.workspace.files.find(call.arguments.required("file"))
    return {"file": file.as_slack(call.own_url), "comments": [], "response_metadata": {"next_cursor": ""}}


def _share(call: Call, reference: str, files: list[File]) -> None:
    channel = call.workspace.channel(reference)
    if channel.archived or BOT_USER not in channel.members:
        raise SlackError("is_archived" if channel.archived else "not_in_channel")
    comment = call.arguments.text("initial_comment")
    content: dict[str, Any] = {"text": comment}
    if comment or call.arguments.has("blocks"):
        content = read_content(comment, {"blocks": call.arguments.structure("blocks")}, call)
    for file in files:
        file.channels = [*(file.channels or []), channel.id]
    call.workspace.post(
        Message(
            ts=call.workspace.new_ts(),
            channel=channel.id,
            user=BOT_USER,
            subtype="file_share",
            thread_ts=call.arguments.text("thread_ts") or None,
            files=[file.id for file in files],
            **content,
        )
    )


METHODS = {
    "files.getUploadURLExternal": Method(run=get_upload_url, tier=Tier.FOUR, scopes=("files:write",)),
    "files.completeUploadExternal": Method(run=complete_upload, tier=Tier.FOUR, scopes=("files:write",)),
    "files.info": Method(run=info, tier=Tier.FOUR, scopes=("files:read",)),
}
