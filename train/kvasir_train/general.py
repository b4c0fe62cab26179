"""Prose without questions: pairs of a window and a sentence from beside it, for the teacher's soft labels alone."""

import pathlib
import random

from .data import Passage, clean, read_rows
from .items import SENTENCE_END, windows

SOURCES = ("wiki_passages", "text_books")
SENTENCE_CHARACTERS = (30, 240)  # Shorter ones are headings, longer ones no questions.

Pair = tuple[Passage, str]


def pair(title: str, text: str, generator: random.Random) -> Pair | None:
    """A window of the text and, as its question, a sentence from another window (of a short text: from its own)."""
    parts = windows(text)
    if not parts:
        return None
    place = generator.randrange(len(parts))
    beside = [parts[near] for near in (place - 1, place + 1) if 0 <= near < len(parts)]
    shortest, longest = SENTENCE_CHARACTERS
    sentences = [s for part in beside or [parts[place]] for s in SENTENCE_END.split(part)]
    sentences = [s.strip() for s in sentences if shortest <= len(s.strip()) <= longest]
    if not sentences:
        return None
    named = title if generator.random() < 0.5 else ""
    return Passage(named, parts[place]), generator.choice(sentences)


def pairs(folder: pathlib.Path, limit: int, seed: int) -> list[Pair]:
    """At most `limit` pairs of each source, mixed; the same for the same seed."""
    generator = random.Random(seed)
    found: list[Pair] = []
    for source in SOURCES:
        rows = list(read_rows(folder / f"{source}.jsonl.zst"))
        drawn = generator.choices(rows, k=limit)
        made = (pair(clean(row.get("title")), clean(row["text"]), generator) for row in drawn)
        found += [one for one in made if one]
    generator.shuffle(found)
    return found
