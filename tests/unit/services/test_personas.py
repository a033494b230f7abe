"""Personas over a store in memory."""

import pytest

from tests.support.memory_store import MemoryStore
from tui.core.errors import InvalidValueError
from tui.services.personas import Personas


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def personas(store: MemoryStore) -> Personas:
    return Personas(store, "local")


def names(personas: Personas) -> list[str]:
    return [persona.name for persona in personas.list()]


async def test_they_are_listed_by_name_and_found_in_any_case(personas: Personas) -> None:
    await personas.save("translator", "Translate.")
    await personas.save("  Editor ", " Edit.\nGently. ")
    assert names(personas) == ["Editor", "translator"]
    assert personas.get("EDITOR").system_prompt == "Edit.\nGently."


async def test_one_is_changed_and_renamed(personas: Personas) -> None:
    await personas.save("Editor", "Edit.")
    await personas.save("editor", "Edit gently.", instead_of="Editor")
    await personas.save("Critic", "Edit gently.", instead_of="editor")
    assert [(p.name, p.system_prompt) for p in personas.list()] == [("Critic", "Edit gently.")]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("", "Edit.", "Give the persona a name"),
        ("Critic", "  ", "what the persona is to be"),
        ("EDITOR", "Edit.", "already"),
        ("x" * 41, "Edit.", "40 characters"),
        ("Critic", "x" * 20_001, "20,000"),
    ],
)
async def test_what_can_not_be_saved(personas: Personas, name: str, text: str, says: str) -> None:
    await personas.save("Editor", "Edit.")
    with pytest.raises(InvalidValueError, match=says):
        await personas.save(name, text)
    assert names(personas) == ["Editor"]


async def test_a_name_that_another_has_is_refused(personas: Personas) -> None:
    await personas.save("Editor", "Edit.")
    await personas.save("Critic", "Judge.")
    with pytest.raises(InvalidValueError, match="already"):
        await personas.save("Editor", "Judge.", instead_of="Critic")


async def test_one_that_is_gone_can_not_be_changed(personas: Personas) -> None:
    with pytest.raises(InvalidValueError, match="gone"):
        await personas.save("Editor", "Edit.", instead_of="Editor")


async def test_one_is_removed_and_twice_is_no_error(personas: Personas) -> None:
    await personas.save("Editor", "Edit.")
    await personas.remove("editor")
    await personas.remove("editor")
    assert names(personas) == []


async def test_asking_for_one_that_is_not_there_says_which_are(personas: Personas) -> None:
    with pytest.raises(InvalidValueError, match="name one in a conversation"):
        personas.get("Editor")
    await personas.save("Critic", "Judge.")
    with pytest.raises(InvalidValueError, match="choose from Critic"):
        personas.get("Editor")


async def test_users_have_personas_of_their_own(personas: Personas, store: MemoryStore) -> None:
    await personas.save("Editor", "Edit.")
    other = Personas(store, "sam")
    assert names(other) == []
    await other.save("Editor", "Sam's.")
    await other.remove("Editor")
    assert names(personas) == ["Editor"]
