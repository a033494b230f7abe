"""`ctroom settings`: every name that it lists can be read, and be given back what was read."""

from tests.program import Program
from tests.support.command_line import CommandLine

CHANGES = {
    "tier": "free",
    "keys.use_custom": "true",
    "openai.use_own_key": "true",
    "provider": "demo",
    "openai.model": "gpt-4o-mini",
    "max_output": "2048",
    "temperature": "0.7",
    "system_prompt": "Be brief.",
    "reasoning_effort": "low",
    "display_time_zone": "Asia/Tokyo",
    "bell": "false",
    "notify": "off",
    "time_zone": "Europe/Berlin",
    "host_name": "King's Credits",
    "openai.base_url": "http://127.0.0.1:9/v1",
    "google.sdk": "google-generativeai",
    "tiers.free": "1500",
    "endpoints.local.base_url": "http://127.0.0.1:8080/v1",
    "endpoints.local.context": "4096",
}
REFUSED = {
    "tier": ("gold", "'gold' is not a tier: choose from free, basic, unlimited."),
    "max_output": ("0", "Enter a number of tokens from 1 to 1,000,000."),
    "temperature": ("3", "Enter a number from 0 to 2, or leave it empty for the model's own."),
    "bell": ("maybe", "Enter true or false."),
    "notify": ("mail", "'mail' is not a way to notify: choose from off, bell, desktop."),
    "nothing": ("x", "There is no setting 'nothing': `ctroom settings get` lists them all."),
    "endpoints.near.model": ("m", "Set endpoints.near.base_url first: the address of the server."),
}


def listed(ctroom: CommandLine) -> dict[str, str]:
    shown = ctroom("settings", "get")
    assert (shown.returncode, shown.stderr) == (0, "")
    return dict(line.split(" = ", 1) for line in shown.stdout.splitlines())


def test_changes_are_kept(ctroom: CommandLine, run_ctroom: Program) -> None:
    before = listed(ctroom)
    for name, value in CHANGES.items():
        done = ctroom("settings", "set", name, value)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{name} = {value}\n", "")
    after = listed(ctroom)
    assert {name: after[name] for name in CHANGES} == CHANGES
    untouched = before.keys() - CHANGES.keys()
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}
    assert run_ctroom("settings", "get", "host_name").stdout == "King's Credits\n"


def test_every_value_that_is_shown_is_taken_back(ctroom: CommandLine) -> None:
    before = listed(ctroom)
    assert len(before) > 20
    for name, value in before.items():
        done = ctroom("settings", "set", name, value)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{name} = {value}\n", "")
    assert listed(ctroom) == before


def test_what_can_not_be_taken_changes_nothing(ctroom: CommandLine) -> None:
    before = listed(ctroom)
    for name, (value, sentence) in REFUSED.items():
        refused = ctroom("settings", "set", name, value)
        assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"{sentence}\n")
    unknown = ctroom("settings", "get", "nothing")
    assert (unknown.returncode, unknown.stderr) == (2, f"{REFUSED['nothing'][1]}\n")
    assert listed(ctroom) == before


def test_a_tier_comes_and_goes(ctroom: CommandLine) -> None:
    assert ctroom("settings", "set", "tiers.guests", "500").stdout == "tiers.guests = 500\n"
    assert listed(ctroom)["tiers.guests"] == "500"
    assert ctroom("settings", "set", "tiers.guests", "remove").stdout == "Removed tiers.guests.\n"
    assert "tiers.guests" not in listed(ctroom)
    assert ctroom("settings", "set", "tiers.free", "remove").returncode == 2
