"""What Markdown's grammar lacks for replies of models: formulas stay as written, footnotes are no links."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

_FORMULA = re.compile(
    r"\\\(.+?\\\)|\\\[.+?\\\]|\$\$.+?\$\$|\$(?![\s$])(?:[^$`\n\\]|\\.)+?(?<![\s\\])\$(?![\w$])", re.DOTALL
)
"""A formula in a line; an amount such as $5 begins none."""
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:")
_LONGEST = 4_000
"""Characters of such a formula: looking for the end of one takes no longer."""
_DISPLAYED = {"$$": "$$", "\\[": "\\]"}
"""What opens and closes a formula on rows of its own."""


@cache
def parser() -> MarkdownIt:
    """The parser of all bodies."""
    # 50 ms of CPU to import: paid when the first message is rendered.
    from markdown_it import MarkdownIt

    return _extended(MarkdownIt("gfm-like"))


@cache
def block_parser() -> MarkdownIt:
    """The same grammar, for where blocks begin: what is in them is not parsed."""
    from markdown_it import MarkdownIt

    rules = ["inline", "linkify", "replacements", "smartquotes"]
    return _extended(MarkdownIt("gfm-like").disable(rules, ignoreInvalid=True))


def _extended(made: MarkdownIt) -> MarkdownIt:
    made.block.ruler.before("fence", "formula", _formula_block, {"alt": ["paragraph", "blockquote", "list"]})
    made.block.ruler.before("reference", "footnote", _footnote, {"alt": ["paragraph"]})
    made.inline.ruler.before("escape", "formula", _formula)
    return made


def _formula(state: StateInline, silent: bool) -> bool:
    """A formula, which is text: its underscores and backslashes mean nothing."""
    if state.src[state.pos] not in "\\$":
        return False
    found = _FORMULA.match(state.src, state.pos, min(state.posMax, state.pos + _LONGEST))
    if found is None:
        return False
    if not silent:
        for number, row in enumerate(found[0].split("\n")):
            if number:
                state.push("hardbreak", "br", 0)
            state.push("formula", "", 0).content = row
    state.pos = found.end()
    return True


def _formula_block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A formula on rows of its own, up to what closes it; a blank row is never part of it."""
    if state.is_code_block(first):
        return False
    opening = _row(state, first).rstrip()
    closing = _DISPLAYED.get(opening[:2])
    if closing is None:
        return False
    end, row = first, opening[2:]
    while not row.rstrip().endswith(closing):
        end += 1
        if end >= last or state.isEmpty(end) or state.sCount[end] < state.blkIndent:
            return False
        row = _row(state, end)
    if not silent:
        state.line = end + 1
        token = state.push("formula_block", "", 0)
        token.content = state.getLines(first, end + 1, state.sCount[first], False)
        token.map = [first, end + 1]
    return True


def _row(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _footnote(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A footnote is a paragraph of its own: as a link definition it would vanish."""
    if state.is_code_block(first) or not _FOOTNOTE.match(_row(state, first)):
        return False
    if not silent:
        from markdown_it.rules_block import paragraph

        paragraph(state, first, last, False)
    return True
