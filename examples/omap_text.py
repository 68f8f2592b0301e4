"""Two texts that have nothing in common but their length, and their tokens."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import numpy as np

_RHYME = ("the drum goes round and round, the drum goes up and down; "
          "the drum goes all about the town. ")

_WORDS = {
    "det": "the a this that every no one another some each",
    "adj": "old small quiet bright heavy broken distant careful green narrow hollow patient rusty "
           "early clever pale endless wooden stubborn foreign gentle crooked sudden amber "
           "northern idle brittle humid silver forgotten",
    "noun": "house river letter engine garden clock window sailor market bridge winter teacher "
            "orchard signal harbour lantern violin mountain printer kettle telescope farmer "
            "corridor machine island captain library stone carpet festival daughter ledger copper "
            "glacier neighbour apprentice compass railway thunder pigeon cellar parliament needle "
            "furnace tailor swamp archive meteor canal beekeeper",
    "verb": "found carried watched repaired followed remembered painted sold crossed measured "
            "opened forgot borrowed heard lifted copied guarded answered emptied counted drew "
            "feared moved inherited questioned polished wrapped traced",
    "how": "slowly again at night without a word for years by hand in the rain before dawn "
           "on purpose never twice",
    "where": "near behind under beside above beyond across from inside along",
    "join": "and but while because until so although whereas",
}
_SHAPES = ("det noun verb det noun", "det adj noun verb det noun where det noun",
           "det noun where det adj noun verb det adj noun",
           "how det noun verb det noun", "det noun verb det noun join det adj noun verb how",
           "in year det noun verb det noun where det adj noun")


def repetitive() -> Iterator[str]:
    """A rhyme, over and over."""
    while True:
        yield _RHYME


def varied(rng: np.random.Generator) -> Iterator[str]:
    """Sentences without end, their words as uneven as words are: the n-th of a list 1/n often."""
    while True:
        shape = _SHAPES[int(rng.integers(len(_SHAPES)))].split()
        words = [_word(kind, rng) for kind in shape]
        yield " ".join(words).capitalize() + ". "


def _word(kind: str, rng: np.random.Generator) -> str:
    if kind == "year":
        return str(int(rng.integers(1000, 2000)))
    if kind not in _WORDS:
        return kind
    words = _WORDS[kind].split()
    weights = 1 / np.arange(1, len(words) + 1)
    return words[int(rng.choice(len(words), p=weights / weights.sum()))]


def tokens(text: Iterator[str], count: int) -> list[str]:
    """The first tokens of a text: words, numbers and marks, in small letters."""
    found: list[str] = []
    while len(found) < count:
        found += re.findall(r"\w+|[^\w\s]", next(text).lower())
    return found[:count]


def row(token: str, rows: int) -> int:
    """The row of a token in a table of `rows`: a hash, as of a vocabulary without end."""
    return zlib.crc32(token.encode()) % rows
