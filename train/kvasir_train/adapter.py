"""Trains LoRA on the lower backbone together with the routers: in-batch InfoNCE plus a teacher's soft labels."""

import dataclasses
import math
import pathlib
import random
import time

import numpy as np
import torch
import torch.nn.functional as F

from .backbone import PROJECTIONS, Backbone
from .checkpoint import Checkpoint
from .data import Row
from .features import CHUNK, Framer, batches
from .items import Item
from .mining import mine
from .router import Router
from .teacher import Teacher


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; written into the checkpoint."""

    steps: int
    clusters: int = 8
    cluster_size: int = 4
    rank: int = 16
    lora_from: int = 2
    lora_rate: float = 1e-3
    router_rate: float = 1e-3
    warmup: int = 20
    tau: float = 0.05
    teacher_tau: float = 0.05
    teacher_share: float = 1.0
    document_tokens: int = 128
    seed: int = 0


class Student(torch.nn.Module):
    """Backbone with LoRA plus routers: token sequences in, unit router vectors per layer out."""

    def __init__(self, checkpoint: Checkpoint, router: Router, recipe: Recipe):
        super().__init__()
        top = max(router.layers)
        self.backbone = Backbone(checkpoint, top)
        self.backbone.add_lora(list(range(recipe.lora_from, top)), PROJECTIONS, recipe.rank, recipe.rank)
        self.router = router

    def _means(self, sequences: list[list[int]], spans: list[list[tuple[int, int]]]) -> dict[int, torch.Tensor]:
        """Per layer [all spans, hidden]: mean state of each span of tokens, sequence by sequence.

        One matrix product a batch: a slice per span would fill a whole batch with zeros for each in the backward pass.
        """
        parts: dict[int, list[torch.Tensor]] = {layer: [] for layer in self.router.layers}
        owners = []
        for places, tokens in batches(sequences):
            pool = torch.zeros(len(places), max(len(spans[place]) for place in places), tokens.shape[1])
            for row, place in enumerate(places):
                for column, (begin, end) in enumerate(spans[place]):
                    pool[row, column, begin:end] = 1 / (end - begin)
                owners += [place] * len(spans[place])
            real = pool.any(-1)
            for layer, states in self.backbone(tokens, self.router.layers).items():
                parts[layer].append((pool @ states)[real])
        order = torch.argsort(torch.tensor(owners), stable=True)
        return {layer: torch.cat(part)[order] for layer, part in parts.items()}

    def queries(self, sequences: list[list[int]]) -> dict[int, torch.Tensor]:
        """Per layer [questions, dim]: mean over the question's own tokens, then the router."""
        means = self._means(sequences, [[(1, len(sequence))] for sequence in sequences])
        return {layer: self.router.routers[str(layer)].queries(mean) for layer, mean in means.items()}

    def keys(self, sequences: list[list[int]]) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
        """Per layer [chunks, dim], and the place of each chunk's document, [chunks]."""
        spans = [[(max(begin, 1), min(begin + CHUNK, len(s))) for begin in range(0, len(s), CHUNK)] for s in sequences]
        owner = torch.repeat_interleave(torch.tensor([len(runs) for runs in spans]))
        means = self._means(sequences, spans)
        return {layer: self.router.routers[str(layer)].keys(mean) for layer, mean in means.items()}, owner

    def scores(
        self, queries: dict[int, torch.Tensor], keys: dict[int, torch.Tensor], owner: torch.Tensor
    ) -> torch.Tensor:
        """[questions, documents]: sum over layers of w_l * best cosine among the document's chunks."""
        documents = int(owner.max()) + 1
        total = 0
        for weight, layer in zip(self.router.weights, self.router.layers):
            cosines = queries[layer] @ keys[layer].T
            empty = torch.full((len(cosines), documents), -2.0)
            total = total + weight * empty.scatter_reduce(1, owner.expand_as(cosines), cosines, "amax")
        return total


class Batches:
    """Endless batches of items; each cluster is a random item with passages that BM25 mistakes for it."""

    def __init__(self, hard: dict[int, list[int]], recipe: Recipe):
        self.hard, self.usable, self.recipe = hard, sorted(hard), recipe

    def __call__(self, step: int) -> list[int]:
        """Items of batch `step`; a function of the seed and the step alone, so that a run can be resumed."""
        generator = random.Random(self.recipe.seed * 1_000_003 + step)
        chosen: dict[int, None] = {}
        for item in generator.sample(self.usable, self.recipe.clusters):
            chosen[item] = None
            fresh = [place for place in self.hard[item] if place not in chosen]
            near = min(len(fresh), self.recipe.cluster_size - 1)
            chosen.update(dict.fromkeys(generator.sample(fresh, near)))
        return list(chosen)


def unknown_pairs(rows: list[Row], asked: list[int], items: list[Item]) -> torch.Tensor:
    """[questions, items] true where an item holds an answer or is another positive: no negative, no target."""
    texts = [item.passage.text.lower() for item in items]
    marks = torch.zeros(len(asked), len(items), dtype=torch.bool)
    for q, number in enumerate(asked):
        answers = [answer.lower() for answer in rows[number].answers if len(answer) > 3]
        titles = {positive.title for positive in rows[number].positives if positive.title}
        for d, text in enumerate(texts):
            same = number in items[d].rows or any(answer in text for answer in answers)
            marks[q, d] = same or (len(rows[number].positives) > 1 and items[d].passage.title in titles)
    return marks


def hard_items(rows: list[Row], items: list[Item]) -> dict[int, list[int]]:
    """For each item that has a question, the items that BM25 mistakes for it."""
    asking = [place for place, item in enumerate(items) if item.rows]
    mined = mine([rows[items[place].rows[0]] for place in asking], [item.passage for item in items], 24, 8)
    return dict(zip(asking, mined))


class Trainer:
    def __init__(
        self,
        student: Student,
        framer: Framer,
        rows: list[Row],
        items: list[Item],
        hard: dict,
        teacher: Teacher,
        recipe: Recipe,
    ):
        self.student, self.framer, self.rows, self.items = student, framer, rows, items
        self.teacher, self.recipe = teacher, recipe
        self.batches = Batches(hard, recipe)
        self.optimizer = torch.optim.AdamW(
            [
                {"params": student.backbone.lora.parameters(), "lr": recipe.lora_rate, "weight_decay": 0.0},
                {"params": student.router.parameters(), "lr": recipe.router_rate, "weight_decay": 0.05},
            ]
        )
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.step = 0
        self.history: list[dict] = []

    def loss(self, step: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        places = self.batches(step)
        items = [self.items[p] for p in places]
        pairs = [(number, d) for d, item in enumerate(items) for number in item.rows]
        asked = [number for number, _ in pairs]
        target = torch.tensor([d for _, d in pairs])
        documents = self.framer.documents([item.passage for item in items])
        questions = self.framer.questions([self.rows[number].question for number in asked])
        keys, owner = self.student.keys(documents)
        scores = self.student.scores(self.student.queries(questions), keys, owner) / self.recipe.tau
        ignored = unknown_pairs(self.rows, asked, items)
        ignored[torch.arange(len(asked)), target] = False
        label = F.cross_entropy(scores.masked_fill(ignored, -1e4), target)
        known = self.teacher.embed([self.rows[number].question for number in asked])
        likeness = known @ self.teacher.embed([f"{i.passage.title}. {i.passage.text}" for i in items]).T
        wanted = F.softmax(likeness / self.recipe.teacher_tau, dim=1)
        teacher = F.kl_div(F.log_softmax(scores, dim=1), wanted, reduction="batchmean")
        return label, teacher, sum(map(len, documents)) + sum(map(len, questions))

    def advance(self) -> tuple[float, float, int]:
        """One optimiser step; returns label loss, teacher loss, tokens."""
        ramp = min(1.0, (self.step + 1) / self.recipe.warmup)
        decay = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / self.recipe.steps)))
        for group, rate in zip(self.optimizer.param_groups, self.rates):
            group["lr"] = rate * ramp * max(decay, 0.02)
        label, teacher, tokens = self.loss(self.step)
        self.optimizer.zero_grad()
        (label + self.recipe.teacher_share * teacher).backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        return label.item(), teacher.item(), tokens

    def save(self, path: pathlib.Path) -> None:
        state = {
            "recipe": dataclasses.asdict(self.recipe),
            "layers": self.student.router.layers,
            "heads": next(iter(self.student.router.routers.values())).heads,
            "student": self.student.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "history": self.history,
        }
        temporary = path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.rename(path)

    def resume(self, path: pathlib.Path) -> None:
        state = torch.load(path, weights_only=False)
        self.student.load_state_dict(state["student"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.history = state["step"], state["history"]

    def run(self, path: pathlib.Path, save_every_s: float = 240) -> None:
        """Trains to the last step, printing rates, saving every few minutes."""
        began = saved = time.monotonic()
        first, tokens = self.step, 0
        while self.step < self.recipe.steps:
            label, teacher, used = self.advance()
            tokens += used
            self.history.append({"step": self.step, "label": label, "teacher": teacher})
            elapsed = time.monotonic() - began
            left = elapsed / (self.step - first) * (self.recipe.steps - self.step)
            if self.step % 5 == 0 or self.step - first < 5:
                means = [np.mean([h[k] for h in self.history[-20:]]) for k in ("label", "teacher")]
                print(
                    f"step {self.step}/{self.recipe.steps} label {means[0]:.3f} teacher {means[1]:.3f}, "
                    f"{tokens / elapsed:.0f} tokens/s, {left / 60:.1f} min left",
                    flush=True,
                )
            if time.monotonic() - saved > save_every_s or self.step == self.recipe.steps:
                self.save(path)
                saved = time.monotonic()
