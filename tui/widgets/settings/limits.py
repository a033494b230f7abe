"""Section 4: the day's limits, whose midnight ends a day, and the limits of a reply."""

import asyncio
import zoneinfo
from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Static

from tui.core.chat import REASONING_EFFORTS
from tui.core.errors import InvalidValueError
from tui.core.settings import DEFAULT_TIERS
from tui.services.services import Services
from tui.widgets.checked_field import CheckedField, Choice
from tui.widgets.settings.section import SAVED, Section
from tui.widgets.settings.setting_fields import setting_field, tier_choices
from tui.widgets.settings.titles import LIMITS

ZONES = ("time_zone", "display_time_zone")


class LimitsSection(Section):
    """Tier, tiers, time zones, and what a reply may be. What the host decides is an admin's to change.

    Args:
        services: What reads and changes them.
    """

    class ZonesFound(Message):
        """The time zones that this machine knows."""

        def __init__(self, names: tuple[str, ...]) -> None:
            super().__init__()
            self.names = names

        def __rich_repr__(self) -> Iterable[tuple[str, int]]:
            yield "count", len(self.names)

    def __init__(self, services: Services) -> None:
        super().__init__(services, LIMITS, id="settings-limits")
        self._admin = services.settings.is_admin()

    def compose(self) -> ComposeResult:
        """What a user decides, between what the host decides."""
        services = self.services
        if self._admin:
            yield setting_field(services, "tier", "Tier", choices=self._tiers(), strict=True, classes="short")
            for name in services.settings.host().tiers:
                yield self._tier_field(name)
            yield CheckedField(
                "Add tier", check=_check_tier, placeholder="pro 50,000", id="new-tier", classes="amount"
            )
            yield setting_field(
                services, "time_zone", "Day ends in", hint="A day on default keys ends at midnight there."
            )
            yield setting_field(services, "host_name", "Host name", placeholder="King's Credits")
        else:
            yield Static(self._words(), id="tier-words", markup=False)
        yield setting_field(
            services, "display_time_zone", "Times shown in", placeholder=services.settings.host().time_zone
        )
        yield setting_field(services, "max_output", "Longest reply", suffix="tokens", classes="short")
        yield setting_field(
            services,
            "temperature",
            "Temperature",
            placeholder="the model's",
            suffix="0 to 2",
            classes="short",
        )
        yield setting_field(
            services,
            "reasoning_effort",
            "Reasoning",
            choices=[Choice(effort) for effort in REASONING_EFFORTS],
            placeholder="the model's",
            hint="How much a model that reasons may think; more costs more tokens.",
            classes="short",
        )
        yield setting_field(
            services,
            "system_prompt",
            "System prompt",
            lines=True,
            placeholder="none",
        )

    def on_mount(self) -> None:
        """Find the time zones behind the screen: it reads hundreds of files."""
        self.run_worker(self._find_zones(), group="zones", exclusive=True, exit_on_error=False)

    def reload(self) -> None:
        """Take over values, and tiers that came or went."""
        super().reload()
        if not self._admin:
            self.query_one("#tier-words", Static).update(self._words())
            return
        for field in self.query(CheckedField):
            if field.name == "tier":
                field.set_choices(self._tiers())
        self._mount_tiers()

    def _mount_tiers(self) -> None:
        shown = {field.name: field for field in self.query(CheckedField)}
        wanted = {f"tiers.{name}": name for name in self.services.settings.host().tiers}
        for name, field in shown.items():
            if name and name.startswith("tiers.") and name not in wanted:
                field.remove()
        for name, tier in wanted.items():
            if name not in shown:
                self.mount(self._tier_field(tier), before="#new-tier")

    def _tier_field(self, name: str) -> CheckedField:
        return setting_field(
            self.services,
            f"tiers.{name}",
            f"  {name}",
            hint="" if name in DEFAULT_TIERS else "Type remove to take it away.",
            suffix="tokens/day",
            classes="amount",
        )

    def _tiers(self) -> tuple[Choice, ...]:
        return tier_choices(self.services.settings.host())

    def _words(self) -> str:
        limit = self.services.settings.tier_limit()
        tier = self.services.settings.user().tier
        allowance = "unlimited tokens" if limit is None else f"{limit:,} tokens"
        return f"Your tier is {tier}: {allowance} a day on default keys."

    async def _find_zones(self) -> None:
        names = await asyncio.to_thread(zoneinfo.available_timezones)
        self.post_message(self.ZonesFound(tuple(sorted(names))))

    async def _add_tier(self, name: str, limit: str) -> str:
        await self.services.settings.set(f"tiers.{name}", limit)
        return SAVED

    @on(ZonesFound)
    def _on_zones_found(self, event: ZonesFound) -> None:
        event.stop()
        choices = tuple(Choice(name) for name in event.names)
        for field in self.query(CheckedField):
            if field.name in ZONES:
                field.set_choices(choices)

    @on(CheckedField.Committed, "#new-tier")
    def _on_new_tier(self, event: CheckedField.Committed) -> None:
        event.stop()
        name, _, limit = event.value.strip().partition(" ")
        self.attempt(event.control, self._add_tier(name, limit))


def _check_tier(text: str) -> str:
    name, _, limit = text.strip().partition(" ")
    if not name or not limit.strip():
        raise InvalidValueError("Enter a name and its tokens per day: pro 50,000")
    return "Enter adds it."
