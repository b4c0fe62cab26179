"""Hard negatives: passages that BM25 puts on top and that hold no answer."""

import numpy as np

from . import lexical
from .data import Passage, Row


def is_false_negative(passage: Passage, row: Row) -> bool:
    """A mined passage that is a positive, or that contains an answer longer than a yes or no."""
    if any(passage.text == positive.text for positive in row.positives):
        return True
    text = passage.text.lower()
    return any(len(answer) > 3 and answer.lower() in text for answer in row.answers)


def mine(rows: list[Row], passages: list[Passage], depth: int, keep: int, block: int = 512) -> list[list[int]]:
    """For each row, places of up to `keep` hard negatives among BM25's first `depth`, best first."""
    index = lexical.Bm25([f"{p.title} {p.text}" for p in passages])
    mined = []
    for begin in range(0, len(rows), block):
        part = rows[begin : begin + block]
        scores = index.scores([row.question for row in part])
        first = np.argpartition(-scores, min(depth, scores.shape[1] - 1), axis=1)[:, :depth]
        for number, row in enumerate(part):
            ranked = first[number][np.argsort(-scores[number, first[number]], kind="stable")]
            hard = [int(p) for p in ranked if not is_false_negative(passages[p], row)]
            mined.append(hard[:keep])
    return mined
