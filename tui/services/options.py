"""How a turn is asked for: a conversation's own options, and the user's settings where it has none."""

from collections.abc import Sequence

from tui.core.chat import REASONING_EFFORTS, Conversation, TurnOptions
from tui.core.frozen import frozen
from tui.core.settings import UserSettings


@frozen
class EffectiveOptions:
    """What holds for a turn."""

    system_prompt: str
    """Empty for none."""
    max_output: int
    """Tokens that the reply may have, reasoning included."""
    temperature: float | None
    """None: the model's own."""
    reasoning_effort: str | None
    """None: the model's own."""


def effective_options(
    user: UserSettings, conversation: Conversation | None, efforts: Sequence[str], new: TurnOptions
) -> EffectiveOptions:
    """What holds for the turns of a conversation.

    Args:
        user: The user's settings.
        conversation: None for one that is not made yet.
        efforts: Those that the model knows, least first.
        new: The options of a conversation that is not made yet.
    """
    options = conversation.options if conversation else new
    own = conversation.system_prompt if conversation else ""
    return EffectiveOptions(
        (own or user.system_prompt) if options.system_prompt is None else options.system_prompt,
        options.max_output or user.max_output,
        user.temperature if options.temperature is None else options.temperature,
        nearest_effort(options.reasoning_effort or user.reasoning_effort, efforts),
    )


def nearest_effort(wanted: str, efforts: Sequence[str]) -> str | None:
    """The effort that comes nearest to the one that is wanted, the smaller of two.

    Args:
        wanted: Empty for the model's own.
        efforts: Those that the model knows.
    """
    if wanted not in REASONING_EFFORTS or not efforts:
        return None
    at = REASONING_EFFORTS.index(wanted)
    return min(efforts, key=lambda effort: abs(REASONING_EFFORTS.index(effort) - at))


def option_words(options: TurnOptions) -> str:
    """What differs from the settings, for people: "Translator · temperature 0.3 · at most 8,000 tokens"."""
    words = [options.persona or ("own system prompt" if options.system_prompt else "")]
    if options.system_prompt == "" and not options.persona:
        words.append("no system prompt")
    if options.temperature is not None:
        words.append(f"temperature {options.temperature:g}")
    if options.max_output is not None:
        words.append(f"at most {options.max_output:,} tokens")
    if options.reasoning_effort is not None:
        words.append(f"{options.reasoning_effort} effort")
    return " · ".join(word for word in words if word)
