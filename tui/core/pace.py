"""How often what changes by itself is drawn."""

from dataclasses import dataclass


@dataclass
class Pace:
    """Seconds between two redraws. One that many sessions share is slowed down while they are busy."""

    flush_seconds: float = 0.1
    """Of a reply that streams: ten a second (design, section 9)."""
    usage_seconds: float = 0.1
    """Of the figures, which any turn of anyone changes."""
    paint_seconds: float = 0.0
    """Of a whole session, whatever changes; a key is answered at once all the same."""
