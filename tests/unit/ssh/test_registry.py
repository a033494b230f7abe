"""Who is connected, and who may end whom."""

from datetime import UTC, datetime, timedelta

from tui.core.sessions import SessionInfo
from tui.ssh.registry import ENDED, ENDED_THEMSELVES, Entry, Registry, SessionsOf

START = datetime(2026, 11, 23, tzinfo=UTC)


def entry(number: int, user: str, ended: list[str]) -> Entry:
    info = SessionInfo(str(number), user, "10.0.0.1", START + timedelta(minutes=number))
    return Entry(info, "SHA256:x", lambda why: ended.append(f"{user}: {why}"))


def test_the_longest_session_is_first_and_everyone_is_told() -> None:
    registry, told = Registry(), [0]

    def changed() -> None:
        told[0] += 1

    stop = registry.subscribe(changed)
    registry.add(entry(2, "kim", []))
    registry.add(entry(1, "sam", []))
    assert [info.user for info in registry.connected()] == ["sam", "kim"]
    registry.remove("1")
    registry.remove("1")
    stop()
    registry.remove("2")
    assert told == [3]
    assert registry.connected() == ()


def test_a_member_sees_and_ends_only_their_own() -> None:
    registry, ended, admin = Registry(), list[str](), [False]
    registry.add(entry(1, "sam", ended))
    registry.add(entry(2, "kim", ended))
    seen = SessionsOf(registry, "kim", lambda: admin[0])
    assert [info.user for info in seen.connected()] == ["kim"]
    assert not seen.end("1")
    assert not seen.end("unknown")
    assert ended == []
    assert seen.end("2")
    admin[0] = True  # it counts when it is asked for
    assert [info.user for info in seen.connected()] == ["sam", "kim"]
    assert seen.end("1")
    assert ended == [f"kim: {ENDED_THEMSELVES}", f"sam: {ENDED}"]
