"""How well a text matches what was typed: whole words before parts of words before scattered letters."""

from itertools import pairwise


def match(wanted: str, text: str) -> tuple[float, tuple[int, ...]] | None:
    """Match letters in their order, whatever their case.

    Args:
        wanted: What was typed; its words may stand anywhere in the text.
        text: What it is looked for in.

    Returns:
        A score, the higher the better, and the places of the letters in the text; None without a match.
    """
    wanted, folded = wanted.strip().lower(), text.lower()
    if not wanted:
        return 0.0, ()
    if len(folded) != len(text):  # a few letters are longer in small: their places can't be told
        return (1.0, ()) if wanted in folded else None
    words = wanted.split()
    if all(word in folded for word in words):
        return _whole(wanted, words, folded)
    return _scattered(wanted.replace(" ", ""), folded)


def _whole(wanted: str, words: list[str], text: str) -> tuple[float, tuple[int, ...]]:
    if wanted in text:
        words = [wanted]
    found = [_best_place(word, text) for word in words]
    starts = sum(_starts_word(text, at) for at in found)
    places = {place for at, word in zip(found, words, strict=True) for place in range(at, at + len(word))}
    score = 2.0 + starts / len(words) + (1.0 if len(words) == 1 else 0.0) + (0.5 if found[0] == 0 else 0.0)
    return score + len(wanted) / (len(text) + 1), tuple(sorted(places))


def _best_place(word: str, text: str) -> int:
    """The first place that begins a word, else the first at all."""
    at = first = text.find(word)
    while at >= 0 and not _starts_word(text, at):
        at = text.find(word, at + 1)
    return at if at >= 0 else first


def _scattered(letters: str, text: str) -> tuple[float, tuple[int, ...]] | None:
    places: list[int] = []
    at = -1
    for letter in letters:
        begins = text.find(f" {letter}", max(0, at))
        after = text.find(letter, at + 1)
        if after < 0:
            return None
        # The next letter beside the last, else the first of a word, else wherever it comes.
        at = begins + 1 if after != at + 1 and begins >= 0 else after
        places.append(at)
    groups = 1 + sum(after != before + 1 for before, after in pairwise(places))
    starts = sum(_starts_word(text, place) for place in places)
    if groups > 1 + len(letters) // 2 and starts < groups:
        return None  # letters that happen to occur are no match
    return (starts + 1 - groups / len(letters)) / (len(letters) + 1), tuple(places)


def _starts_word(text: str, place: int) -> bool:
    return place == 0 or not text[place - 1].isalnum()
