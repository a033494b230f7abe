"""The body of one entry: sections whose heights are estimated until they are rendered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from textual.cache import LRUCache
from textual.content import Content

from tui.widgets.transcript.flow import Flow, Start
from tui.widgets.transcript.layout import Heights
from tui.widgets.transcript.lines import TAB, Line, wrap
from tui.widgets.transcript.markdown import parse
from tui.widgets.transcript.model import MAY_HOLD_THINGS, Thing, Things
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.sections import LIST_LENGTH, Section, markdown_sections, plain_sections

THINGS_PER_SECTION = 1 << 20
"""Things are numbered by section * this + their place in it: rendering one section numbers no other's."""


@dataclass(slots=True)
class Rendered:
    """The lines of a section, and the things in it."""

    lines: list[Line]
    things: Things


SectionCache = LRUCache[tuple[int, int], Rendered]
"""Rendered sections of all bodies, by the body's state and the section's number."""

_states = count()


class Body:
    """Markdown, or plain text, in sections that are rendered when they are asked for.

    Args:
        source: The text; sanitised.
        key: The entry's key.
        cache: Where rendered sections are kept.
        plain: Whether the text is shown as it is.
        growing: Whether more will come.
    """

    def __init__(
        self, source: str, key: str, cache: SectionCache, *, plain: bool = False, growing: bool = False
    ) -> None:
        self._source = source
        self._key = key
        self._cache = cache
        self._plain = plain
        self._growing = growing
        self._sections = plain_sections(source) if plain else [Section(0, len(source))]
        if not plain:
            self._part_tail()
        self._measured = [False] * len(self._sections)
        self._state = next(_states)
        self._width = 0
        self._palette = Palette()
        self._flow: Flow | None = None
        self._references: dict[str, Any] | None = None
        self._late = False
        """Whether a link was defined after it may have been used."""
        self.heights = Heights()
        """Heights of the sections in rows."""

    def __len__(self) -> int:
        """How many sections there are."""
        return len(self._sections)

    def use(self, width: int, palette: Palette) -> None:
        """Render with another width or palette from here on; at the same width the heights stay."""
        self._flow, self._palette = None, palette
        self._state = next(_states)
        if width != self._width:
            self._width = width
            self._measured = [False] * len(self._sections)
            self.heights = Heights(map(self._estimate, self._sections))
        if self._growing:
            self._advance()

    def extend(self, source: str) -> None:
        """Take what was added to the text, without rendering it."""
        self._source, self._sections[-1].end = source, len(source)
        known = len(self._sections)
        if self._part_tail():
            self._flow = None
            self._measured += [False] * (len(self._sections) - known)
            self._measured[known - 1] = False
            self.heights.set(known - 1, self._estimate(self._sections[known - 1]))
            for section in self._sections[known:]:
                self.heights.append(self._estimate(section))

    def grow(self, source: str) -> None:
        """Take what was added to the text, and render it."""
        self.extend(source)
        self._advance()

    def finish(self, source: str) -> None:
        """Take the last of the text: what was approximate is rendered again when it is seen."""
        self.grow(source)
        self._growing = False
        flow, self._flow = self._flow, None
        if flow is None:
            return
        last = len(self._sections) - 1
        if self._late:
            self._state, self._references = next(_states), None
            self._measured = [False] * len(self._sections)
        elif flow.exact:
            self._keep(last, flow)
        else:
            self._measured[last] = False

    def is_measured(self, number: int) -> bool:
        """Whether the height of a section is known."""
        return self._measured[number]

    def lines(self, number: int) -> list[Line]:
        """The lines of a section, which measures it."""
        return self._rendered(number).lines

    def source_of(self, number: int) -> str:
        """The source of a section."""
        section = self._sections[number]
        return self._source[section.start : section.end]

    def _part_tail(self) -> bool:
        """Part the last section where it is long, before it is rendered; returns whether that was so."""
        tail = self._sections[-1]
        if tail.opening or tail.joined or tail.end - tail.start < LIST_LENGTH:
            return False
        parts = markdown_sections(self._text(tail))
        if self._growing and len(parts) > 1 and "\n" not in self._source[tail.start + parts[-1].start :]:
            last = parts.pop()  # its first row may yet become another kind of block
            parts[-1].end = last.end
        for part in parts:
            part.start, part.end = part.start + tail.start, part.end + tail.start
        self._sections[-1:] = parts
        return len(parts) > 1

    # Things

    def things(self, number: int) -> Things:
        """The things that begin in a section."""
        return self._rendered(number).things

    def may_hold_things(self, number: int) -> bool:
        """Whether a section must be rendered to know what it holds."""
        if self._plain:
            return False
        source = self.source_of(number)
        return MAY_HOLD_THINGS.search(source) is not None or bool("[" in source and self._known_references())

    def thing(self, number: int) -> Thing | None:
        """The thing of a number; a long code block is put together from its sections."""
        section, place = divmod(number, THINGS_PER_SECTION)
        if not 0 <= section < len(self._sections):
            return None
        things = self.things(section)
        if place >= len(things):
            return None
        thing = things[place]
        parts = [part for part in self._continued(section) if place == 0]
        if not parts:
            return thing
        code = [parse(part.opening + self._text(part), {})[0].content for part in parts]
        return replace(thing, text="".join(code))

    def section_of_code(self, number: int) -> int | None:
        """The section that probably holds a code block, by its number in the entry from 1."""
        before = 0
        for index, section in enumerate(self._sections):
            before += section.codes
            if number <= before:
                return index
        return None

    def _continued(self, number: int) -> list[Section]:
        """A section that a long fence begins, and those that go on with it; none for any other."""
        end = number + 1
        while end < len(self._sections) and self._sections[end].opening:
            end += 1
        return self._sections[number:end] if end > number + 1 else []

    # Rendering

    def _text(self, section: Section) -> str:
        return self._source[section.start : section.end]

    def _estimate(self, section: Section) -> int:
        length = section.end - section.start
        rows = self._source.count("\n", section.start, section.end)
        return rows + length // max(1, self._width) + 1 if length else 0

    def _rendered(self, number: int) -> Rendered:
        if self._flow is not None and number == len(self._sections) - 1:
            return Rendered(self._flow.lines, self._flow.things)
        rendered = self._cache.get((self._state, number))
        if rendered is None:
            rendered = self._render(number)
        return rendered

    def _render(self, number: int) -> Rendered:
        section = self._sections[number]
        if self._plain:
            text = self._text(section).removesuffix("\n").replace("\t", TAB)
            lines = wrap(Content(text), self._width, self._palette.base) if section.end else []
            return self._put(number, Rendered(lines, Things()))
        flow = self._new_flow(number)
        flow.render(self._text(section))
        if flow.codes != section.codes:
            section.codes = flow.codes
            for later in range(number + 1, len(self._sections)):
                self._cache.discard((self._state, later))
        return self._keep(number, flow)

    def _keep(self, number: int, flow: Flow) -> Rendered:
        return self._put(number, Rendered(flow.lines, flow.things))

    def _put(self, number: int, rendered: Rendered) -> Rendered:
        self._cache[(self._state, number)] = rendered
        self._measured[number] = True
        if self.heights[number] != len(rendered.lines):
            self.heights.set(number, len(rendered.lines))
        return rendered

    def _new_flow(self, number: int) -> Flow:
        return Flow(self._width, self._palette, self._key, self._start(number), self._known_references())

    def _start(self, number: int) -> Start:
        section = self._sections[number]
        fence = number
        while fence > 0 and self._sections[fence].opening:
            fence -= 1
        gap = not section.opening and self.heights.offset(number) > 0
        if section.joined:
            gap = self._source.endswith("\n\n", 0, section.start)
        return Start(
            first=number * THINGS_PER_SECTION,
            codes=sum(before.codes for before in self._sections[:number]),
            gap=gap,
            opening=section.opening,
            fence=fence * THINGS_PER_SECTION,
        )

    def _known_references(self) -> dict[str, Any]:
        """The link definitions of the whole text; only sections that may hold one are parsed."""
        if self._references is None:
            self._references = {}
            if "]:" in self._source:
                for section in self._sections:
                    if "]:" in (text := self._text(section)):
                        parse(section.opening + text, self._references)
        return self._references

    def _advance(self) -> None:
        """Render the tail again, and part from it what is settled."""
        number = len(self._sections) - 1
        if self._flow is None:
            self._flow = self._new_flow(number)
        flow = self._flow
        flow.advance(self._text(self._sections[number]))
        while (settled := flow.settled()) is not None:
            tail = self._sections[number]
            end = tail.start + settled.length
            following = Section(end, tail.end, settled.opening, settled.joined)
            tail.end, tail.codes = end, settled.codes
            self._put(number, Rendered(settled.lines, settled.things))
            found = len(settled.references) > len(self._references or {})
            self._late = self._late or (found and (number > 0 or not flow.exact))
            self._references = settled.references
            self._sections.append(following)
            self._measured.append(False)
            self.heights.append(0)
            number += 1
            flow = self._flow = self._new_flow(number)
            flow.advance(self._text(following))
        tail = self._sections[number]
        tail.codes = flow.codes
        if len(flow.references) > len(self._references or {}):
            self._late = self._late or number > 0
        self._measured[number] = True
        if self.heights[number] != len(flow.lines):
            self.heights.set(number, len(flow.lines))
