"""Words as they are compared: without case, accents, endings and habits of one language."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

_HERE = Path(__file__).parent

MOST_WORDS = 20_000
"""Words of which the folded form is remembered: anybody may type others without end."""

SMALL_WORDS = frozenset((_HERE / "small_words.txt").read_text(encoding="utf-8").split())
"""Words that say little of which complication is meant; a search for them alone still uses them."""

_LIGATURES = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "oe"}
)
_PLAIN = str.maketrans({"ä": "a", "ö": "o", "ü": "u"})
_SPELLINGS = (
    *(("ae", "e"), ("oe", "e"), ("ue", "u"), ("ph", "f"), ("th", "t"), ("rh", "r")),
    *(("ck", "k"), ("sch", "sh"), ("qu", "k"), ("y", "i"), ("z", "s"), ("x", "ks")),
)
"""Spellings that are heard alike in English, German, French or Dutch, in order."""

_ENDINGS = tuple(
    sorted((_HERE / "endings.txt").read_text(encoding="utf-8").split(), key=len, reverse=True)
)
_SHORTEST_STEM = 4


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without accents; ä is ae, and so on.

    Hyphens and slashes part words, apostrophes too: "l'effet" is two, "can't" is "can not".
    """
    return _split(text.lower().translate(_LIGATURES))


def umlauts_dropped(text: str) -> list[str]:
    """The same where ä is typed as a, as on a keyboard without umlauts."""
    return _split(text.lower().translate(_PLAIN))


def _split(text: str) -> list[str]:
    text = text.replace("\u2019", "'").replace("can't", "can not").replace("cannot", "can not")
    text = re.sub(r"n't\b", " not", text)
    text = unicodedata.normalize("NFKD", text)
    return re.findall(r"[^\W_]+", "".join(c for c in text if not unicodedata.combining(c)))


@lru_cache(maxsize=MOST_WORDS)
def sound(word: str) -> str:
    """A folded word as it is heard: katheter for catheter, hematom for haematom."""
    for seen, heard in _SPELLINGS:
        word = word.replace(seen, heard)
    word = re.sub(r"c(?!h)", "k", word)
    return re.sub(r"(\D)\1+", r"\1", word)


@lru_cache(maxsize=MOST_WORDS)
def stem(word: str) -> str:
    """What is left of a heard word without up to two endings; at least four letters are kept."""
    for _ in range(2):
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
                word = word[: -len(ending)]
                break
        else:
            break
    return word
