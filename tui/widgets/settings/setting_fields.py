"""Fields for settings that have a dotted name."""

from collections.abc import Sequence

from tui.core.settings import HostSettings
from tui.services.services import Services
from tui.widgets.checked_field import CheckedField, Choice


def shown_value(services: Services, name: str) -> str:
    """A setting's value as its field shows it: long numbers are grouped by threes."""
    value = services.settings.get(name)
    counts = name == "max_output" or name.startswith("tiers.") or name.endswith(".context")
    return f"{int(value):,}" if counts and value.isdecimal() else value


def tier_choices(host: HostSettings) -> tuple[Choice, ...]:
    """The tiers to choose from, with their tokens per day."""
    return tuple(
        Choice(name, "unlimited" if limit is None else f"{limit:,} tokens/day")
        for name, limit in host.tiers.items()
    )


def setting_field(
    services: Services,
    name: str,
    label: str,
    *,
    choices: Sequence[Choice] = (),
    strict: bool = False,
    hint: str = "",
    placeholder: str = "",
    suffix: str = "",
    lines: bool = False,
    classes: str | None = None,
) -> CheckedField:
    """A field for the setting of that dotted name, which is also the widget's `name`."""

    def check(text: str) -> None:
        services.settings.check(name, text)

    return CheckedField(
        label,
        shown_value(services, name),
        check=check,
        choices=choices,
        strict=strict,
        hint=hint,
        placeholder=placeholder,
        suffix=suffix,
        lines=lines,
        name=name,
        classes=classes,
    )
