"""Which toasts stay, and which make way."""

from textual.notifications import Notification, SeverityLevel

from tui.toasts import MOST, CalmNotifications


def toast(message: str, title: str = "", severity: SeverityLevel = "information") -> Notification:
    return Notification(message, title, severity, timeout=60)


def messages(toasts: CalmNotifications) -> list[str]:
    return [shown.message for shown in toasts]


def test_the_newest_of_a_kind_replaces_the_one_before() -> None:
    toasts = CalmNotifications()
    for number in range(5):
        toasts.add(toast(f"Copied {number}."))
    toasts.add(toast("Not opened.", "Not opened", "error"))
    assert messages(toasts) == ["Copied 4.", "Not opened."]


def test_the_same_is_never_shown_twice() -> None:
    toasts = CalmNotifications()
    toasts.add(toast("The disk is full.", "Not saved", "error"))
    toasts.add(toast("The disk is full.", "Not saved", "error"))
    assert messages(toasts) == ["The disk is full."]


def test_there_are_few_and_what_matters_stays() -> None:
    toasts = CalmNotifications()
    toasts.add(toast("Exhausted.", "OpenAI", "error"))
    toasts.add(toast("Low.", "Google", "warning"))
    toasts.add(toast("Copied.", "a"))
    toasts.add(toast("Saved.", "b"))
    assert messages(toasts) == ["Exhausted.", "Low.", "Saved."]
    toasts.add(toast("Low.", "Today", "warning"))
    toasts.add(toast("Not sent.", "Not sent", "error"))
    assert len(toasts) == MOST
    assert messages(toasts) == ["Exhausted.", "Low.", "Not sent."]


def test_what_comes_from_outside_is_made_safe() -> None:
    toasts = CalmNotifications()
    toasts.add(toast("a\x1b]52;c;eA==\x07\nb\u202ec" + "x" * 9_000, "t\x9b31m\n"))
    (shown,) = toasts
    assert shown.message.startswith("a␛]52;c;eA==␇\nbcxx")
    assert len(shown.message) == 600
    assert shown.title == "t31m"
