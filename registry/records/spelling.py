"""Spellings that mean the same: case, accents, blanks, underscores, hyphens and dashes aside."""

import re
import unicodedata
from functools import lru_cache

SITE_CODE = re.compile(r"[A-Z0-9-]{2,20}")
"""How the code of a site is written."""

_TOKENS = re.compile(r"[0-9]+|[^\W\d_]+")
_SIGNS = str.maketrans(
    {
        **{"+": " plus ", ">": " over ", "'": "", "\N{RIGHT SINGLE QUOTATION MARK}": ""},
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),  # of no width, in words
    }
)


_AMERICAN = (
    *(("isation", "ization"), ("tumour", "tumor"), ("haemat", "hemat"), ("oedema", "edema")),
    ("anaesth", "anesth"),
)


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """The words and numbers of a text in lower case and without accents, joined by hyphens.

    `SynchroMed II 20ml`, `synchromed_ii-20 mL` and `synchromed-ii-20-ml` fold to the same.
    A text without any letter or digit folds to an empty one.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_SIGNS).casefold())
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    return "-".join(_TOKENS.findall(plain))


def folded_heading(text: str) -> str:
    """A column's heading, folded and without the hyphens: `MonthsFollowed` is `months_followed`."""
    return folded(text).replace("-", "")


def american(text: str) -> str:
    """A folded text as it is spelled in the United States: `hospitalization`."""
    for british, other in _AMERICAN:
        text = text.replace(british, other)
    return text
