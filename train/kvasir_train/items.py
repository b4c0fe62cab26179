"""Training items: a passage cut to a window of evidence, with all the questions that it answers."""

import collections
import dataclasses
import re

from .data import Passage, Row

WINDOW_CHARACTERS = 700
SENTENCE_END = re.compile(r"(?<=[.!?\n])\s+")
WORD = re.compile(r"\w+")


@dataclasses.dataclass
class Item:
    """One window; `rows` are places in the list of rows whose question it answers (none: a distractor)."""

    passage: Passage
    rows: list[int] = dataclasses.field(default_factory=list)


def windows(text: str) -> list[str]:
    """Runs of whole sentences of at most WINDOW_CHARACTERS; a longer sentence is cut hard."""
    runs, current = [], ""
    for sentence in SENTENCE_END.split(text):
        while len(sentence) > WINDOW_CHARACTERS:
            head, sentence = sentence[:WINDOW_CHARACTERS], sentence[WINDOW_CHARACTERS:]
            runs += [current] * bool(current) + [head]
            current = ""
        if current and len(current) + len(sentence) + 1 > WINDOW_CHARACTERS:
            runs.append(current)
            current = sentence
        else:
            current = f"{current} {sentence}".strip()
    return runs + [current] * bool(current)


def evidence_window(row: Row, passage: Passage) -> str:
    """The window with an answer in it, else the one sharing most words with question and answers."""
    parts = windows(passage.text)
    if len(parts) == 1:
        return parts[0]
    for answer in row.answers:
        for part in parts if len(answer) > 3 else ():
            if answer.lower() in part.lower():
                return part
    asked = set(WORD.findall(f"{row.question} {' '.join(row.answers)}".lower()))
    return max(parts, key=lambda part: len(asked & set(WORD.findall(part.lower()))))


def build(rows: list[Row], questions_per_item: int) -> list[Item]:
    """Items in order of first use. Surplus questions of an item are left out."""
    items: dict[str, Item] = {}
    spread: collections.Counter[str] = collections.Counter()
    for number, row in enumerate(rows):
        for positive in row.positives:
            window = Passage(positive.title, evidence_window(row, positive))
            item = items.setdefault(window.key, Item(window))
            if len(item.rows) < questions_per_item and number not in item.rows:
                item.rows.append(number)
                spread[row.source] += 1
    return list(items.values())
