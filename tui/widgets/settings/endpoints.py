"""OpenAI-compatible servers: a block for each, and the line that adds another."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from tui.core.errors import InvalidValueError
from tui.core.settings import Endpoint, check_endpoint_name
from tui.services.services import Services
from tui.widgets.settings.key_row import KeyRow
from tui.widgets.settings.key_slots import OwnKey
from tui.widgets.settings.setting_fields import setting_field
from tui.widgets.text_button import TextButton


class EndpointBlock(Vertical):
    """One server: its address, model and key. An admin can change and remove it; anyone can give their key.

    Args:
        services: What reads and changes it.
        endpoint: Its name.
    """

    def __init__(self, services: Services, endpoint: str) -> None:
        super().__init__(classes="endpoint-block")
        self.endpoint = endpoint
        self._services = services

    def compose(self) -> ComposeResult:
        """The name, the fields and the key."""
        services, name = self._services, f"endpoints.{self.endpoint}"
        yield Static(self.endpoint, classes="endpoint-name", markup=False)
        if services.settings.is_admin():
            yield setting_field(services, f"{name}.base_url", "URL")
            yield setting_field(services, f"{name}.model", "Model", placeholder="the first that it lists")
            yield setting_field(
                services, f"{name}.context", "Context", placeholder="unknown", suffix="tokens"
            )
        yield KeyRow(OwnKey(services, self.endpoint))
        if services.settings.is_admin():
            yield TextButton("remove endpoint", classes="endpoint-remove")


def parse_endpoint(text: str) -> Endpoint:
    """A name and an address with a space between.

    Raises:
        InvalidValueError: Either is missing or can't be taken.
    """
    name, _, address = text.strip().partition(" ")
    check_endpoint_name(name)
    if not address.strip():
        raise InvalidValueError("Add the address after the name: ollama http://127.0.0.1:11434/v1")
    return Endpoint(name, address.strip())
