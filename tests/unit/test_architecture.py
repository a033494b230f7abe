"""What the design says of the code's shape holds: layers, layout, sizes, lazy imports."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import ROOT

TOP_LEVEL = {"LICENSE", "README.md", "pyproject.toml", "styles", "tests", "tui"}
"""Everything at the top of the checkout, besides names that begin with a dot."""

MAX_LINES = 400
"""Lines in a module. More than that is two modules."""

HEAVY = {"click", "httpx", "keyring", "openai", "pydantic", "rich", "textual", "tinydb"}
"""Packages that a command imports only when it comes to need them."""


def tracked() -> list[Path]:
    """Return the files that git knows, relative to the checkout."""
    # A checkout owned by another user, as containers have, is no reason for git to refuse here.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listing.split("\0") if name]


def modules() -> list[Path]:
    return sorted((ROOT / "tui").rglob("*.py"))


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_the_top_of_the_checkout_holds_nothing_else() -> None:
    top = {path.parts[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} == TOP_LEVEL


def test_modules_stay_small() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert lengths
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_colours_and_layout_stay_in_the_stylesheets() -> None:
    offenders = [path.relative_to(ROOT) for path in modules() if "DEFAULT_CSS" in path.read_text("utf-8")]
    assert offenders == []


def test_messages_define_no_methods_that_nobody_calls() -> None:
    """A repr and an eq for each cost the first frame 8 ms; messages are told apart by identity."""
    layers = ("app.py", "tabs", "widgets")
    shown = [path for path in modules() if path.relative_to(ROOT / "tui").parts[0] in layers]
    assert shown
    nested = re.compile(r"^    @dataclass\n    class", re.MULTILINE)
    assert [path.relative_to(ROOT) for path in shown if nested.search(path.read_text("utf-8"))] == []


def test_test_files_have_unique_names_in_packages() -> None:
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    names = [path.name for path in files]
    assert {name for name in names if names.count(name) > 1} == set()
    assert [path for path in files if not (path.parent / "__init__.py").exists()] == []


@pytest.mark.parametrize("module", ["tui", "tui.cli", "tui.core", "tui.paths"])
def test_importing_what_every_command_needs_is_cheap(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert module in loaded
    assert loaded & HEAVY == set()
