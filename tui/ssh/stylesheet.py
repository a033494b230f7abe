"""The stylesheet of a session: its rules are parsed once for all sessions with the same theme."""

from typing import ClassVar

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation

MOST_KEPT = 1_024
"""Parsed sources: some 60 for each theme that is in use."""


class SharedStylesheet(Stylesheet):
    """A stylesheet that shares what it parsed: nothing writes to rules once they are parsed.

    Without it every session holds 1.2 MB of rules, and parses them before its first frame.

    Args:
        variables: The theme's, as text.
    """

    _parsed: ClassVar[LRUCache[tuple[object, ...], list[RuleSet]]] = LRUCache(MOST_KEPT)

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._theme = frozenset(self._variables.items())

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take another theme's variables."""
        super().set_variables(variables)
        self._theme = frozenset(variables.items())

    def _parse_rules(
        self,
        css: str,
        read_from: CSSLocation,
        is_default_rules: bool = False,
        tie_breaker: int = 0,
        scope: str = "",
    ) -> list[RuleSet]:
        key = (self._theme, css, read_from, is_default_rules, tie_breaker, scope)
        if (rules := self._parsed.get(key)) is None:
            rules = super()._parse_rules(css, read_from, is_default_rules, tie_breaker, scope)
            self._parsed[key] = rules
        return rules

    def reparse(self) -> None:
        """Parse what there is anew, with the variables as they are now; where that fails, the rules stay."""
        self.parse()
