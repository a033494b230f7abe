"""Turns with files against a real server: what it is sent, and what is charged."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.peers.servers import AIMock
from tests.support.command_line import CommandLine
from tests.support.files import pdf, png
from tests.support.replay import RealPauses, Talk, talk
from tui.core.chat import Attachment, MessageStatus
from tui.core.settings import LOCAL_USER
from tui.core.usage import Provenance, Usage
from tui.providers import connect
from tui.services.attachments import Attachments

pytestmark = pytest.mark.peers

KEY = "sk-env-openai-0123456789"


@pytest.fixture
async def session(aimock: AIMock) -> AsyncIterator[Talk]:
    made = await talk(connect=connect, pauses=RealPauses())
    await made.accounting.set_purchased("openai", 1_000_000)
    await made.services.settings.set("openai.base_url", aimock.openai_url)
    yield made
    await made.turns.aclose()
    made.assert_settled()


async def attach(session: Talk, path: Path, content: bytes) -> Attachment:
    await asyncio.to_thread(path.write_bytes, content)
    service = Attachments(session.store, LOCAL_USER)
    return await service.keep(await service.read(path, "openai", "gpt-5.1"))


async def test_files_reach_the_server_and_the_charge_is_what_it_reports(
    session: Talk, aimock: AIMock, tmp_path: Path
) -> None:
    notes = await attach(session, tmp_path / "notes.txt", b"Buy milk.\n")
    cat = await attach(session, tmp_path / "cat.png", png(1024, 1024))
    paper = await attach(session, tmp_path / "paper.pdf", pdf(2))

    end = await session.reply("exact", attachments=(notes, cat, paper))
    await session.reply("and now?")

    assert (end.reply.status, end.charged) == (MessageStatus.COMPLETE, 1_234 + 567)
    assert (end.reply.usage, end.reply.provenance) == (Usage(1_234, 567), Provenance.REPORTED)
    first, second = (request["body"]["messages"] for request in aimock.requests())
    [prompt] = first
    assert [part["type"] for part in prompt["content"]] == ["image_url", "file", "text"]
    assert prompt["content"][2]["text"] == '<file name="notes.txt">\nBuy milk.\n</file>\n\nexact'
    assert second[0] == prompt, "History is sent with its files."
    assert [message.attachments for message in await session.messages()] == [(notes, cat, paper), (), (), ()]


async def test_a_turn_that_is_not_measured_is_charged_with_its_picture(
    session: Talk, aimock: AIMock, tmp_path: Path
) -> None:
    cat = await attach(session, tmp_path / "cat.png", png(1024, 1024))
    end = await session.reply("truncate", attachments=(cat,))
    assert end.reply.provenance is Provenance.ESTIMATED
    assert len(session.ledger) == len(aimock.requests())
    for row in session.ledger:
        assert 630 < row.input < 700, "A picture of 1024 x 1024 pixels is 630 tokens to gpt-5.1."
    assert end.charged == sum(row.tokens for row in session.ledger)


async def test_a_file_that_changed_or_is_gone_changes_nothing_that_was_sent(
    session: Talk, aimock: AIMock, tmp_path: Path
) -> None:
    notes = await attach(session, tmp_path / "notes.txt", b"Buy milk.\n")
    (tmp_path / "notes.txt").unlink()
    assert (await session.reply("exact", attachments=(notes,))).reply.status is MessageStatus.COMPLETE
    assert "Buy milk." in aimock.requests()[0]["body"]["messages"][0]["content"]


def test_ask_attaches_files(ctroom: CommandLine, aimock: AIMock, tmp_path: Path, ctroom_home: Path) -> None:
    env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": aimock.openai_url}
    (tmp_path / "notes.txt").write_text("Buy milk.\n")
    (tmp_path / "cat.png").write_bytes(png())
    (tmp_path / ".env").write_text("PASSWORD=1\n")
    paths = ["--attach", str(tmp_path / "notes.txt"), "-a", str(tmp_path / "cat.png")]

    asked = ctroom("ask", "exact", "-m", "gpt-5.1", *paths, "--json", env=env)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert json.loads(asked.stdout)["charged"] == 1_234 + 567
    [request] = aimock.requests()
    assert [part["type"] for part in request["body"]["messages"][-1]["content"]] == ["image_url", "text"]
    assert len(list((ctroom_home / "attachments").iterdir())) == 2

    secret = ctroom("ask", "exact", "--attach", str(tmp_path / ".env"), env=env)
    assert (secret.returncode, secret.stdout) == (2, "")
    assert secret.stderr.startswith(".env looks like a file that holds passwords or keys. Nothing was sent")
    missing = ctroom("ask", "exact", "--attach", str(tmp_path / "gone"), env=env)
    assert "There is no file" in missing.stderr
    assert len(aimock.requests()) == 1
    assert ctroom("ask", "--yes", "--attach", str(tmp_path / ".env"), env=env).returncode == 0
