"""Trains routers on feature shards and judges them on rows that were held out."""

import dataclasses
import pathlib
import random

import numpy as np
import torch

from . import data, lexical, metrics, mining
from . import router as routers
from .progress import Progress
from .store import FeatureStore


@dataclasses.dataclass(frozen=True)
class Recipe:
    steps: int
    batch: int = 256
    negatives: int = 2
    rate: float = 1e-3
    weight_decay: float = 0.1
    tau: float = 0.05
    teacher_tau: float = 0.05
    teacher_share: float = 1.0
    seed: int = 0


class TrainingSet:
    """Rows whose question and positives have features, split by the held-out rule, with hard negatives."""

    def __init__(self, store: FeatureStore, rows: list[data.Row]):
        self.store = store
        known = [
            row for row in rows if row.key in store.question and all(p.key in store.passage for p in row.positives)
        ]
        texts = {p.key: p for row in rows for p in row.positives + row.negatives}
        self.passages = [texts[key] for key in store.passage]
        self.train = [row for row in known if not row.held_out]
        self.held_out = [row for row in known if row.held_out]
        self.positives = [self._places(row) for row in self.train]
        self.questions = torch.tensor([store.question[row.key] for row in self.train])
        self.hard = mining.mine(self.train, self.passages, depth=40, keep=10)

    def _places(self, row: data.Row) -> list[int]:
        return [self.store.passage[p.key] for p in row.positives]

    def held_out_gold(self) -> tuple[torch.Tensor, list[set[int]]]:
        questions = torch.tensor([self.store.question[row.key] for row in self.held_out])
        return questions, [set(self._places(row)) for row in self.held_out]


class Trainer:
    def __init__(self, router: routers.Router, rows: TrainingSet, recipe: Recipe):
        self.router, self.rows, self.recipe = router, rows, recipe
        self.optimizer = torch.optim.AdamW(router.parameters(), lr=recipe.rate, weight_decay=recipe.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, recipe.rate, total_steps=recipe.steps, pct_start=0.1
        )
        self.history: list[dict] = []

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Questions, candidate passages, the target of each question, and the pairs to ignore."""
        generator = random.Random(self.recipe.seed * 1_000_003 + step)
        picked = generator.sample(range(len(self.rows.train)), min(self.recipe.batch, len(self.rows.train)))
        positive = [generator.choice(self.rows.positives[i]) for i in picked]
        hard = [
            place
            for i in picked
            for place in generator.sample(self.rows.hard[i], min(self.recipe.negatives, len(self.rows.hard[i])))
        ]
        passages = list(dict.fromkeys(positive + hard))
        at = {place: column for column, place in enumerate(passages)}
        ignored = torch.zeros(len(picked), len(passages), dtype=torch.bool)
        for line, i in enumerate(picked):
            for place in self.rows.positives[i]:
                ignored[line, at.get(place, at[positive[line]])] = place in at
        target = torch.tensor([at[place] for place in positive])
        ignored[torch.arange(len(picked)), target] = False
        return self.rows.questions[picked], torch.tensor(passages), target, ignored

    def run(self) -> None:
        progress = Progress(self.recipe.steps, "steps")
        for step in range(self.recipe.steps):
            questions, passages, target, ignored = self.batch(step)
            scores = self.router(self.rows.store, questions, passages)
            store = self.rows.store
            wanted = store.teacher_questions[questions].float() @ store.teacher_passages[passages].float().T
            label = routers.info_nce(scores, target, ignored, self.recipe.tau)
            soft = routers.teacher_loss(scores, wanted, self.recipe.tau, self.recipe.teacher_tau)
            loss = label + self.recipe.teacher_share * soft
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            self.history.append({"step": step + 1, "label": label.item(), "teacher": soft.item()})
            if (step + 1) % 50 == 0:
                means = [np.mean([h[name] for h in self.history[-50:]]) for name in ("label", "teacher")]
                progress.add(50, f"label {means[0]:.3f} teacher {means[1]:.3f}")

    def judge(self) -> dict[str, float]:
        """Recall on held-out rows, over all passages that have features."""
        questions, gold = self.rows.held_out_gold()
        ranked = lexical.top(self.router.all_scores(self.rows.store, questions).numpy(), 10)
        return metrics.summary(ranked, gold)


def train(features: pathlib.Path, folder: pathlib.Path, layers: list[int], dim: int, heads: int, recipe: Recipe):
    """Router, its held-out figures and its loss history."""
    store = FeatureStore(features, "train-*.safetensors", layers)
    rows = TrainingSet(store, data.training_rows(folder / "train", characters=768))
    torch.manual_seed(recipe.seed)
    router = routers.Router(layers, next(iter(store.chunks.values())).shape[1], dim, heads)
    router.start(store)
    print(f"{len(rows.train)} rows, {len(rows.held_out)} held out, {len(rows.passages)} passages", flush=True)
    trainer = Trainer(router, rows, recipe)
    trainer.run()
    return router, trainer.judge(), trainer.history
