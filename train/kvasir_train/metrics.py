"""What recall is judged by, computed from ranked lists of document places and sets of gold places."""

import numpy as np


def recall_at(ranked: np.ndarray, gold: list[set[int]], k: int) -> float:
    """Mean over questions of the share of gold documents among the first k."""
    return float(np.mean([len(g & set(row[:k].tolist())) / len(g) for row, g in zip(ranked, gold)]))


def ndcg_at(ranked: np.ndarray, gold: list[set[int]], k: int) -> float:
    gains = 1 / np.log2(np.arange(2, k + 2))
    values = []
    for row, g in zip(ranked, gold):
        found = np.array([place in g for place in row[:k].tolist()])
        values.append((gains[: len(found)] * found).sum() / gains[: min(len(g), k)].sum())
    return float(np.mean(values))


def all_gold_at(ranked: np.ndarray, gold: list[set[int]], k: int) -> float:
    return float(np.mean([g <= set(row[:k].tolist()) for row, g in zip(ranked, gold)]))


def summary(ranked: np.ndarray, gold: list[set[int]]) -> dict[str, float]:
    figures = {f"r@{k}": recall_at(ranked, gold, k) for k in (1, 5, 10)}
    figures["ndcg@10"] = ndcg_at(ranked, gold, 10)
    figures["all_gold@10"] = all_gold_at(ranked, gold, 10)
    return {name: round(value, 4) for name, value in figures.items()}
