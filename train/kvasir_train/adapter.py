"""Trains LoRA on the lower backbone together with the routers."""

import dataclasses
import math
import random

import torch
import torch.nn.functional as F

from . import lexical
from .data import Row
from .features import Framer
from .general import Pair
from .items import Item
from .mining import mine
from .objectives import Seen, near_positives, soft_labels, unknown_pairs
from .student import Student, best_chunk
from .teacher import Teacher, chunk_texts
from .training_run import RoutingRun


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run; written into the checkpoint."""

    steps: int
    clusters: int = 14
    cluster_size: int = 3
    rank: int = 32
    lora_from: int = 0
    lora_rate: float = 5e-4
    router_rate: float = 5e-4
    warmup: int = 40
    tau: float = 0.05
    teacher_tau: float = 0.05
    teacher_share: float = 1.0
    near_share: float = 0.95  # Of the positive's likeness: what comes nearer is no negative.
    memory: int = 1024  # Documents of the last batches that serve as negatives.
    stretch: int = 0  # Batches in a row whose questions come from one source; 0: from all, mixed.
    general: int = 14  # Pairs of prose without questions in a batch, for the teacher's labels alone.
    lexical_share: float = 1.0  # Of BM25's coverage, beside the teacher's cosine, in what is a good passage.
    document_tokens: int = 192
    seed: int = 0


class Batches:
    """Endless batches of items; each cluster is a random item with passages that BM25 mistakes for it.

    Mixed, every item is drawn once before any is drawn again. In stretches of one source each, which comes up by the
    root of its size, what is told apart is as much alike as what one store holds.
    """

    def __init__(self, hard: dict[int, list[int]], recipe: Recipe, sources: dict[int, str] | None = None):
        """`sources` tells where each item with a question comes from; needed for stretches."""
        self.hard, self.usable, self.recipe = hard, sorted(hard), recipe
        self.epoch, self.order = -1, []
        self.of_source: dict[str, list[int]] = {}
        for item in self.usable if recipe.stretch else ():
            self.of_source.setdefault(sources[item], []).append(item)
        large = {name: of for name, of in sorted(self.of_source.items()) if len(of) >= recipe.clusters}
        self.of_source = large or self.of_source

    def _of_stretch(self, step: int) -> list[int]:
        generator = random.Random(self.recipe.seed * 7_000_003 + step // self.recipe.stretch)
        shares = [math.sqrt(len(of)) for of in self.of_source.values()]
        of = generator.choices(list(self.of_source.values()), shares)[0]
        drawn = random.Random(self.recipe.seed * 9_000_011 + step)
        return drawn.sample(of, min(len(of), self.recipe.clusters))

    def _mixed(self, step: int) -> list[int]:
        return [self._drawn(step * self.recipe.clusters + cluster) for cluster in range(self.recipe.clusters)]

    def _drawn(self, number: int) -> int:
        epoch, place = divmod(number, len(self.usable))
        if epoch != self.epoch:
            self.epoch, self.order = epoch, list(self.usable)
            random.Random(self.recipe.seed * 1_000_003 + epoch).shuffle(self.order)
        return self.order[place]

    def __call__(self, step: int) -> list[int]:
        """Items of batch `step`; a function of the seed and the step alone, so that a run can be resumed."""
        generator = random.Random(self.recipe.seed * 1_000_003 + step)
        chosen: dict[int, None] = {}
        for item in self._of_stretch(step) if self.recipe.stretch else self._mixed(step):
            chosen[item] = None
            fresh = [place for place in self.hard[item] if place not in chosen]
            near = min(len(fresh), self.recipe.cluster_size - 1)
            chosen.update(dict.fromkeys(generator.sample(fresh, near)))
        return list(chosen)


def hard_items(rows: list[Row], items: list[Item]) -> dict[int, list[int]]:
    """For each item that has a question, the items that BM25 mistakes for it."""
    asking = [place for place, item in enumerate(items) if item.rows]
    mined = mine([rows[items[place].rows[0]] for place in asking], [item.passage for item in items], 24, 8)
    return dict(zip(asking, mined))


class Trainer(RoutingRun):
    def __init__(
        self,
        student: Student,
        framer: Framer,
        rows: list[Row],
        items: list[Item],
        hard: dict[int, list[int]],
        teacher: Teacher,
        recipe: Recipe,
        prose: list[Pair] = (),
    ):
        """Documents are numbered: first the items, then the passages of `prose`."""
        self.prose = prose
        self.documents = items + [Item(passage) for passage, _ in prose]
        super().__init__(student, framer, recipe, recipe.lora_rate, recipe.router_rate)
        self.rows, self.items, self.teacher = rows, items, teacher
        self.words = lexical.Bm25([f"{item.passage.title} {item.passage.text}" for item in self.documents])
        sources = {place: rows[items[place].rows[0]].source for place in hard}
        self.batches, self.seen = Batches(hard, recipe, sources), Seen(recipe.memory)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]

    def extra(self) -> dict:
        return super().extra() | {"seen": dataclasses.asdict(self.seen)}

    def resume_extra(self, state: dict) -> None:
        self.seen = Seen(**state["seen"])

    def prose_of(self, step: int) -> list[int]:
        """Which prose goes into batch `step`."""
        count = min(self.recipe.general, len(self.prose))
        return [(step * count + i) % len(self.prose) for i in range(count)]

    def losses(self, step: int) -> tuple[dict[str, torch.Tensor], int]:
        """Label and teacher loss of a batch, and its tokens. The batch joins what was seen."""
        recipe, places = self.recipe, self.batches(step)
        prose = self.prose_of(step)
        places = places + [len(self.items) + number for number in prose]
        items = [self.documents[p] for p in places]
        pairs = [(number, d) for d, item in enumerate(items) for number in item.rows]
        asked, target = [number for number, _ in pairs], torch.tensor([d for _, d in pairs])
        texts = [self.rows[number].question for number in asked] + [self.prose[number][1] for number in prose]
        passages = [item.passage for item in items]
        documents, questions = self.framer.documents(passages), self.framer.questions(texts)
        keys, owner = self.student.keys(documents)
        queries, asker = self.student.queries(questions)
        taught, heard = self.teacher.embed(chunk_texts(self.framer, passages, documents)), self.teacher.embed(texts)

        before = [place for place in self.seen.places]
        candidates = items + [self.documents[place] for place in before]
        scores = [self.student.scores(queries, keys, owner, len(items), asker)]
        likeness = [best_chunk(heard @ taught.T, owner, len(items))]
        if before:
            scores.append(self.student.scores(queries, self.seen.keys, self.seen.owner, len(before), asker))
            likeness.append(best_chunk(heard @ self.seen.taught.T, self.seen.owner, len(before)))
        scores, likeness = torch.cat(scores, 1) / recipe.tau, torch.cat(likeness, 1)
        likeness += recipe.lexical_share * torch.from_numpy(self.words.coverage(texts, places + before))
        labelled = likeness[: len(asked)]
        ignored = unknown_pairs(self.rows, asked, candidates) | near_positives(labelled, target, recipe.near_share)
        ignored[torch.arange(len(asked)), target] = False
        self.seen.add(places, owner, keys, taught)
        parts = {
            "label": F.cross_entropy(scores[: len(asked)].masked_fill(ignored, -1e4), target),
            "teacher": soft_labels(scores, likeness, recipe.teacher_tau),
        }
        return parts, sum(map(len, documents)) + sum(map(len, questions))

    def advance(self) -> tuple[dict[str, float], int]:
        ramp = min(1.0, (self.step + 1) / self.recipe.warmup)
        decay = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / self.recipe.steps)))
        for group, rate in zip(self.optimizer.param_groups, self.rates):
            group["lr"] = rate * ramp * max(decay, 0.02)
        parts, tokens = self.losses(self.step)
        self.descend(parts["label"] + self.recipe.teacher_share * parts["teacher"])
        return {name: part.item() for name, part in parts.items()}, tokens
