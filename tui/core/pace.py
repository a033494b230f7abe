"""How often what changes by itself is drawn."""

import random
from dataclasses import dataclass


@dataclass(repr=False, eq=False)
class Pace:
    """Seconds between two redraws. One that many sessions share is slowed down while they are busy."""

    flush_seconds: float = 0.1
    """Of a reply that streams: ten a second (design, section 9)."""
    usage_base: float = 0.1
    """Of the figures, which any turn of anyone changes."""
    paint_seconds: float = 0.0
    """Of a whole session, whatever changes; a key is answered at once all the same."""
    spread: float = 0.0
    """How far apart sessions draw what they were told of together: 1 is from half to one and a half times."""

    @property
    def usage_seconds(self) -> float:
        """Until the figures are drawn again."""
        return self.usage_base * (1 + self.spread * (random.random() - 0.5))
