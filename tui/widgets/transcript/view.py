"""One entry as lines: marker, head, reasoning, body, notes, error and status."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from tui.core.chat import MessageStatus
from tui.core.text import sanitize, sanitize_line
from tui.widgets.transcript.lines import BLANK, TAB, Line, line_of, prefix, wrap
from tui.widgets.transcript.model import STATUS_WORDS, Entry, Thing
from tui.widgets.transcript.paint import links_in
from tui.widgets.transcript.palette import Palette

if TYPE_CHECKING:
    from tui.widgets.transcript.body import Body

_BAR = "▌ "
_BETWEEN = " · "
"""Between the parts of what stands at the right of a head line."""
_CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English text, used where the provider counted no reasoning tokens."""


class Place(NamedTuple):
    """A line of an entry."""

    part: int
    """The part that it is in; parts stay what they are when heights change."""
    line: int
    """Lines of the part before it."""


class EntryView:
    """The lines of an entry in parts: what is before the body, the body's sections, and what is after.

    Only the parts that are asked for are rendered; the heights of the others are estimates.
    """

    def __init__(self, prelude: list[Line], coda: list[Line], body: "Body | None" = None) -> None:
        self._prelude = prelude
        self._coda = coda
        self.body = body
        """The body; None where there is none."""

    def __len__(self) -> int:
        """Rows in all."""
        return len(self._prelude) + self._body_rows + len(self._coda)

    @property
    def _body_rows(self) -> int:
        return self.body.heights.total if self.body else 0

    @property
    def parts(self) -> int:
        """How many parts there are; the first and the last may be empty."""
        return 2 + (len(self.body) if self.body else 0)

    def find(self, row: int) -> Place:
        """The part that a row is in, and the line of the part."""
        before, body = len(self._prelude), self._body_rows
        if row < before or not self.body:
            return Place(0, row) if row < before else Place(self.parts - 1, row - before)
        if row >= before + body:
            return Place(self.parts - 1, row - before - body)
        section, line = self.body.heights.find(row - before)
        return Place(section + 1, line)

    def offset(self, part: int) -> int:
        """Rows before a part."""
        if part == 0:
            return 0
        if part >= self.parts - 1 or not self.body:
            return len(self._prelude) + self._body_rows
        return len(self._prelude) + self.body.heights.offset(part - 1)

    def lines_of(self, part: int) -> list[Line]:
        """The lines of a part, which measures it."""
        if part == 0:
            return self._prelude
        return self._coda if part >= self.parts - 1 or not self.body else self.body.lines(part - 1)

    def source_of(self, part: int) -> str:
        """The source of a part of the body, without rendering it; the text of the others."""
        if self.body and 0 < part < self.parts - 1:
            return self.body.source_of(part - 1)
        return "\n".join(line.text for line in self.lines_of(part))

    def is_measured(self, part: int) -> bool:
        """Whether the height of a part is known."""
        return not self.body or not 0 < part < self.parts - 1 or self.body.is_measured(part - 1)

    def line(self, row: int) -> tuple[Line, Place]:
        """One line, and where it is; BLANK where a height was estimated too high."""
        place = self.find(row)
        lines = self.lines_of(place.part)
        return (lines[place.line] if place.line < len(lines) else BLANK), place

    def lines(self) -> list[Line]:
        """All lines, which renders all: for tests, and for entries known to be short."""
        return [line for part in range(self.parts) for line in self.lines_of(part)]

    def measure(self, top: int, bottom: int) -> bool:
        """Render the parts in the rows from `top` up to `bottom`; returns whether a height changed."""
        if not self.body or bottom <= top:
            return False
        rows = len(self)
        first, last = self.find(max(0, top)).part, self.find(max(0, bottom - 1)).part
        for part in range(first, last + 1):
            if not self.is_measured(part):
                self.lines_of(part)
        return len(self) != rows

    # Things

    def thing(self, number: int) -> Thing | None:
        """The thing of a number."""
        return self.body.thing(number) if self.body else None

    @property
    def things(self) -> list[Thing]:
        """All things, which renders every section that may hold one."""
        numbers: list[int] = []
        number = self.thing_beyond(None, 1)
        while number is not None:
            numbers.append(number)
            number = self.thing_beyond(number, 1)
        return [thing for number in numbers if (thing := self.thing(number)) is not None]

    def thing_beyond(self, number: int | None, step: int) -> int | None:
        """The number of the next thing in a direction, 1 or -1; None begins at the first or the last."""
        if (body := self.body) is None:
            return None
        from tui.widgets.transcript.body import THINGS_PER_SECTION

        section, place = divmod(number, THINGS_PER_SECTION) if number is not None else (-1, 0)
        if number is None:
            section, place = (0, -1) if step > 0 else (len(body) - 1, -1)
        else:
            place += step
            if not 0 <= place < len(body.things(section)):
                section, place = section + step, -1
        while 0 <= section < len(body):
            if place >= 0:
                return section * THINGS_PER_SECTION + place
            if body.may_hold_things(section) and (things := body.things(section)):
                place = 0 if step > 0 else len(things) - 1
            else:
                section += step
        return None

    def code_block(self, number: int) -> int | None:
        """The number, among the things, of a code block by its number in the entry from 1."""
        wanted = f"code block {number}"
        section = self.body.section_of_code(number) if self.body else None
        if section is not None and self.body is not None:
            for thing, at in zip(things := self.body.things(section), range(len(things)), strict=True):
                if thing.label == wanted:
                    return things.first + at
        at_thing = self.thing_beyond(None, 1)
        while at_thing is not None:
            found = self.thing(at_thing)
            if found is not None and found.label == wanted:
                return at_thing
            at_thing = self.thing_beyond(at_thing, 1)
        return None

    def last_code_block(self) -> Thing | None:
        """The last code block; sections are rendered from the end until it is found."""
        number = self.thing_beyond(None, -1)
        while number is not None:
            if (thing := self.thing(number)) is not None and thing.kind == "code":
                return thing
            number = self.thing_beyond(number, -1)
        return None

    def place_of(self, number: int) -> Place:
        """Where a thing begins."""
        from tui.widgets.transcript.body import THINGS_PER_SECTION

        part = number // THINGS_PER_SECTION + 1
        lines = self.lines_of(part)
        at = (n for n, line in enumerate(lines) if line.thing == number or number in links_in(line))
        return Place(part, next(at, 0))


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
        self, entry: Entry, *, unfolded: bool, marker: str = "", body: "Body | None" = None
    ) -> EntryView:
        """The view of an entry.

        Args:
            entry: What to show; its texts are sanitised already.
            unfolded: Whether its reasoning is shown in full.
            marker: The line that stands before it; empty for none.
            body: Its body, where it has any.
        """
        prelude = self._marker(marker) if marker else []
        prelude += self._head(entry) + self._reasoning(entry, unfolded=unfolded)
        return EntryView(prelude, self._coda(entry), body)

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
        parts = meta.split(_BETWEEN)
        while parts and name.cell_length + 2 + cell_len(_BETWEEN.join(parts)) > self.width:
            parts.pop()  # the first say most
        stop = len(name.plain)
        if meta := _BETWEEN.join(parts):
            gap = self.width - name.cell_length - cell_len(meta)
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
        notes = [self._note(note) for note in entry.notes]
        lines = [line_of(Content(word), style, stop=0)] if word else []
        if entry.error:
            lines += wrap(Content(sanitize_line(entry.error, 1000)), self.width - len(_BAR), style)
        if failed:
            lines = prefix(lines, _BAR, _BAR, style, decoration=True)
        lines = [*notes, *lines]
        if lines and entry.body:
            lines.insert(0, BLANK)
        return [*lines, BLANK]

    def _note(self, note: str) -> Line:
        text = Content(sanitize_line(note)).truncate(self.width, ellipsis=True)
        return line_of(text, self.palette.over_base("meta"), stop=0)
