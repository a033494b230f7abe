"""The app: the frame around the tabs, and the state that they share."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.message import Message
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen, SystemModalScreen

from tui import paths
from tui.background import Workers, follow_store, keep_accounts, load_keys, resume_collector, warm_up
from tui.core.days import zone
from tui.core.errors import CtroomError
from tui.core.figures import UsageSnapshot
from tui.crash import record_crash
from tui.services.services import Services
from tui.tabs.chat import ChatTab
from tui.themes import HIGH_CONTRAST, HIGH_CONTRAST_NAMES, read_late_styles
from tui.widgets.header_bar import HeaderBar, TabName
from tui.widgets.hint_bar import APP_BINDINGS, HintBar, key_words
from tui.widgets.prompt import Prompt
from tui.widgets.safe_text import SAFE_TEXT
from tui.widgets.transcript import Transcript
from tui.widgets.usage_footer import UsageFooter

if TYPE_CHECKING:
    from tui.tabs.settings import SettingsTab

TABS = (TabName("chat", "Chat"), TabName("settings", "Settings"))
LONG_SECONDS = 15.0
"""Who waits longer for a reply may look elsewhere, and is told of its end."""


class CtroomApp(App[None]):
    """Chat and Settings under a header line, over the usage footer and the key hints.

    Args:
        services: The session's services.
        environ: The session's environment.
    """

    TITLE = "Ctroom"
    CSS_PATH: ClassVar = [*paths.stylesheets()]
    AUTO_FOCUS = "Prompt"
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [(0, "-compact"), (80, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-short"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = APP_BINDINGS

    class UsageChanged(Message):
        """The figures may be others; the services say so from outside the app's context."""

    snapshot: reactive[UsageSnapshot | None] = reactive(None, repaint=False)
    """The figures of the footer and of every tab."""
    provider: reactive[str] = reactive("", repaint=False)
    """The provider of the next turn."""
    tab: reactive[str] = reactive("chat", repaint=False)
    """The id of the tab that is shown."""
    zone: reactive[tzinfo] = reactive(zone("UTC"), repaint=False)
    """Where times are shown in."""

    def __init__(self, services: Services, *, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._workers = Workers(self)
        self.services = services
        self.environ = environ
        self.crash_reference: str | None = None
        """Names the log's record of the error that ended the app, where one did."""
        self.chat = ChatTab(services)
        self.header = HeaderBar(TABS)
        self._usage_due = False
        self._known_keymap: Mapping[str, str] = {}
        for theme in HIGH_CONTRAST:
            self.register_theme(theme)
        self._known_theme = self.theme
        self._follow_settings()

    def compose(self) -> ComposeResult:
        """The frame and the chat; Settings is mounted when it is first shown."""
        # With these from the start, the first frame's styles are worked out only once.
        self.screen.add_class(*self._size_classes(), update=False)
        yield self.header
        yield self.chat.data_bind(CtroomApp.zone)
        yield UsageFooter().data_bind(CtroomApp.snapshot, CtroomApp.zone)
        yield HintBar()

    def _size_classes(self) -> Iterator[str]:
        """The breakpoints' classes for the terminal's size; Textual sets them anew when it changes."""
        for cells, breakpoints in (
            (self.size.width, self.HORIZONTAL_BREAKPOINTS),
            (self.size.height, self.VERTICAL_BREAKPOINTS),
        ):
            yield max(point for point in breakpoints or () if point[0] <= cells)[1]

    def on_mount(self) -> None:
        """Show the figures, and begin what goes on in the background after the first frame."""
        self._unsubscribe = self.services.accounting.subscribe(self._say_usage_changed)
        self._show_usage()
        self.call_after_refresh(self._begin_background)

    def on_unmount(self) -> None:
        """The services outlive the app: their last turns settle after it."""
        self._unsubscribe()

    # Tabs and dialogs

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """While a dialog is open, only keys that are not about the tabs work; the palette is none."""
        if getattr(self.screen, "TAKES_EVERY_KEY", False):
            return False
        if action == "save_again":
            return self.services.turns.unsaved() > 0
        behind = (
            "show_tab",
            "chat",
            "new_conversation",
            "choose_model",
            "find",
            "list",
            "help",
            "command_palette",
        )
        modal = isinstance(self.screen, ModalScreen) and not isinstance(self.screen, SystemModalScreen)
        return not (action in behind and modal)

    async def action_show_tab(self, tab: str) -> None:
        """Show a tab."""
        if tab != "settings":
            self.tab = tab
            return
        from tui.tabs.settings import SettingsTab

        if not self.query("#settings"):
            read_late_styles(self.stylesheet)
            settings = SettingsTab(self.services).data_bind(CtroomApp.snapshot)
            await self.screen_stack[0].mount(settings, after=self.chat)
        self.tab = tab
        if provider := self.chat.wanted_key:
            settings = self.query_one(SettingsTab)
            settings.call_after_refresh(settings.focus_key, provider)

    async def action_chat(self) -> None:
        """Go to the prompt of the chat, from wherever the user is; from there, to its messages."""
        from_prompt = self.chat.pane.prompt.has_focus
        await self.action_show_tab("chat")
        if from_prompt and self.chat.pane.transcript.keys:
            self.screen.set_focus(self.chat.pane.transcript)  # at once: the next key is for it
        else:
            self.chat.to_prompt()

    async def action_new_conversation(self) -> None:
        """Begin a new conversation."""
        await self.action_show_tab("chat")
        self.chat.new_conversation()

    async def action_list(self) -> None:
        """Go to the list of conversations."""
        await self.action_show_tab("chat")
        self.chat.toggle_list()

    async def action_choose_model(self) -> None:
        """Choose the provider and model of the next turns."""
        from tui.dialogs.model_picker import ModelPicker

        await self.action_show_tab("chat")
        chat = self.chat
        picker = ModelPicker(self.services, chat.target.provider, chat.target.model)
        self.push_screen(picker, chat.choose_model)

    async def action_find(self) -> None:
        """Find messages in all conversations."""
        await self.action_show_tab("chat")
        self.chat.find()

    def action_command_palette(self) -> None:
        """Find everything by name."""
        from tui.palette import open_palette

        open_palette(self)

    async def action_open_conversation(self, conversation_id: str) -> None:
        """Open a conversation, however old."""
        from tui.palette import open_conversation

        await open_conversation(self, conversation_id)

    async def action_use_model(self, provider: str, model: str) -> None:
        """Choose who answers the next turns."""
        await self.action_show_tab("chat")
        self.chat.choose_model((provider, model))

    def action_use_theme(self, theme: str) -> None:
        """Choose the colours."""
        self.theme = theme

    async def action_show_setting(self, name: str) -> None:
        """Go to the field of a setting, by its dotted name."""
        settings = await self._to_settings()
        settings.call_after_refresh(settings.focus_setting, name)

    async def action_in_settings(self, selector: str, action: str) -> None:
        """Go to something in Settings, and let it do something."""
        settings = await self._to_settings()
        settings.call_after_refresh(settings.go_to, selector, action)

    async def _to_settings(self) -> "SettingsTab":
        from tui.tabs.settings import SettingsTab

        await self.action_show_tab("settings")
        return self.query_one(SettingsTab)

    def action_change_keys(self) -> None:
        """See and change keys."""
        from tui.dialogs.keys import KeysDialog

        self.push_screen(KeysDialog(self.services.settings))

    def action_help(self) -> None:
        """Explain where the user is."""
        from tui.dialogs.help import HelpDialog

        self.push_screen(HelpDialog(self.screen))

    def watch_tab(self, tab: str) -> None:
        """Show one tab, and give it the focus."""
        self.header.current = tab
        for shown in self.query("#chat, #settings"):
            shown.display = shown.id == tab
        if tab == "chat":
            self.chat.to_prompt()
        else:
            self.query_one(f"#{tab}").focus()

    def get_line_filters(self) -> list[LineFilter]:
        """What every line goes through before the terminal: at the end nothing in it can act on that."""
        return [*super().get_line_filters(), SAFE_TEXT]

    def get_key_display(self, binding: Binding) -> str:
        """A key for people: "F1", "Esc", "Ctrl+Q"."""
        return key_words(binding.key_display or binding.key)

    async def action_save_again(self) -> None:
        """Save what could not be saved, without waiting for the next try."""
        if await self.services.turns.save_pending():
            self.notify("Everything is saved.", timeout=5)

    async def action_quit(self) -> None:
        """Quit; where something can't be saved even then, ask before it is lost."""
        from tui.dialogs.quit import quit_or_ask

        await quit_or_ask(self, self.services.turns)

    def action_help_quit(self) -> None:
        """Ctrl+C where there is nothing to copy: say which keys do what it does elsewhere."""
        from tui.toasts import say_what_quits

        say_what_quits(self)

    # What the tabs say

    @on(ChatTab.ProviderChanged)
    def _provider_changed(self, event: ChatTab.ProviderChanged) -> None:
        self.provider = event.provider
        self._show_usage()

    @on(Prompt.EditorWanted)
    def _editor_wanted(self, event: Prompt.EditorWanted) -> None:
        from tui.editor import edit_prompt

        work = edit_prompt(self, self.environ, event.prompt, remote=self.services.remote)
        self.run_worker(work, group="editor", exclusive=True, exit_on_error=False)

    @on(Transcript.CopyRequested)
    def _copy_requested(self, event: Transcript.CopyRequested) -> None:
        from tui.outside import copy_soon

        copy_soon(self, self.environ, event.text, event.what)

    @on(ChatTab.Replied)
    def _replied(self, event: ChatTab.Replied) -> None:
        if not self.app_focus and (event.reply.seconds or 0) >= LONG_SECONDS:
            from tui.outside import tell_of_reply

            tell_of_reply(self, self.environ, self.services.settings.user().notify, event.reply)

    @on(Transcript.SaveRequested)
    async def _save_requested(self, event: Transcript.SaveRequested) -> None:
        from tui.outside import save_code

        await save_code(self, event.block, self.services.user)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a selection: Textual's own keys for that end here, in text fields without a word."""
        from tui.outside import copy_selection

        copy_selection(self, self.environ, text)

    @on(Transcript.LinkClicked)
    def _link_clicked(self, event: Transcript.LinkClicked) -> None:
        from tui.outside import follow_link

        self.run_worker(follow_link(self, self.environ, event.href), exit_on_error=False)

    # Figures, settings, background

    def _say_usage_changed(self) -> None:
        self.post_message(self.UsageChanged())

    @on(UsageChanged)
    def _usage_changed(self) -> None:
        if not self._usage_due:
            self._usage_due = True
            self.set_timer(self.services.pace.usage_seconds, self._show_usage)

    def _show_usage(self) -> None:
        self._usage_due = False
        self._follow_settings()
        self._follow_keymap()
        self.chat.follow_settings()
        self.chat.follow_conversations()
        self.snapshot = self.services.accounting.snapshot((self.provider,) if self.provider else ())
        self.header.user = f"{self.snapshot.user} · {self.snapshot.tier}"
        if self.services.alerts.due():
            from tui.toasts import raise_alerts

            alerts = raise_alerts(self, self.services)
            self.run_worker(alerts, group="alerts", exclusive=True, exit_on_error=False)

    def _follow_keymap(self) -> None:
        """Give every binding the keys that the user chose."""
        keymap = self.services.settings.user().keymap
        if keymap != self._known_keymap:
            self._known_keymap = keymap
            self.set_keymap(keymap)

    def _follow_settings(self) -> None:
        """Take over what was changed in Settings, here or in another process."""
        settings = self.services.settings
        user = settings.user()
        self.zone = zone(settings.display_zone())
        if user.theme != self._known_theme and user.theme in self.available_themes:
            self._known_theme = user.theme
            self.theme = user.theme

    def watch_theme(self, theme: str) -> None:
        """Keep the choice of a theme."""
        self.set_class(theme in HIGH_CONTRAST_NAMES, "-high-contrast")
        if theme != self._known_theme:
            self._known_theme = theme
            self.run_worker(self._save_theme(theme), exit_on_error=False)

    async def _save_theme(self, theme: str) -> None:
        try:
            await self.services.settings.set("theme", theme)
        except CtroomError as error:
            self.notify(str(error), title="Theme not kept", severity="warning", markup=False)

    def _refresh_notifications(self) -> None:
        """Show what there is to say, where it covers nothing that matters."""
        if self._notifications:
            from tui.toasts import keep_clear

            keep_clear(self)
        super()._refresh_notifications()

    def _begin_background(self) -> None:
        """The first frame is on the screen: begin what may take its time."""
        from tui.toasts import CalmNotifications
        from tui.widgets.banner import Banner

        self._notifications = CalmNotifications(self._notifications)
        read_late_styles(self.stylesheet)
        resume_collector()
        self.screen_stack[0].mount(Banner(self.services), after=self.header)
        for work in (load_keys, follow_store, keep_accounts, warm_up):
            self.run_worker(work(self.services, self._say_usage_changed), exit_on_error=False)

    def refresh_css(self, animate: bool = True) -> None:
        """Take another theme's colours: before there is a screen, without parsing every style twice."""
        if self.children:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def _load_screen_css(self, screen: Screen[Any]) -> None:
        """Let a dialog have its styles even where a key opened it before the first frame."""
        if isinstance(screen, ModalScreen):
            read_late_styles(self.stylesheet)
        super()._load_screen_css(screen)

    def _fatal_error(self) -> None:
        """End on an error of our own without a traceback on the screen: the log has it, without locals."""
        if self._exception is not None and self.crash_reference is None:
            self.crash_reference = record_crash(self._exception, paths.data_directory(self.environ))
        self._close_messages_no_wait()
