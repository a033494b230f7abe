"""The settings tab: everything that a user, and the host, can decide."""

from dataclasses import replace
from typing import ClassVar, Self

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.layout import Layout
from textual.reactive import reactive
from textual.widget import Widget

from tui.core.days import zone
from tui.core.figures import UsageSnapshot
from tui.core.settings import provider_name
from tui.services.services import Services
from tui.widgets.settings.api_keys import ApiKeysSection
from tui.widgets.settings.appearance import AppearanceSection
from tui.widgets.settings.columns import ACROSS, ColumnsLayout
from tui.widgets.settings.limits import LimitsSection
from tui.widgets.settings.models_endpoints import ModelsEndpointsSection
from tui.widgets.settings.purchase_list import PurchaseList
from tui.widgets.settings.section import Section
from tui.widgets.settings.titles import TITLES, USERS, way_to
from tui.widgets.settings.token_quotas import TokenQuotasSection
from tui.widgets.settings.users import UsersSection
from tui.widgets.text_button import TextButton

WIDE = 100
"""Cells from which on the sections stand in two columns."""
_SECTION_OF = {"endpoints": 3, "tiers": 4, "tier": 4, "time_zone": 4, "keymap": 5}
"""The section of a setting that has no field of its own, by its name's first part; else the first section."""
LEFT = (1, 3)
"""The numbers of the sections of the left column; about half of the rows."""


class SettingsTab(VerticalScroll, can_focus=False):
    """Numbered sections, the last an admin's alone; a number jumps to its section while no text is typed.

    Args:
        services: What reads and changes the settings.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(number),
                f"jump({number})",
                f"Section {number}",
                id=f"settings.section_{number}",
                tooltip=way_to(number),
                show=False,
            )
            for number in TITLES
        ),
        Binding("up", "step(-1)", "Up", id="settings.up", tooltip="The field before", show=False),
        Binding("down", "step(1)", "Down", id="settings.down", tooltip="The field after", show=False),
        Binding(
            "pageup", "hop(-1)", "Section up", id="settings.page_up", tooltip="The section before", show=False
        ),
        Binding(
            "pagedown",
            "hop(1)",
            "Section down",
            id="settings.page_down",
            tooltip="The section after",
            show=False,
        ),
    ]

    snapshot: reactive[UsageSnapshot | None] = reactive(None)
    """The figures on the screen."""

    def __init__(self, services: Services) -> None:
        super().__init__(id="settings")
        self.services = services
        self._columns = ColumnsLayout(_column_of, WIDE)
        self._admin = services.settings.is_admin()

    def compose(self) -> ComposeResult:
        """The sections, in the order of their numbers."""
        yield ApiKeysSection(self.services)
        yield TokenQuotasSection(self.services).data_bind(SettingsTab.snapshot)
        yield ModelsEndpointsSection(self.services)
        yield LimitsSection(self.services)
        yield AppearanceSection(self.services)
        if self._admin:
            yield UsersSection(self.services)

    def on_mount(self) -> None:
        """Follow changes, whoever makes them."""
        self._known = self._facts()
        self._unsubscribe = self.services.accounting.subscribe(self._on_change)

    def on_unmount(self) -> None:
        """Follow them no longer."""
        self._unsubscribe()

    @property
    def layout(self) -> Layout:
        """Two columns where there is room for them."""
        return self._columns

    def focus(self, scroll_visible: bool = True) -> Self:  # noqa: ARG002 - the field scrolls into view by itself
        """Put the focus on a field: the first one, unless the focus is here already."""
        focused = self.screen.focused
        if focused is None or self not in focused.ancestors:
            self.call_after_refresh(self.focus_first)
        return self

    def focus_first(self) -> None:
        """Put the focus on the first field."""
        self.action_jump(1)

    def focus_key(self, provider: str) -> None:
        """Put the focus on the field of the user's own key for a provider."""
        self.query_one(ApiKeysSection).focus_key(provider)

    def focus_setting(self, name: str) -> None:
        """Put the focus on the field of a setting, by its dotted name, else on its section."""
        for widget in self.query("*"):
            if widget.name == name and widget.focusable:
                self._lead_to(widget)
                return
        self.action_jump(_SECTION_OF.get(name.partition(".")[0], 1))

    async def go_to(self, selector: str, action: str) -> None:
        """Put the focus on what a selector finds, and let it do something.

        Args:
            selector: Of what is in the tab; empty for the tab itself.
            action: In Textual's notation; empty for none.
        """
        found = next((widget for widget in self.query(selector or "*") if widget.focusable), None)
        if selector and found is not None:
            self._lead_to(found)
        if action:
            await self.app.run_action(action, found if selector else self)

    def _lead_to(self, widget: Widget) -> None:
        """Put the focus on a widget, and bring it into view once the way to the first field is gone."""
        self.app.animator.force_stop_animation(self, "scroll_y")
        widget.focus(scroll_visible=False)
        self.call_after_refresh(widget.scroll_visible, animate=False)

    def action_jump(self, number: int) -> None:
        """Go to a section by its number."""
        for section in self._sections():
            if section.number == number:
                # The way to a field that had the focus before would lead back from here.
                self.app.animator.force_stop_animation(self, "scroll_y")
                section.focus_first()
                section.scroll_visible(top=True, animate=False)

    def action_hop(self, step: int) -> None:
        """Go to the section before or after the one in focus."""
        numbers = [section.number for section in self._sections()]
        at = next((s.number for s in self._sections() if s.has_focus_within), numbers[0] - step)
        index = numbers.index(at) + step if at in numbers else 0
        self.action_jump(numbers[max(0, min(index, len(numbers) - 1))])

    def action_step(self, step: int) -> None:
        """Go to the field before or after."""
        selector = "SettingsTab *"
        if step < 0:
            self.screen.focus_previous(selector)
        else:
            self.screen.focus_next(selector)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A section that is not there has no key: the last one is an admin's alone."""
        return self._admin or (action, parameters) != ("jump", (USERS,))

    @on(UsersSection.ConfirmRequested)
    def _confirmation_asked_for(self, event: UsersSection.ConfirmRequested) -> None:
        from tui.dialogs.confirm import ConfirmDialog

        def answered(yes: bool | None) -> None:
            if yes:
                event.control.perform(event.deed, event.user)

        self.app.push_screen(ConfirmDialog(event.question, event.detail), answered)

    @on(PurchaseList.Opened)
    def _purchases_opened(self, event: PurchaseList.Opened) -> None:
        from tui.dialogs.purchases import PurchasesDialog

        provider = event.control.provider
        entries = self.services.accounting.purchases((provider,))
        title = f"What was purchased of {provider_name(provider)}"
        here = zone(self.services.settings.display_zone())
        self.app.push_screen(PurchasesDialog(title, entries, here))

    @on(TextButton.Pressed, "#change-keys")
    def _keys_asked_for(self) -> None:
        from tui.dialogs.keys import KeysDialog

        self.app.push_screen(KeysDialog(self.services.settings))

    def _sections(self) -> list[Section]:
        return [section for section in self.query(Section) if section.display]

    def _on_change(self) -> None:
        self.call_later(self._reload)

    def _reload(self) -> None:
        """Take over changes of settings and keys; those of figures come by the snapshot, and often."""
        if self._admin != self.services.settings.is_admin():  # other sections have other fields then
            self._admin = not self._admin
            self._known = self._facts()
            self.refresh(recompose=True)
            return
        facts = self._facts()
        if facts != self._known:
            self._known = facts
            for section in self.query(Section):
                section.reload()

    def _facts(self) -> tuple[object, ...]:
        """What the fields show."""
        user, host = self.services.settings.user(), self.services.settings.host()
        statuses = (self.services.keys.status(provider) for provider in self.services.settings.providers())
        return (replace(user, token_quotas=None), host, *statuses)


def _column_of(widget: Widget) -> int:
    if not isinstance(widget, Section):
        return 1
    return ACROSS if widget.number == USERS else 0 if widget.number in LEFT else 1
