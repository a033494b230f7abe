"""`ctroom ask`: one turn, streamed to standard output and counted like any other."""

import json
import sys
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from tui.commands.runtime import DONE, FAILED, NO_KEY, REFUSED, run
from tui.commands.streams import ProcessStreams, piped_input
from tui.core.chat import (
    REASONING_EFFORTS,
    Attachment,
    Message,
    MessageStatus,
    TextDelta,
    TurnOptions,
)
from tui.core.errors import InvalidValueError
from tui.core.frozen import frozen
from tui.core.settings import provider_name
from tui.core.streams import Streams
from tui.core.text import sanitize
from tui.core.turns import ReplyEnded, ReplyStarted, Retrying, TurnEvent

if TYPE_CHECKING:
    from tui.services.services import Services


@click.command()
@click.argument("prompt", required=False)
@click.option("--provider", "-p", default=None, help="openai, google, demo, or the name of an endpoint.")
@click.option("--model", "-m", default=None, help="The provider's default model where not given.")
@click.option("--persona", default=None, help="The name of a persona: its system prompt is used.")
@click.option("--system", "-s", default=None, help="A system prompt; else the one in the settings.")
@click.option("--temperature", "-t", default=None, help="From 0 to 2; else the one in the settings.")
@click.option("--effort", default=None, help=f"How much to think: {', '.join(REASONING_EFFORTS)}.")
@click.option("--max-output", default=None, help="The most tokens that the reply may have, such as 8k.")
@click.option(
    "--attach",
    "-a",
    "paths",
    multiple=True,
    metavar="FILE",
    help="A text file, a picture or a PDF to send along; may be given again.",
)
@click.option("--yes", is_flag=True, help="Attach files that seem to hold secrets without a question.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end, in place of the text.")
def command(
    prompt: str | None,
    provider: str | None,
    model: str | None,
    persona: str | None,
    system: str | None,
    temperature: str | None,
    effort: str | None,
    max_output: str | None,
    paths: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> int:
    """Ask PROMPT; what is piped to standard input is appended to it (`-`: only that)."""
    order = Question(
        prompt, provider, model, persona, system, temperature, effort, max_output, paths, yes, as_json
    )
    text = order.text(piped_input())
    return run(lambda services: ask(services, order, text, ProcessStreams()))


@frozen
class Question:
    """What `ask` was given; the fields are its parameters."""

    prompt: str | None
    provider: str | None
    model: str | None
    persona: str | None
    system: str | None
    temperature: str | None
    effort: str | None
    max_output: str | None
    paths: tuple[str, ...]
    yes: bool
    as_json: bool

    @property
    def needs_input(self) -> bool:
        """Whether there is nothing to ask without standard input."""
        return self.prompt in (None, "-") and not self.paths

    def text(self, piped: str) -> str:
        """The whole prompt.

        Args:
            piped: What came on standard input.

        Raises:
            click.UsageError: There is none.
        """
        parts = [part for part in (None if self.prompt == "-" else self.prompt, piped.strip()) if part]
        if not parts and not self.paths:
            raise click.UsageError("There is nothing to ask: give a prompt, or pipe one to standard input.")
        return "\n\n".join(parts)


async def ask(services: "Services", order: Question, text: str, streams: Streams) -> int:
    """Have one turn in a new conversation, which does not outlive a turn that is refused.

    Args:
        services: Whose turn it is.
        order: What was asked for.
        text: The whole prompt.
        streams: Where the reply goes.

    Returns:
        The exit status.

    Raises:
        CtroomError: Nothing was sent.
    """
    chosen = _checked(services, order.provider)
    using = order.model or services.models.default(chosen)
    options = turn_options(
        services, order.persona, order.system, order.temperature, order.effort, order.max_output
    )
    attached = await _attached(services, order.paths, chosen, using, yes=order.yes)
    conversation = await services.library.create(chosen, using, options)
    printer = Printer(streams, plain=not order.as_json)
    turn = services.turns.send(conversation.id, text, attachments=attached, fresh=True)
    async with aclosing(turn) as events:
        async for event in events:
            printer.take(event)
    if order.as_json:
        streams.write(json.dumps(printer.report(conversation.id)) + "\n")
    status = printer.finish()
    if not await services.turns.save_pending():
        streams.say(f"This turn was not saved, so it is only shown here: {_remedy(services)}.")
        return status or FAILED
    return status


def _remedy(services: "Services") -> str:
    if services.remote and not services.settings.is_admin():
        return "tell the host's admin"
    return "free some space on the disk, or look who may write to the data directory"


@dataclass(slots=True)
class Printer:
    """Writes a reply as it streams, and remembers how it ended."""

    streams: Streams
    plain: bool
    text: list[str] = field(default_factory=list)
    started: bool = False
    ended: ReplyEnded | None = None

    def take(self, event: TurnEvent) -> None:
        """Show one event of the turn."""
        if isinstance(event, TextDelta):
            self.text.append(event.text)
            if self.plain:
                self.streams.write(sanitize(event.text))
        elif isinstance(event, ReplyStarted):
            self.started = True
        elif isinstance(event, Retrying):
            self.streams.say(f"{event.reason} Trying again in {event.seconds:.0f} s.")
        elif isinstance(event, ReplyEnded):
            self.ended = event

    def finish(self) -> int:
        """End the line, say what went wrong, and return the exit status."""
        if self.plain and self.text and not self.text[-1].endswith("\n"):
            self.streams.write("\n")
        if self.ended is None:
            return FAILED
        if self.ended.reply.error:
            self.streams.say(self.ended.reply.error)
        if self.ended.refusal is not None:
            return REFUSED
        if self.ended.no_key:
            return NO_KEY
        return DONE if self.ended.reply.status is MessageStatus.COMPLETE else FAILED

    def report(self, conversation_id: str) -> dict[str, object]:
        """The whole turn as one JSON object."""
        reply = self.ended.reply if self.ended else None
        return {
            "conversation": conversation_id if self.started else None,
            "status": str(reply.status) if reply else "failed",
            "provider": reply.provider if reply else None,
            "model": reply.model if reply else None,
            "text": reply.text if reply else "".join(self.text),
            "error": reply.error if reply else None,
            "usage": _usage(reply) if reply else None,
            "charged": self.ended.charged if self.ended else 0,
        }


def _usage(reply: Message) -> dict[str, object] | None:
    if reply.usage is None:
        return None
    return {
        "input": reply.usage.input,
        "cached_input": reply.usage.cached_input,
        "output": reply.usage.output,
        "reasoning": reply.usage.reasoning,
        "total": reply.usage.total,
        "provenance": str(reply.provenance) if reply.provenance else None,
    }


def turn_options(
    services: "Services",
    persona: str | None,
    system: str | None,
    temperature: str | None,
    effort: str | None,
    max_output: str | None,
) -> TurnOptions:
    """What was asked for beside the prompt; what was not is as in the settings.

    Raises:
        InvalidValueError: A value can't be taken, or there is no such persona.
    """
    from tui.services import parsing

    if persona is not None and system is not None:
        raise InvalidValueError("Give a persona or a system prompt, not both.")
    chosen = None if persona is None else services.personas.get(persona)
    prompt = None if system is None else parsing.prompt(system)
    return TurnOptions(
        chosen.name if chosen else "",
        chosen.system_prompt if chosen else prompt,
        None if temperature is None else parsing.temperature(temperature),
        None if max_output is None else parsing.output_tokens(max_output),
        None if effort is None else parsing.effort(effort),
    )


def _checked(services: "Services", provider: str | None) -> str:
    if provider is None:
        return services.models.default_provider()
    if provider not in (known := services.models.providers()):
        raise InvalidValueError(f"There is no provider {provider!r}: choose one of {', '.join(known)}.")
    return provider


async def _attached(
    services: "Services", paths: tuple[str, ...], provider: str, model: str, *, yes: bool
) -> tuple[Attachment, ...]:
    """The files, read and kept; nothing is sent where one of them can't be."""
    if not paths:
        return ()
    from tui.services.attachments import Attachments

    attachments = Attachments(services.store, services.user)
    files = [await attachments.read(path, provider, model) for path in paths]
    for file in files:
        if file.warning and not yes:
            _ask_about(file.warning, provider)
    return tuple([await attachments.keep(file) for file in files])


def _ask_about(warning: str, provider: str) -> None:
    """Ask before a file with secrets is sent, where there is someone to ask.

    Raises:
        InvalidValueError: It is not to be sent.
    """
    told = sys.stdin is not None and sys.stdin.isatty()
    if not (told and click.confirm(f"{warning} Send it to {provider_name(provider)}?", err=True)):
        raise InvalidValueError(f"{warning} Nothing was sent: --yes sends it.")
