"""The line over the transcript: the conversation's title, and the model that answers."""

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from tui.core.text import sanitize_line


class TitleLine(Widget):
    """The title at the left, provider and model at the right; the model always has room."""

    COMPONENT_CLASSES = {"title--name", "title--model"}

    title: reactive[str] = reactive("")
    """The conversation's title."""
    model: reactive[str] = reactive("")
    """For example "OpenAI · gpt-5.1"."""

    def __init__(self) -> None:
        super().__init__(id="title")

    def render(self) -> Content:
        """The line."""
        width = self.content_size.width
        click = Style.from_meta({"model": True})
        look = self.get_visual_style("title--model")
        model = Content.styled(f"{sanitize_line(self.model, max(8, width - 12))}  ▾", look + click)
        room = max(0, width - model.cell_length - 2)
        name = self.get_visual_style("title--name")
        title = Content.styled(sanitize_line(self.title), name).truncate(room, ellipsis=True)
        return Content.assemble(title, " " * max(1, width - title.cell_length - model.cell_length), model)

    async def on_click(self, event: events.Click) -> None:
        """Choose another model where the model was clicked."""
        if event.style.meta.get("model"):
            await self.run_action("app.choose_model")
