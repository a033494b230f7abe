"""The line over the transcript: the conversation's title, its own options, and the model that answers."""

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from tui.core.text import sanitize_line

LEAST_TITLE = 16
"""Cells that the title keeps where there are options to show."""


class TitleLine(Widget):
    """The title at the left, options, provider and model at the right; the model always has room."""

    COMPONENT_CLASSES = {"title--name", "title--model"}

    title: reactive[str] = reactive("")
    """The conversation's title."""
    model: reactive[str] = reactive("")
    """For example "OpenAI · gpt-5.1"."""
    options: reactive[str] = reactive("")
    """How the conversation differs from the settings: "Poet · temperature 0.3"; empty where it doesn't."""

    @dataclass(repr=False, eq=False)
    class OptionsClicked(Message):
        """The user wants to change the options."""

        title_line: "TitleLine"

        @property
        def control(self) -> "TitleLine":
            """The line."""
            return self.title_line

    def __init__(self) -> None:
        super().__init__(id="title")

    def render(self) -> Content:
        """The line."""
        width = self.content_size.width
        look = self.get_visual_style("title--model")
        click = Style.from_meta({"model": True})
        model = Content.styled(f"{sanitize_line(self.model, max(8, width - 12))}  ▾", look + click)
        room = max(0, width - model.cell_length - 2)
        right = model
        if self.options and (left := room - LEAST_TITLE) > 8:
            click = Style.from_meta({"options": True})
            options = Content.styled(sanitize_line(self.options), look + click).truncate(left, ellipsis=True)
            right = Content.assemble(options, ("  │  ", look), model)
            room = max(0, width - right.cell_length - 2)
        name = self.get_visual_style("title--name")
        title = Content.styled(sanitize_line(self.title), name).truncate(room, ellipsis=True)
        return Content.assemble(title, " " * max(1, width - title.cell_length - right.cell_length), right)

    async def on_click(self, event: events.Click) -> None:
        """Choose another model, or other options, where they were clicked."""
        if event.style.meta.get("model"):
            await self.run_action("app.choose_model")
        elif event.style.meta.get("options"):
            self.post_message(self.OptionsClicked(self))
