"""How alike two words are: as typed, as heard, by stem, beginning, slip of the keyboard or part."""

from functools import lru_cache

EXACT, HEARD, STEM, CONCEPT = 1.0, 0.98, 0.93, 0.86
BEGINNING, SHARED_BEGINNING, INSIDE = 0.8, 0.66, 0.62
SLIP, FURTHER_SLIP = 0.78, 0.14
_LONG_ENOUGH = {1: 4, 2: 7, 3: 11}
"""From how many letters on one, two or three slips are taken for the same word."""

_CHEAPEST = 0.75
"""What a slip counts at least, by which a letter can come or go."""

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_PLACES = {
    key: (row, column + row / 2)
    for row, keys in enumerate(_KEYS)
    for column, key in enumerate(keys)
}


def _near(one: str, other: str) -> bool:
    """Whether two keys lie beside each other."""
    if one not in _PLACES or other not in _PLACES:
        return False
    (row, column), (other_row, other_column) = _PLACES[one], _PLACES[other]
    return abs(row - other_row) <= 1 and abs(column - other_column) <= 1


def _letters_apart(one: str, other: str) -> int:
    """How many letters of one word the other has not, or more: a slip brings or takes one."""
    own, others = _letters(one), _letters(other)
    return max((own & ~others).bit_count(), (others & ~own).bit_count())


@lru_cache(maxsize=20_000)
def _letters(word: str) -> int:
    """The letters of a word as a bit set."""
    found = 0
    for letter in word:
        found |= 1 << ord(letter) % 64
    return found


def slips(one: str, other: str, most: float) -> float:
    """The least number of slips between two words, or more than `most`.

    A letter left out, added, replaced or changed in order is one slip; a doubled letter or one
    replaced by its neighbour on the keyboard three quarters. (Damerau, 1964.)
    """
    if abs(len(one) - len(other)) > most or _CHEAPEST * _letters_apart(one, other) > most:
        return most + 1
    before: list[float] = []
    row = [float(place) for place in range(len(other) + 1)]
    for i, letter in enumerate(one, start=1):
        earlier, before = before, row
        row = [float(i)]
        for j, opposite in enumerate(other, start=1):
            change = 0.0 if letter == opposite else _CHEAPEST if _near(letter, opposite) else 1.0
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + change)
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == opposite:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
    return row[-1]


@lru_cache(maxsize=200_000)
def likeness(typed: str, known: str) -> float:
    """From 0, unlike, to BEGINNING: the likeness of two heard words that share no stem."""
    if len(typed) >= 3 and known.startswith(typed):
        return BEGINNING * (0.6 + 0.4 * len(typed) / len(known))
    shortest, longest = sorted((len(typed), len(known)))
    best = 0.0
    shared = next((i for i in range(shortest) if typed[i] != known[i]), shortest)
    if shared >= 5 and longest - shared <= 4:
        best = SHARED_BEGINNING
    most = max((n for n, length in _LONG_ENOUGH.items() if shortest >= length), default=0)
    if most:
        counted = slips(typed, known, most)
        if counted <= most:
            best = max(best, SLIP - FURTHER_SLIP * (counted - 1))
    if len(typed) >= 5 and typed in known:
        best = max(best, INSIDE)
    return best
