"""Section 2: what was purchased of each provider's tokens, what is used and what remains."""

from datetime import UTC, datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from tui.core.amounts import Dollars, parse_amount
from tui.core.days import zone
from tui.core.errors import InvalidValueError
from tui.core.figures import UsageSnapshot
from tui.core.quota import KeySource
from tui.core.settings import POOLED, TokenQuotas, provider_name
from tui.core.text import sanitize_line
from tui.services.purchases import entry_words
from tui.services.services import Services
from tui.widgets.checked_field import CheckedField
from tui.widgets.quota_meter import Quota, QuotaMeter
from tui.widgets.settings.purchase_list import PurchaseList
from tui.widgets.settings.section import Section
from tui.widgets.settings.titles import QUOTAS

NOTED = "It goes with the next amount."


class TokenQuotasSection(Section):
    """The pools. An admin enters what was purchased; a member sees their day.

    Args:
        services: What reads and changes quotas.
    """

    snapshot: reactive[UsageSnapshot | None] = reactive(None)
    """The figures, from the tab."""

    class Converted(Message):
        """Dollars were converted to tokens, and wait to be accepted."""

        def __init__(self, control: CheckedField, question: str) -> None:
            super().__init__()
            self._control = control
            self.question = question

        @property
        def control(self) -> CheckedField:
            """The field they were typed in."""
            return self._control

    def __init__(self, services: Services) -> None:
        super().__init__(services, QUOTAS, id="settings-quotas")
        self._admin = services.settings.is_admin()

    def compose(self) -> ComposeResult:
        """A block for each provider, or the member's day."""
        if not self._admin:
            yield Static("Your tokens today", classes="settings-subtitle")
            yield QuotaMeter(id="day-meter")
            yield Static("", id="pool-words", markup=False)
            return
        for provider in POOLED:
            with Vertical(classes="quota-block"):
                yield Static(f"{provider_name(provider)} credits", classes="settings-subtitle")
                yield self._amount_field(provider, "set")
                yield QuotaMeter(id=f"meter-{provider}")
                yield CheckedField("Note", placeholder="goes with the next amount", id=f"note-{provider}")
                yield self._amount_field(provider, "add")
                yield PurchaseList(provider)
        yield Static("", id="quota-words", markup=False)

    def on_mount(self) -> None:
        """Show the figures at once."""
        self.reload()

    def watch_snapshot(self) -> None:
        """Show the new figures."""
        if self.is_mounted:
            self._show_figures()

    def reload(self) -> None:
        """Take over what was purchased elsewhere."""
        super().reload()
        self._show_figures()

    def ended(self, field: Widget, words: str, *, ok: bool) -> None:
        """An amount that was added leaves its field empty; one that was set is shown grouped."""
        if not ok or not isinstance(field, CheckedField):
            super().ended(field, words, ok=ok)
            return
        provider, kind = _of(field)
        field.settle(self._purchased(provider) if kind == "set" else "", words)
        self._field(provider, "note").settle("")

    def _amount_field(self, provider: str, kind: str) -> CheckedField:
        return CheckedField(
            "Purchased" if kind == "set" else "Top up",
            self._purchased(provider) if kind == "set" else "",
            check=_check_amount,
            placeholder="1,000,000 or $100" if kind == "set" else "250k or $25",
            suffix="tokens",
            id=f"{kind}-{provider}",
            classes="amount",
        )

    def _field(self, provider: str, kind: str) -> CheckedField:
        return self.query_one(f"#{kind}-{provider}", CheckedField)

    def _purchased(self, provider: str) -> str:
        purchased = self._pool(provider).whole
        return "" if purchased is None else f"{purchased:,}"

    def _pool(self, provider: str) -> Quota:
        """The pool as the admin sees it, whatever key they use themselves."""
        figures = self.snapshot.provider(provider) if self.snapshot else None
        if figures is not None and figures.key_source is KeySource.DEFAULT:
            return Quota.of(figures)
        quotas = self.services.settings.user().token_quotas or TokenQuotas()
        if provider == "openai":
            return Quota(quotas.openai_used, quotas.openai_purchased)
        return Quota(quotas.google_used, quotas.google_purchased)

    def _show_figures(self) -> None:
        if self._admin != self.services.settings.is_admin():  # the tab is about to make it anew
            return
        in_use = [provider for provider in POOLED if self._uses_default(provider)]
        self.display = self._admin or bool(in_use)
        if not self._admin:
            self._show_day()
            return
        for provider in POOLED:
            self._field(provider, "set").load(self._purchased(provider))
            self.query_one(f"#meter-{provider}", QuotaMeter).quota = self._pool(provider)
            self.query_one(f"#purchases-{provider}", PurchaseList).entries = self._history(provider)
        words = "" if in_use else "Your own keys are in use: your turns do not touch these."
        below = self.query_one("#quota-words", Static)
        below.update(words)
        below.display = bool(words)

    def _history(self, provider: str) -> tuple[str, ...]:
        here = zone(self.services.settings.display_zone())
        now = self.snapshot.as_of if self.snapshot else datetime.now(UTC)
        entries = self.services.accounting.purchases((provider,))
        return tuple(entry_words(entry, here, now) for entry in entries)

    def _show_day(self) -> None:
        snapshot = self.snapshot
        pooled = [f for f in snapshot.providers if f.key_source is KeySource.DEFAULT] if snapshot else []
        day = next((figures.day for figures in pooled if figures.day), None)
        quota = None if day is None else Quota(day.used, day.limit, approximate=day.estimated > 0)
        self.query_one("#day-meter", QuotaMeter).quota = quota
        left = [f"{f.name} {f.pool_percent}% left" for f in pooled if f.pool_percent is not None]
        self.query_one("#pool-words", Static).update(f"The host's credits: {', '.join(left)}" if left else "")

    def _uses_default(self, provider: str) -> bool:
        return self.services.keys.source(provider) is KeySource.DEFAULT

    @on(CheckedField.Committed)
    def _on_amount(self, event: CheckedField.Committed) -> None:
        event.stop()
        event.prevent_default()
        if _of(event.control)[1] == "note":
            event.control.settle(event.value, NOTED if event.value.strip() else "")
            return
        amount = parse_amount(event.value)
        if isinstance(amount, Dollars) and not event.accepted:
            self.run_worker(self._convert(event.control, amount), group="save", exit_on_error=False)
        else:
            self.attempt(event.control, self._buy(event.control, amount))

    @on(Converted)
    def _on_converted(self, event: Converted) -> None:
        event.stop()
        event.control.ask(event.question)

    async def _convert(self, field: CheckedField, dollars: Dollars) -> None:
        provider, _ = _of(field)
        try:
            conversion = await self.services.prices.convert(
                dollars, provider, self.services.models.default(provider)
            )
        except InvalidValueError as error:
            self.post_message(self.Ended(field, str(error), ok=False))
        else:
            self.post_message(self.Converted(field, conversion.assumption))

    async def _buy(self, field: CheckedField, amount: int | Dollars) -> str:
        provider, kind = _of(field)
        accounting, note = self.services.accounting, sanitize_line(self._field(provider, "note").value)
        if isinstance(amount, Dollars):
            model = self.services.models.default(provider)
            conversion = await self.services.prices.convert(amount, provider, model)
            amount = conversion.tokens
            note = " · ".join(filter(None, (note, conversion.assumption)))
        change = accounting.set_purchased if kind == "set" else accounting.add_purchased
        pool = await change(provider, amount, note)
        return "saved" if kind == "set" else f"added: {pool.purchased or 0:,} tokens purchased in all"


def _of(field: CheckedField) -> tuple[str, str]:
    """The provider of a field, and whether it sets, adds or is the note of either."""
    kind, _, provider = (field.id or "").partition("-")
    return provider, kind


def _check_amount(text: str) -> str | None:
    amount = parse_amount(text)
    return "Enter shows how many tokens that is." if isinstance(amount, Dollars) else f"{amount:,} tokens"
