"""Held-out training rows as a corpus and questions for the engine: what the fusion is fitted on."""

import json
import pathlib
import random

from . import data


def lines(path: pathlib.Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write(rows: list[data.Row], folder: pathlib.Path, passages: int, seed: int) -> tuple[int, int]:
    """corpus.jsonl and questions.jsonl of `folder`; returns how many rows each has.

    The corpus is every positive and negative of the questions, filled up to `passages` with positives of other rows.
    Questions are left out, from the end, when theirs alone would be more than `passages`: `rows` in a mixed order
    (data.training_rows) leave a fair sample of every source.
    """
    generator = random.Random(seed)
    texts: dict[str, data.Passage] = {}
    asked = []
    for row in (row for row in rows if row.held_out):
        own = {p.key: p for p in row.positives + row.negatives}
        if len(texts | own) > passages:
            break
        texts |= own
        asked.append(row)
    others = [p for row in rows if not row.held_out for p in row.positives[:1]]
    for passage in generator.sample(others, len(others)):
        if len(texts) >= passages:
            break
        texts.setdefault(passage.key, passage)
    folder.mkdir(parents=True, exist_ok=True)
    lines(folder / "corpus.jsonl", [{"id": k, "title": p.title, "text": p.text} for k, p in texts.items()])
    lines(
        folder / "questions.jsonl",
        [
            {"question": row.question, "answers": row.answers, "positives": [{"id": p.key} for p in row.positives]}
            for row in asked
        ],
    )
    return len(texts), len(asked)
