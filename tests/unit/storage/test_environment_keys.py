"""Keys from the environment: the SDKs' names in order, and files that are read without ever being shown."""

from pathlib import Path

import pytest

from tui.core.errors import SecretsError
from tui.storage.environment import environment_key

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"  {KEY}\n")
    return path


@pytest.mark.parametrize(
    ("environ", "provider", "found"),
    [
        ({}, "openai", None),
        ({"OPENAI_API_KEY": "  "}, "openai", None),
        ({"OPENAI_API_KEY": f" {KEY}\n"}, "openai", (KEY, "OPENAI_API_KEY")),
        ({"GEMINI_API_KEY": "g", "GOOGLE_API_KEY": "o"}, "google", ("g", "GEMINI_API_KEY")),
        ({"GEMINI_API_KEY": "", "GOOGLE_API_KEY": "o"}, "google", ("o", "GOOGLE_API_KEY")),
        ({"OPENAI_API_KEY": KEY}, "google", None),
        ({"OPENAI_API_KEY": KEY}, "demo", None),
        ({"OPENAI_API_KEY": KEY}, "my-endpoint", None),
    ],
)
def test_variables_in_their_order(
    environ: dict[str, str], provider: str, found: tuple[str, str] | None
) -> None:
    assert environment_key(environ, provider) == found


def test_a_file_is_read_and_stripped(key_file: Path) -> None:
    assert environment_key({"OPENAI_API_KEY_FILE": str(key_file)}, "openai") == (KEY, "OPENAI_API_KEY_FILE")
    assert environment_key({"GEMINI_API_KEY_FILE": str(key_file), "GOOGLE_API_KEY": "o"}, "google") == (
        KEY,
        "GEMINI_API_KEY_FILE",
    )


def test_the_variable_itself_comes_before_its_file(key_file: Path) -> None:
    environ = {"OPENAI_API_KEY": "direct", "OPENAI_API_KEY_FILE": str(key_file)}

    assert environment_key(environ, "openai") == ("direct", "OPENAI_API_KEY")


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"two keys", b"a\nb", b"sk-\xff\xfe", b"sk-\x00x", b"k" * 20_000]
)
def test_a_file_without_one_key_is_told_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)

    with pytest.raises(SecretsError, match="does not hold one key") as caught:
        environment_key({"OPENAI_API_KEY_FILE": str(path)}, "openai")
    assert "OPENAI_API_KEY_FILE" in str(caught.value)
    assert len(str(caught.value)) < 120 + len(str(path))


def test_a_missing_file_or_a_directory_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(SecretsError, match="there is no such file"):
            environment_key({"GOOGLE_API_KEY_FILE": str(path)}, "google")
