"""The Web API's methods, one family per module: what each needs and does."""

from bot.playground.methods import bookmarks, chat, conversations, files, people, views, workspace
from bot.playground.methods.method import Method

METHODS: dict[str, Method] = {
    **chat.METHODS,
    **views.METHODS,
    **conversations.METHODS,
    **people.METHODS,
    **files.METHODS,
    **bookmarks.METHODS,
    **workspace.METHODS,
}
