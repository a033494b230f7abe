"""What a turn works with, what is asked of it, and the bounds that follow."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui.core.chat import Attachment, TurnOptions
from tui.core.frozen import frozen
from tui.core.ports import Clock
from tui.services.accounting import Accounting
from tui.services.connections import Connections
from tui.services.keys import Keys
from tui.services.library import Library
from tui.services.models import Models
from tui.services.outbox import Outbox, Pause
from tui.services.settings import SettingsService

if TYPE_CHECKING:
    from tui.services.history import Limits, Planner
    from tui.services.options import EffectiveOptions


@frozen
class TurnServices:
    """What a turn works with."""

    settings: SettingsService
    keys: Keys
    accounting: Accounting
    models: Models
    library: Library
    connections: Connections
    outbox: Outbox
    planner: "Planner"
    clock: Clock
    pause: Pause
    """Waits before a retry."""
    checkpoint_seconds: float
    track: Callable[[Coroutine[Any, Any, None]], Awaitable[None]]
    """Starts a task that the service awaits before it ends."""

    def limits(self, provider: str, model: str, max_output: int) -> "Limits":
        """What bounds a turn with that model at present.

        Args:
            provider: Whom it goes to.
            model: The model.
            max_output: Tokens that the reply may have, as configured.
        """
        from tui.services.history import Limits

        info = self.models.info(provider, model)
        return Limits(
            max_output=max_output,
            model_output=info.max_output,
            context=info.context,
            headroom=self.accounting.headroom(provider),
        )

    def effective_options(
        self, conversation_id: str | None, provider: str, model: str, new: TurnOptions | None = None
    ) -> "EffectiveOptions":
        """How the turns of a conversation are asked for.

        Args:
            conversation_id: None for one that is not made yet.
            provider: Whom they go to.
            model: The model.
            new: The options of a conversation that is not made yet.
        """
        from tui.services.options import effective_options

        conversation = self.library.get(conversation_id) if conversation_id else None
        efforts = self.models.efforts(provider, model)
        return effective_options(self.settings.user(), conversation, efforts, new or TurnOptions())


@frozen
class Order:
    """What is asked for: a prompt to send, or another reply to one that was sent."""

    conversation_id: str
    text: str = ""
    """The prompt."""
    provider: str | None = None
    """None: as the conversation says, else the user's default."""
    model: str | None = None
    """None: as the conversation says, else the user's default."""
    attachments: tuple[Attachment, ...] = ()
    """The files that go with the prompt."""
    instead_of: str | None = None
    """The id of the prompt that this one stands in place of. None: it follows the active branch."""
    reply_to: str | None = None
    """The id of a reply to have anew, or of a prompt without one. None: there is a prompt to send."""
    fresh: bool = False
    """Whether the conversation was made for this prompt: it goes again where no attempt is admitted."""
    carry_on: bool = False
    """Whether that reply is continued, rather than begun again."""
