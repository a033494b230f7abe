"""ChatGPT's export: each conversation a tree of nodes, most of them messages.

OpenAI does not document the form; others have (github.com/mitkury/chatgpt-export-parser, `docs`), so that
nothing is taken for granted of it. `conversations.json` is a list; a conversation has `title`, `create_time`,
`update_time`, `current_node`, `conversation_id` (or `id`) and `mapping`, whose nodes have `parent` and
`message`; a message has `author.role`, `create_time`, `recipient`, `metadata`, and `content` with
`content_type` and `parts`.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

from tui.core.chat import Conversation, Message, Role
from tui.core.text import sanitize_line
from tui.services.entries import TITLE_LENGTH, title_of

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_NOT_IMPORTED = "*(an image or a file, which is not in the export's text)*"
_HIDDEN = "is_visually_hidden_from_conversation"


def read_chatgpt(entry: Any, user: str) -> tuple[Conversation, tuple[Message, ...], int]:
    """A conversation with its messages, all branches; and how many images and files it only points to.

    The ids are made of the export's own, so that they are the same whenever it is read. What is no one's
    words to the other (system messages, calls of tools, hidden ones) is left out of the tree.

    Args:
        entry: One member of the export's list.
        user: Whose it becomes.

    Raises:
        ValueError: It is not such a conversation; the text says why.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("mapping"), dict):
        raise ValueError("it has no messages")  # noqa: TRY004  # a file's content, not a caller's mistake
    mapping: dict[str, Any] = entry["mapping"]
    created = _moment(entry.get("create_time")) or _moment(0)
    assert created is not None
    name = entry.get("conversation_id") or entry.get("id")
    if not isinstance(name, str) or not name:
        raise ValueError("it has no id")
    tree = _Tree(mapping, name, created)
    messages = tree.messages()
    if not messages:
        raise ValueError("it has no messages")
    moments = [created, *(message.created_at for message in messages)]
    updated = max([_moment(entry.get("update_time")) or created, *moments])
    given = entry.get("title")
    title = sanitize_line(given, TITLE_LENGTH) if isinstance(given, str) else ""
    head = tree.kept_from(entry.get("current_node")) or messages[-1].id
    conversation = Conversation(
        _made_id(name, created),
        user,
        title or title_of(messages[0].text),
        created,
        updated,
        head_id=head,
        message_count=len(messages),
        titled_by_user=bool(title),
        tags=("chatgpt",),
    )
    return conversation, messages, tree.left_out


class _Tree:
    """The nodes of a conversation."""

    def __init__(self, mapping: dict[str, Any], name: str, created: datetime) -> None:
        self._mapping = mapping
        self._name = name
        self._created = created
        self._texts = {node_id: text for node_id in mapping if (text := self._text(node_id))}
        self._times = {node_id: self._time(node_id) for node_id in self._texts}
        self._ids = {node: _made_id(f"{name}/{node}", at) for node, at in self._times.items()}
        self.left_out = 0

    def messages(self) -> tuple[Message, ...]:
        """The messages that are kept: parents before their children, and earlier ones first."""
        made = []
        depths = self._depths()
        for node_id in sorted(self._texts, key=lambda node: (depths[node], self._times[node])):
            message = self._mapping[node_id]["message"]
            metadata = message.get("metadata")
            slug = metadata.get("model_slug") if isinstance(metadata, dict) else None
            role = _ROLES[message["author"]["role"]]
            made.append(
                Message(
                    self._ids[node_id],
                    role,
                    self._texts[node_id],
                    self._times[node_id],
                    parent_id=self.kept_from(self._parent(node_id)),
                    model=slug if role is Role.ASSISTANT and isinstance(slug, str) else None,
                )
            )
            self.left_out += self._texts[node_id].count(_NOT_IMPORTED)
        return tuple(made)

    def kept_from(self, node_id: object) -> str | None:
        """The id of the nearest message that is kept, from a node on towards the beginning."""
        seen = set()
        while isinstance(node_id, str) and node_id in self._mapping and node_id not in seen:
            if node_id in self._ids:
                return self._ids[node_id]
            seen.add(node_id)
            node_id = self._parent(node_id)
        return None

    def _parent(self, node_id: str) -> object:
        node = self._mapping[node_id]
        return node.get("parent") if isinstance(node, dict) else None

    def _depths(self) -> dict[str, int]:
        """How many nodes each is away from the beginning."""
        depths: dict[str, int] = {}
        for node_id in self._mapping:
            way: list[str] = []
            at: object = node_id
            while isinstance(at, str) and at in self._mapping and at not in depths:
                way.append(at)
                depths[at] = 0  # so that a tree that bites its tail ends
                at = self._parent(at)
            start = depths.get(at, 0) if isinstance(at, str) else 0
            for number, passed in enumerate(reversed(way), start=1):
                depths[passed] = start + number
        return depths

    def _time(self, node_id: str) -> datetime:
        return _moment(self._mapping[node_id]["message"].get("create_time")) or self._created

    def _text(self, node_id: str) -> str:
        """What a node says; empty where it is not kept."""
        node = self._mapping[node_id]
        message = node.get("message") if isinstance(node, dict) else None
        if not isinstance(message, dict) or not isinstance(author := message.get("author"), dict):
            return ""
        metadata = message.get("metadata")
        hidden = isinstance(metadata, dict) and metadata.get(_HIDDEN)
        if author.get("role") not in _ROLES or hidden or message.get("recipient") not in (None, "all"):
            return ""
        content = message.get("content")
        if not isinstance(content, dict):
            return ""
        match content.get("content_type"):
            case "text" | "multimodal_text":
                parts = content.get("parts")
                return "\n\n".join(filter(None, map(_part, parts if isinstance(parts, list) else []))).strip()
            case "code":
                text = content.get("text")
                return f"```\n{text.strip()}\n```" if isinstance(text, str) and text.strip() else ""
        return ""


def _part(part: object) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict):
        text = part.get("text")
        return text if isinstance(text, str) else _NOT_IMPORTED
    return ""


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _made_id(name: str, at: datetime) -> str:
    """An id as `new_id` makes them, but the same for the same name and time."""
    digest = hashlib.sha256(f"chatgpt/{name}".encode()).hexdigest()
    return f"{max(0, int(at.timestamp() * 1000)):012x}{digest[:12]}"
