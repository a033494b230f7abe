"""Personas: system prompts with names, to begin conversations with."""

from tui.core.chat import Persona
from tui.core.errors import InvalidValueError
from tui.core.ports import State, Store

MOST_NAME = 40
"""Characters of a persona's name."""


class Personas:
    """One user's personas. A conversation keeps what its persona said when it was chosen.

    Args:
        store: Where they are kept.
        user: Whose they are.
    """

    def __init__(self, store: Store, user: str) -> None:
        self._store = store
        self._user = user

    def list(self) -> tuple[Persona, ...]:
        """All of them, by name."""
        mine = (persona for _, persona in self._store.view.personas if persona.user == self._user)
        return tuple(sorted(mine, key=lambda persona: persona.name.casefold()))

    def get(self, name: str) -> Persona:
        """The persona of that name, whatever the case of its letters.

        Raises:
            InvalidValueError: There is none; the message says which there are.
        """
        from tui.services import parsing

        personas = self.list()
        for persona in personas:
            if _alike(persona.name, name):
                return persona
        known = ", ".join(persona.name for persona in personas)
        way = f"choose from {known}." if known else "name one in a conversation's options (F12)."
        raise InvalidValueError(f"There is no persona {parsing.line(name[:MOST_NAME], MOST_NAME)!r}: {way}")

    async def save(self, name: str, system_prompt: str, *, instead_of: str = "") -> Persona:
        """Add a persona, or change one.

        Args:
            name: Its name.
            system_prompt: What it says.
            instead_of: The name that it has now. Empty: it is a new one.

        Raises:
            InvalidValueError: The name is empty, too long or taken, there is no text, or the one to change is
                gone.
            StorageError: It could not be saved.
        """
        from tui.services import parsing

        persona = Persona(parsing.line(name, MOST_NAME), self._user, parsing.prompt(system_prompt))
        if not persona.name:
            raise InvalidValueError("Give the persona a name.")
        if not persona.system_prompt:
            raise InvalidValueError("Write what the persona is to be: its system prompt.")

        def work(state: State) -> None:
            changed = self._find(state, instead_of) if instead_of else None
            taken = self._find(state, persona.name)
            if instead_of and changed is None:
                raise InvalidValueError("This persona is gone: add it again.")
            if taken is not None and taken != changed:
                raise InvalidValueError(f"There is a persona {persona.name!r} already: choose another name.")
            if changed is None:
                state.personas.insert(persona)
            else:
                state.personas.replace(changed, persona)

        await self._store.transaction(work)
        return persona

    async def remove(self, name: str) -> None:
        """Take a persona away; conversations that were begun with it keep what it said.

        Raises:
            StorageError: It could not be saved.
        """

        def work(state: State) -> None:
            if (found := self._find(state, name)) is not None:
                state.personas.remove(found)

        await self._store.transaction(work)

    def _find(self, state: State, name: str) -> int | None:
        found = state.personas.find(lambda persona: persona.user == self._user and _alike(persona.name, name))
        return found[0] if found else None


def _alike(one: str, other: str) -> bool:
    return one.casefold() == other.strip().casefold()
