"""The sentences of a refused turn: why, when it resets, and the ways out."""

from datetime import datetime

from tui.core.days import zone
from tui.core.errors import QuotaRefusedError, RefusalReason
from tui.core.frozen import frozen
from tui.core.quota import Refusal

QUOTA_GONE = "You've used all available tokens. Please add your own API key in Settings."
"""The user's words (design, section 1)."""


@frozen
class Viewer:
    """Who reads a refusal, and when."""

    now: datetime
    zone: str
    """The IANA zone in which times are shown to them."""
    admin: bool


def refused(refusal: Refusal, needed: int, resets_at: datetime, viewer: Viewer) -> QuotaRefusedError:
    """The error for a refused admission.

    Args:
        refusal: The decision.
        needed: Tokens that the prompt is estimated at.
        resets_at: When the day's allowance returns, in UTC.
        viewer: Who reads it.
    """
    of_day = refusal.scope == "day"
    until = f" {_return(resets_at, viewer)}" if of_day else ""
    left = max(0, refusal.left)
    match refusal.reason:
        case RefusalReason.HELD_BY_OTHERS:
            message = "Another reply is using the rest. Try again in a moment."
        case RefusalReason.PROMPT_TOO_LONG:
            have = f"{left:,} are left today" if of_day else f"{left:,} are left"
            if not of_day and not viewer.admin:
                have = "fewer are left"
            message = (
                f"This prompt needs about {needed:,} tokens and {have}: "
                f"shorten it, or add your own API key in Settings.{until}"
            )
        case RefusalReason.DAY_EXHAUSTED:
            message = f"{QUOTA_GONE}{_rest(left)}{until} {_raise(viewer)}"
        case RefusalReason.POOL_EXHAUSTED:
            message = f"{QUOTA_GONE}{_rest(left) if viewer.admin else ''} {_top_up(viewer)}"
    return QuotaRefusedError(refusal.reason, message, resets_at if of_day else None)


def resets(resets_at: datetime, zone_name: str) -> str:
    """The time of a reset on the viewer's clock: "00:00"."""
    return f"{resets_at.astimezone(zone(zone_name)):%H:%M}"


def _rest(left: int) -> str:
    """What the footer still shows, so that nobody wonders at it."""
    return f" What is left ({left:,}) is too little for a reply." if left else ""


def _return(resets_at: datetime, viewer: Viewer) -> str:
    wait = _duration(max(0, int((resets_at - viewer.now).total_seconds())))
    return f"Today's allowance returns at {resets(resets_at, viewer.zone)} (in {wait})."


def _duration(seconds: int) -> str:
    """A wait in words, rounded up to the minute: "1 h 12 min"."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def _top_up(viewer: Viewer) -> str:
    """The way out of an empty pool; waiting is none."""
    if viewer.admin:
        return "If you bought more, enter it under Token quotas. The pool does not refill by itself."
    return "Or ask the host to top up. The pool does not refill by itself."


def _raise(viewer: Viewer) -> str:
    """The way out of an empty day beside waiting."""
    return "Or choose a higher tier in Settings." if viewer.admin else "Or ask the host for a higher tier."
