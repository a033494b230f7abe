"""One entry as lines: marker, head, reasoning, body, error and status."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from tui.core.chat import MessageStatus
from tui.core.text import sanitize, sanitize_line
from tui.widgets.transcript.lines import BLANK, TAB, Line, line_of, prefix, wrap
from tui.widgets.transcript.model import STATUS_WORDS, Entry, EntryRole, Thing
from tui.widgets.transcript.palette import Palette

if TYPE_CHECKING:
    from tui.widgets.transcript.flow import Flow

_BAR = "▌ "
_CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English text, used where the provider counted no reasoning tokens."""


@dataclass(slots=True)
class EntryView:
    """The lines of an entry, in three parts so that a growing body need not be copied."""

    prelude: list[Line]
    body: list[Line]
    coda: list[Line]
    things: list[Thing] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.prelude) + len(self.body) + len(self.coda)

    def line(self, number: int) -> Line:
        """One line; `number` counts from 0 and must be less than the length."""
        if number < (before := len(self.prelude)):
            return self.prelude[number]
        if number < before + len(self.body):
            return self.body[number - before]
        return self.coda[number - before - len(self.body)]

    def lines(self) -> list[Line]:
        """All lines, copied."""
        return [*chain(self.prelude, self.body, self.coda)]


class EntryRenderer:
    """Renders entries at one width.

    The palette is asked for when the first entry is rendered: a widget's styles are not known before.
    """

    def __init__(self, width: int, resolve_palette: Callable[[], Palette] = Palette) -> None:
        self.width = width
        self._resolve_palette = resolve_palette

    @cached_property
    def palette(self) -> Palette:
        """The styles of this renderer."""
        return self._resolve_palette()

    def render(
        self, entry: Entry, *, unfolded: bool, marker: str = "", flow: "Flow | None" = None
    ) -> EntryView:
        """The view of an entry.

        Args:
            entry: What to show; its texts are sanitised already.
            unfolded: Whether its reasoning is shown in full.
            marker: The line that stands before it; empty for none.
            flow: The growing body, where the entry is streaming; it is advanced.
        """
        things: list[Thing] = []
        if flow is not None:
            flow.advance(entry.body)
            body, things = flow.lines, flow.things
        elif entry.role is EntryRole.USER:
            text = entry.body.strip("\n").replace("\t", TAB)
            body = wrap(Content(text), self.width, self.palette.base) if text else []
        else:
            # An empty transcript needs no Markdown: its modules are imported with the first entry.
            from tui.widgets.transcript.flow import render_document

            body, things = render_document(entry.body, self.width, self.palette, entry.key)
        prelude = self._marker(marker) if marker else []
        prelude += self._head(entry) + self._reasoning(entry, unfolded=unfolded)
        return EntryView(prelude, body, self._coda(entry), things)

    def _marker(self, words: str) -> list[Line]:
        text = Content(f" {words} ").truncate(self.width, ellipsis=True)
        side = max(0, self.width - text.cell_length) // 2
        rule = "─" * side
        line = line_of(Content.assemble(rule, text, rule), self.palette.over_base("marker"), stop=0)
        return [line, BLANK]

    def _head(self, entry: Entry) -> list[Line]:
        title, meta = sanitize_line(entry.title), sanitize_line(entry.meta)
        if not (title or meta):
            return []
        name = Content.styled(title, self.palette.part(entry.role.value)).truncate(self.width, ellipsis=True)
        gap = self.width - name.cell_length - cell_len(meta)
        stop = len(name.plain)
        if meta and gap >= 2:
            name = Content.assemble(name, " " * gap, (meta, self.palette.part("meta")))
        return [line_of(name, self.palette.base, stop=stop)]

    def _reasoning(self, entry: Entry, *, unfolded: bool) -> list[Line]:
        text = sanitize(entry.reasoning).strip("\n").replace("\t", TAB)
        if not text and not entry.reasoning_tokens:
            return []
        count = entry.reasoning_tokens
        amount = f"~{len(text) // _CHARACTERS_PER_TOKEN + 1:,}" if count is None else f"{count:,}"
        thinking = entry.status is MessageStatus.STREAMING and not entry.body
        words = f"{'Thinking:' if thinking else 'Thought for'} {amount} tokens"
        if text:
            words = f"{'▾' if unfolded else '▸'} {words}"
        style = self.palette.over_base("reasoning")
        click = Style.from_meta({"@click": f"toggle_reasoning({entry.key!r})"}) if text else Style.null()
        lines = [line_of(Content.styled(words, click).truncate(self.width, ellipsis=True), style, stop=0)]
        if unfolded and text:
            rows = wrap(Content(text), self.width - 2, style)
            lines += prefix(rows, "│ ", "│ ", style, decoration=True)
        return [*lines, BLANK]

    def _coda(self, entry: Entry) -> list[Line]:
        word = STATUS_WORDS.get(entry.status, "")
        failed = bool(entry.error) or entry.status is MessageStatus.FAILED
        style = self.palette.over_base("error" if failed else "status")
        lines = [line_of(Content(word), style, stop=0)] if word else []
        if entry.error:
            lines += wrap(Content(sanitize_line(entry.error, 1000)), self.width - len(_BAR), style)
        if failed:
            lines = prefix(lines, _BAR, _BAR, style, decoration=True)
        if lines and entry.body:
            lines.insert(0, BLANK)
        return [*lines, BLANK]
