"""`ctroom keys` and `ctroom doctor` without a network: what is kept where, and that no key is ever shown."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.program import COMMAND, Program
from tests.support.command_line import CommandLine

OWN = "sk-proj-own-0123456789-QRST"
DEFAULT = "AIza-default-0123456789-UVWX"
NOWHERE = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
"""An address where nothing listens."""


def kept(directory: Path) -> dict[str, str]:
    """The keys in the test's keyring, by name."""
    entries = json.loads((directory / "keyring.json").read_text(encoding="utf-8") or "{}")
    found: dict[str, str] = entries.get("ctroom", {})
    return found


def files_with(text: str, directory: Path) -> list[str]:
    """The files below a directory, in which a text is."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return [str(path.relative_to(directory)) for path in files if text.encode() in path.read_bytes()]


def test_a_key_from_standard_input_is_only_in_the_keyring(run_ctroom: Program, ctroom: CommandLine) -> None:
    own = run_ctroom("keys", "set", "openai", input=f"{OWN}\n", env=NOWHERE)
    assert (own.returncode, own.stderr) == (0, "")
    assert own.stdout.splitlines() == [
        "Nothing answers at http://127.0.0.1:9/v1: start OpenAI, or correct its address.",
        "Kept in the system keyring.",
        "It is used once you choose your own keys: ctroom settings set keys.use_custom true",
    ]
    default = ctroom("keys", "set", "google", "--default", "--no-test", input=f"  {DEFAULT}  \n")
    assert (default.returncode, default.stdout) == (0, "Kept in the system keyring.\n")
    assert kept(run_ctroom.directory) == {"local/openai": OWN, "default/google": DEFAULT}

    doctor = ctroom("doctor").stdout
    assert "own key …QRST in the system keyring" in doctor
    assert "the system keyring · the default key is used" in doctor
    shown = own.stdout + default.stdout + doctor
    shown += ctroom("usage", "--json").stdout + ctroom("settings", "get").stdout
    assert OWN not in shown
    assert DEFAULT not in shown
    assert files_with(OWN, run_ctroom.directory) == ["keyring.json"]
    assert files_with(DEFAULT, run_ctroom.directory) == ["keyring.json"]

    assert ctroom("keys", "remove", "openai").stdout == "Removed.\n"
    assert ctroom("keys", "remove", "google", "--default").stdout == "Removed.\n"
    assert kept(run_ctroom.directory) == {}
    assert "no own key · no default key" in ctroom("doctor").stdout


def test_a_key_is_never_an_argument_nor_repeated(ctroom: CommandLine) -> None:
    refused = ctroom("keys", "set", "openai", OWN)
    assert refused.returncode == 2
    assert refused.stderr.startswith("Got unexpected extra argument (")
    assert OWN not in refused.stderr + refused.stdout
    odd = ctroom("keys", "set", "openai", input="my key is secret\n")
    assert (odd.returncode, odd.stdout) == (2, "")
    assert "secret" not in odd.stderr
    assert ctroom("keys", "set", "openai", input="\n").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("test", "openai"), 4, "There is no default key for OpenAI: "),
        (("test", "google", "--default"), 4, "There is no default key for Google: "),
        (("test", "nobody"), 2, "'nobody' takes no key: choose one of openai, google."),
        (("set", "demo"), 2, "'demo' takes no key: "),
        (("remove", "nobody"), 2, "'nobody' takes no key: "),
        (("remove", "demo", "--default"), 2, "'demo' has no default key: choose one of openai, google."),
    ],
)
def test_keys_that_are_not_there(
    ctroom: CommandLine, arguments: tuple[str, ...], status: int, said: str
) -> None:
    done = ctroom("keys", *arguments, input=f"{OWN}\n")
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(said)


def test_a_missing_own_key_is_never_replaced_by_the_default(
    ctroom: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", DEFAULT)
    for name in ("keys.use_custom", "openai.use_own_key"):
        assert ctroom("settings", "set", name, "true").returncode == 0
    refused = ctroom("ask", "Hello", "-p", "openai")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr.startswith("Your own OpenAI key is not set: ")
    assert "no usable key" in ctroom("usage").stdout


def test_without_a_keyring_a_key_is_not_kept(run_ctroom: Program) -> None:
    env = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    done = run_ctroom("keys", "set", "openai", "--no-test", input=f"{OWN}\n", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no keyring here, so no key can be kept: ")
    doctor = run_ctroom("doctor", env=env)
    assert "none: keys are kept for this session only" in doctor.stdout
    assert "no own key" in doctor.stdout
    assert files_with(OWN, run_ctroom.directory) == []


def test_an_encoding_without_the_characters(run_ctroom: Program, ctroom: CommandLine) -> None:
    assert ctroom("keys", "set", "openai", "--no-test", input=f"{OWN}\n").returncode == 0
    doctor = subprocess.run(
        [*COMMAND, "doctor"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=run_ctroom.environment({"PYTHONIOENCODING": "latin-1"}),
        cwd=run_ctroom.directory,
        timeout=30,
        check=True,
    )
    assert doctor.stderr == b""
    assert "own key ?QRST in the system keyring · no default key" in doctor.stdout.decode("latin-1")


def test_doctor(ctroom: CommandLine, monkeypatch: pytest.MonkeyPatch, ctroom_home: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", OWN)
    monkeypatch.setenv("TMUX", "yes")
    monkeypatch.setenv("NO_COLOR", "1")
    ctroom("settings", "set", "endpoints.near.base_url", "http://127.0.0.1:9/v1")
    done = ctroom("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line[:16].rstrip(): line[16:] for line in done.stdout.splitlines()}
    assert lines["Data directory"].startswith(f"{ctroom_home} (")
    assert lines["Data directory"].endswith("mode 700)")
    assert lines["Keyring"].endswith("FileKeyring")
    assert lines["OpenAI key"] == "no own key · OPENAI_API_KEY · the default key is used"
    assert lines["Google key"].startswith("no own key · no default key · nothing can be sent")
    assert lines["Endpoint"] == "near at http://127.0.0.1:9/v1"
    assert lines["Inside"] == "tmux"
    assert "no colours (NO_COLOR)" in lines["Terminal"]
    assert OWN not in done.stdout
