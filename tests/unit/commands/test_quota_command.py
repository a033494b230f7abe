"""`ctroom quota` and `ctroom usage`: what was purchased, in the words and the JSON of the contract."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.program import Program
from tests.support.command_line import CommandLine

KEY = ("OPENAI_API_KEY", "sk-env-openai-0123456789")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_amounts(ctroom: CommandLine, ctroom_home: Path) -> None:
    for amount, refusal in (
        ("1,00", "The thousands are not grouped by threes: write 1,000,000 or 1000000.\n"),
        ("-5", "A number of tokens can't be negative.\n"),
        ("-$5", "A number of tokens can't be negative.\n"),
        ("$1.2.3", "Enter dollars such as $100 or $12.50.\n"),
        ("2000000000000", "That is too large: the most is 1,000,000,000,000 tokens.\n"),
    ):
        refused = ctroom("quota", "set", "openai", amount)
        assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", refusal)
    refused = ctroom("quota", "set", "demo", "1M")
    assert refused.returncode == 2
    assert "'demo' is not one of 'openai', 'google'" in refused.stderr
    assert not (ctroom_home / "ctroom.json").exists()

    entered = ctroom("quota", "set", "openai", "1,000,000")
    assert (entered.returncode, entered.stderr) == (0, "")
    assert entered.stdout == "Purchased 1,000,000 · used 0 · remaining 1,000,000\n"
    assert ctroom("quota", "set", "openai", "1,000,000").stdout == entered.stdout
    added = ctroom("quota", "add", "openai", "1.5M", "--note", "a top-up")
    assert added.stdout == "Purchased 2,500,000 · used 0 · remaining 2,500,000\n"
    assert ctroom("quota", "add", "openai", "0").returncode == 2

    history = json.loads((ctroom_home / "ctroom.json").read_text(encoding="utf-8"))["purchases"]
    rows = [(row["kind"], row["amount"], row["purchased"], row["note"]) for row in history.values()]
    assert rows == [("set", 1_000_000, 1_000_000, ""), ("add", 1_500_000, 2_500_000, "a top-up")]


def test_the_history_says_what_each_entry_did(ctroom: CommandLine) -> None:
    assert ctroom("quota", "history").stdout == (
        "Nothing was entered yet: ctroom quota set PROVIDER AMOUNT\n"
    )
    ctroom("quota", "set", "openai", "1M")
    ctroom("quota", "add", "openai", "250k", "--note", "invoice\x1b 17")
    ctroom("quota", "set", "openai", "900,000")
    ctroom("quota", "add", "google", "5k")
    lines = ctroom("quota", "history").stdout.splitlines()
    assert [re.sub(r"\d\d \w{3} \d\d:\d\d +", "", line) for line in lines] == [
        "Google · top-up +5,000 · local",
        "OpenAI · corrected to 900,000 · local",
        "OpenAI · top-up +250,000 · local · invoice␛ 17",
        "OpenAI · set to 1,000,000 · local",
    ]
    told = json.loads(ctroom("quota", "history", "openai", "--json").stdout)["purchases"]
    assert [(row["effect"], row["amount"], row["change"], row["purchased"]) for row in told] == [
        ("correction", 900_000, -350_000, 900_000),
        ("top-up", 250_000, 250_000, 1_250_000),
        ("set", 1_000_000, 1_000_000, 1_000_000),
    ]
    assert all(INSTANT.fullmatch(row["at"]) for row in told)


def test_an_unknown_option_is_no_amount(ctroom: CommandLine) -> None:
    refused = ctroom("quota", "set", "openai", "--bogus")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "No such option '--bogus'. Try 'ctroom quota set --help'.\n"


def test_dollars_say_what_was_assumed(ctroom: CommandLine) -> None:
    entered = ctroom("quota", "set", "google", "$100", "--model", "gemini-2.5-flash")
    assert entered.returncode == 0
    assumed, figures = entered.stdout.splitlines()
    said = re.fullmatch(
        r"\$100 at gemini-2\.5-flash's blended price of \$([\d.]+) per million tokens "
        r"\(3 input : 1 output\) is ([\d,]+) tokens",
        assumed,
    )
    assert said, assumed
    tokens = int(said[2].replace(",", ""))
    assert tokens == int(100 * 1_000_000 / Decimal(said[1]))
    assert figures == f"Purchased {tokens:,} · used 0 · remaining {tokens:,}"
    unknown = ctroom("quota", "set", "google", "$100", "--model", "no-such-model")
    assert unknown.returncode == 2
    assert unknown.stderr == "no-such-model has no known price: enter a number of tokens.\n"


def test_usage_in_words(ctroom: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ctroom("usage").stdout == "Demo\n  0 tokens used\n"
    monkeypatch.setenv(*KEY)
    assert ctroom("usage").stdout == (
        "OpenAI\n"
        "  0 tokens used\n"
        "  enter what you purchased: ctroom quota set openai AMOUNT\n"
        "  today 0 / 10,000, resets 00:00\n"
    )
    ctroom("quota", "set", "openai", "954,770")
    ctroom("settings", "set", "tier", "unlimited")
    assert ctroom("usage").stdout == (
        "OpenAI\n  0 / 954,770 tokens\n  954,770 remaining (100.0%)\n  today 0, unlimited\n"
    )
    ctroom("quota", "set", "openai", "0")
    gone = ctroom("usage").stdout.splitlines()
    assert gone[0] == "OpenAI: You've used all available tokens. Please add your own API key in Settings."
    assert gone[2] == "  0 remaining (0.0%)"


def test_usage_as_json(run_ctroom: Program) -> None:
    run_ctroom("quota", "set", "openai", "1,000,000")
    shown = run_ctroom("usage", "--json", env=dict([KEY]))
    assert (shown.returncode, shown.stderr) == (0, "")
    report = json.loads(shown.stdout)
    assert list(report) == ["as_of", "user", "tier", "providers"]
    assert INSTANT.fullmatch(report["as_of"])
    assert (report["user"], report["tier"]) == ("local", "basic")
    [provider] = report["providers"]
    day = provider.pop("day")
    assert list(provider.items()) == [
        ("provider", "openai"),
        ("key_source", "default"),
        ("purchased", 1_000_000),
        ("used", 0),
        ("remaining", 1_000_000),
        ("remaining_percent", 100.0),
        ("held", 0),
        ("estimated", 0),
        ("alert", None),
    ]
    assert list(day) == ["date", "limit", "used", "remaining", "resets_at"]
    assert (day["limit"], day["used"], day["remaining"]) == (10_000, 0, 10_000)
    assert INSTANT.fullmatch(day["resets_at"])
    assert day["date"] < day["resets_at"][:10]
