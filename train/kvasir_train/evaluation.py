"""Channels of one pool of passages, and what is reported about them."""

import dataclasses
import pathlib

import numpy as np
import torch

from . import data, fusion, lexical, metrics
from .router import Router
from .store import FeatureStore


@dataclasses.dataclass
class Channels:
    """Scores of every passage for every question of one pool, [questions, passages] each."""

    name: str
    lexical: np.ndarray
    latent: np.ndarray
    gold: list[set[int]]

    def report(self, weights: fusion.Weights | None) -> dict[str, dict[str, float]]:
        scores = {"lexical": self.lexical, "latent": self.latent}
        if weights is not None:
            scores["fused"] = fusion.fuse(weights, self.lexical, self.latent)
        return {name: metrics.summary(lexical.top(s, 10), self.gold) for name, s in scores.items()}


def dev_channels(router: Router, features: pathlib.Path, folder: pathlib.Path, name: str) -> Channels:
    dev = data.dev_set(folder / "dev", name)
    store = FeatureStore(features, f"dev-{name}-*.safetensors", router.layers)
    if len(store.count) != len(dev.passages) or len(store.question) < len(dev.questions):
        raise ValueError(f"{features}: shards of {name} are not complete; run `features --only dev-{name}`")
    words = lexical.Bm25([f"{p.title} {p.text}" for p in dev.passages]).scores(dev.questions)
    latent = router.all_scores(store, torch.arange(len(dev.questions))).numpy()
    return Channels(name, words, latent, dev.gold)


def held_out_channels(
    router: Router, features: pathlib.Path, folder: pathlib.Path, pools: int, pattern: str = "train-*.safetensors"
) -> list[Channels]:
    """Held-out training rows over `pools` disjoint pools of passages of growing size.

    The engine's memories are of any size, so the fusion is fitted on pools that differ by powers of two.
    """
    store = FeatureStore(features, pattern, router.layers)
    rows = data.training_rows(folder / "train", characters=768)
    texts = {p.key: p for row in rows for p in row.positives + row.negatives}
    passages = [texts[key] for key in store.passage]
    known = [row for row in rows if row.held_out and row.key in store.question]
    known = [row for row in known if all(p.key in store.passage for p in row.positives)]
    generator = torch.Generator().manual_seed(1)
    built = []
    for number in range(pools):
        asked = known[number::pools]
        gold_places = sorted({store.passage[p.key] for row in asked for p in row.positives})
        size = len(passages) // 2**number
        others = torch.randperm(len(passages), generator=generator)[:size].tolist()
        pool = sorted(set(gold_places) | set(others))
        at = {place: i for i, place in enumerate(pool)}
        words = lexical.Bm25([f"{passages[p].title} {passages[p].text}" for p in pool])
        questions = torch.tensor([store.question[row.key] for row in asked])
        with torch.no_grad():
            parts = [router(store, questions, part) for part in torch.tensor(pool).split(4096)]
        gold = [{at[store.passage[p.key]] for p in row.positives} for row in asked]
        scores = words.scores([row.question for row in asked])
        built.append(Channels(f"held-out {len(pool)}", scores, torch.cat(parts, 1).numpy(), gold))
    return built
