"""What a member of a host sees, and that what an admin decides reaches a session that runs."""

from pathlib import Path

from tests.support.public_keys import ed25519
from tests.ui.app_harness import running
from tui.commands.runtime import utc_now
from tui.services.users import Users
from tui.storage.store import JsonStore

KEY = {"OPENAI_API_KEY": "sk-env-openai-0123456789"}
PURCHASED = 987_654


async def _a_host(home: Path) -> None:
    async with running(home, environ=KEY) as host:
        await host.services.accounting.set_purchased("openai", PURCHASED)
        await host.services.users.add("sam", ed25519("sam"))


async def test_a_tier_reaches_the_footer_of_a_running_session_at_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await _a_host(home)
    async with running(home, environ=KEY, user="sam") as sam:
        await sam.until(lambda: "0 / 1,000" in sam.footer_text())
        host = Users(sam.services.store, utc_now, "local")
        await host.set_tier("sam", "basic")
        await sam.until(lambda: "0 / 10,000" in sam.footer_text())
        await host.set_tier("sam", "unlimited")
        await sam.until(lambda: "10,000" not in sam.footer_text())


async def test_a_tier_set_by_another_process_reaches_it_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await _a_host(home)
    async with running(home, environ=KEY, user="sam") as sam:
        await sam.until(lambda: "0 / 1,000" in sam.footer_text())
        other = await JsonStore.open(home, utc_now)
        await Users(other, utc_now, "local").set_tier("sam", "basic")
        await other.aclose()
        await sam.until(lambda: "0 / 10,000" in sam.footer_text())


async def test_a_member_sees_the_day_and_a_percentage_and_no_amount(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await _a_host(home)
    async with running(home, environ=KEY, user="sam", size=(120, 60)) as sam:
        await sam.until(lambda: "0 / 1,000" in sam.footer_text())
        await sam.pilot.press("f4")
        await sam.until(lambda: bool(sam.app.query("#settings:focus-within")))
        await sam.until(lambda: "Your tokens today" in sam.screen_text())
        shown = sam.screen_text() + sam.footer_text()
        assert "100.0%" in shown
        assert f"{PURCHASED:,}" not in shown
        assert "Users (admin)" not in shown
        assert "Purchased" not in shown
        assert "Default keys, for everyone" not in shown
