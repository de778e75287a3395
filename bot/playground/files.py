"""Files that were uploaded to the workspace: announced, sent, completed."""

import mimetypes
import secrets
from dataclasses import dataclass
from typing import Any

from bot.playground.errors import SlackError
from bot.playground.people import BOT_USER

PICTURES = {"image/png", "image/jpeg", "image/gif"}
MOST_BYTES = 32 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class File:
    """One uploaded file. It shows once its upload was completed."""

    id: str
    name: str
    length: int
    created: int
    title: str = ""
    alt_text: str = ""
    content: bytes | None = None
    completed: bool = False
    channels: list[str] | None = None

    @property
    def mimetype(self) -> str:
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    @property
    def is_picture(self) -> bool:
        return self.mimetype in PICTURES

    def as_slack(self, own_url: str) -> dict[str, Any]:
        address = f"{own_url}/playground/files/{self.id}/{self.name}"
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "alt_txt": self.alt_text,
            "mimetype": self.mimetype if self.completed else "",
            "filetype": self.name.rpartition(".")[2],
            "user": BOT_USER,
            "size": len(self.content or b""),
            "mode": "hosted",
            "is_public": False,
            "url_private": address,
            "url_private_download": address,
            "permalink": address,
            "channels": self.channels or [],
        }


class Files:
    """All files of the workspace."""

    def __init__(self) -> None:
        self.all: dict[str, File] = {}

    def announce(self, name: str, length: int, created: int, alt_text: str) -> File:
        if length > MOST_BYTES:
            raise SlackError("file_upload_size_restricted")
        file = File(
            id=f"F{secrets.token_hex(5).upper()}",
            name=name,
            length=length,
            created=created,
            alt_text=alt_text,
        )
        self.all[file.id] = file
        return file

    def receive(self, file_id: str, content: bytes) -> None:
        """Take the bytes of an announced file; raises SlackError when they are not as announced."""
        file = self.find(file_id)
        if len(content) != file.length:
            raise SlackError(
                "invalid_arguments", f"{len(content)} bytes came and {file.length} were announced"
            )
        file.content = content

    def complete(self, file_id: str, title: str) -> File:
        file = self.find(file_id)
        if file.content is None:
            raise SlackError("file_not_found", f"{file_id} was announced and never uploaded")
        file.title, file.completed = title or file.name, True
        return file

    def find(self, file_id: str) -> File:
        if file_id not in self.all:
            raise SlackError("file_not_found")
        return self.all[file_id]
