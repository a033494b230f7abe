"""Byte-pair encoding with OpenAI's o200k_base vocabulary, offline.

tiktoken would do the same, but it downloads its vocabulary, panics on a million spaces, and holds the
interpreter while it builds its encoder: the event loop stood still for 280 to 320 ms, against 20 ms here, and
the process grew by 77 MB, against 37. What is counted is the same; the tests compare the two.

The vocabulary is `data/o200k_base.xz` (see `data/README.md`).
"""

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

TOKENS = 199_998
"""Tokens of o200k_base without the special ones."""
VOCABULARY = Path(__file__).parent / "data" / "o200k_base.xz"
LONGEST_PIECE = 256
"""Characters that are merged together: merging is quadratic. Only an unbroken run is longer."""
_REMEMBERED = 4_096
"""Merged pieces whose count is remembered: the rare words of a text recur."""

_PATTERN = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""How text is cut into pieces before merging: `o200k_base` in `tiktoken_ext/openai_public.py`."""


def read_vocabulary() -> list[bytes]:
    """Every token in the order of its rank."""
    import lzma  # not before it is needed: the services import this module before the first frame

    content = lzma.decompress(VOCABULARY.read_bytes())
    tokens, start = [], TOKENS
    for length in content[:TOKENS]:
        tokens.append(content[start : start + length])
        start += length
    return tokens


class Encoder:
    """Counts tokens. Making one takes 0.25 s, in a thread: see `tui.providers.tokens.warm`."""

    def __init__(self) -> None:
        # `re` knows no \p{L}; the package `regex` has no types.
        self._pieces: Any = import_module("regex").compile(_PATTERN)
        self._ranks = {token: rank for rank, token in enumerate(read_vocabulary())}
        self._merged = lru_cache(_REMEMBERED)(self._merge)

    def count(self, text: str) -> int:
        """Tokens of a text, with nothing in it taken for a special token."""
        ranks, total = self._ranks, 0
        for match in self._pieces.finditer(text):
            piece = match[0]
            if len(piece) <= LONGEST_PIECE:
                token = piece.encode("utf-8", "replace")
                total += 1 if token in ranks else self._merged(token)
                continue
            for start in range(0, len(piece), LONGEST_PIECE):
                total += self._merged(piece[start : start + LONGEST_PIECE].encode("utf-8", "replace"))
        return total

    def _merge(self, piece: bytes) -> int:
        """How many tokens are left of a piece when neighbours are merged, lowest rank first."""
        get = self._ranks.get
        parts = [piece[index : index + 1] for index in range(len(piece))]
        pairs = [get(piece[index : index + 2], TOKENS) for index in range(len(piece) - 1)]
        while pairs:
            best = min(pairs)
            if best == TOKENS:
                break
            at = pairs.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
            del pairs[at]
            if at < len(pairs):
                pairs[at] = get(parts[at] + parts[at + 1], TOKENS)
            if at:
                pairs[at - 1] = get(parts[at - 1] + parts[at], TOKENS)
        return len(parts)
