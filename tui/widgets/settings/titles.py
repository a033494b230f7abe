"""What the sections of the settings are about, by their numbers."""

from types import MappingProxyType

KEYS, QUOTAS, MODELS, LIMITS, APPEARANCE, USERS = range(1, 7)
TITLES = MappingProxyType(
    {
        KEYS: "API keys",
        QUOTAS: "Token quotas",
        MODELS: "Models and endpoints",
        LIMITS: "Limits and time zone",
        APPEARANCE: "Appearance and keys",
        USERS: "Users (admin)",
    }
)


def way_to(number: int) -> str:
    """What the key and the entry of a section do, in words."""
    return f"Go to section {number}, {TITLES[number]}"
