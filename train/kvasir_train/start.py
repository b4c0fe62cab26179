"""Starts the routers on a frozen backbone: a few thousand windows are encoded once, then the routers alone are trained.

Large batches cost nothing there. Before the first step both maps whiten the chunks' states (router.LayerRouter.start).
"""

import math

import torch
import torch.nn.functional as F

from .data import Row
from .features import Framer
from .items import Item
from .objectives import near_positives, soft_labels
from .student import Student, best_chunk
from .teacher import Teacher, chunk_texts

QUESTIONS_PER_ITEM = 2
STEPS, BATCH, RATE, WARMUP = 150, 768, 1e-3, 15


class Sample:
    """Means of windows and of their questions, and what the teacher makes of both."""

    @torch.no_grad()
    def __init__(self, student: Student, framer: Framer, teacher: Teacher, items: list[Item], rows: list[Row]):
        passages = [item.passage for item in items]
        documents = framer.documents(passages)
        self.chunks, self.owner = student.chunk_means(documents)
        self.taught = teacher.embed(chunk_texts(framer, passages, documents))
        pairs = [(number, place) for place, item in enumerate(items) for number in item.rows[:QUESTIONS_PER_ITEM]]
        texts = [rows[number].question for number, _ in pairs]
        self.questions = student.question_means(framer.questions(texts))
        self.heard = teacher.embed(texts)
        self.target = torch.tensor([place for _, place in pairs])


def batch_loss(student: Student, sample: Sample, picked: torch.Tensor, recipe) -> torch.Tensor:
    """Label and teacher loss of some questions over the windows that they ask for."""
    windows, target = torch.unique(sample.target[picked], return_inverse=True)
    chosen = torch.isin(sample.owner, windows)
    owner = torch.searchsorted(windows, sample.owner[chosen])
    routers = student.router.routers
    keys = {layer: routers[str(layer)].keys(states[chosen]) for layer, states in sample.chunks.items()}
    queries = {layer: routers[str(layer)].queries(states[picked]) for layer, states in sample.questions.items()}
    scores = student.scores(queries, keys, owner, len(windows)) / recipe.tau
    likeness = best_chunk(sample.heard[picked] @ sample.taught[chosen].T, owner, len(windows))
    ignored = near_positives(likeness, target, recipe.near_share)
    ignored[torch.arange(len(picked)), target] = False
    label = F.cross_entropy(scores.masked_fill(ignored, -1e4), target)
    return label + recipe.teacher_share * soft_labels(scores, likeness, recipe.teacher_tau)


def start(student: Student, sample: Sample, recipe, steps: int = STEPS) -> None:
    """Whitens, then trains the routers of `student`; its backbone stays as it is."""
    for layer in student.router.layers:
        student.router.routers[str(layer)].start(sample.questions[layer], sample.chunks[layer])
    optimizer = torch.optim.AdamW(student.router.parameters(), lr=RATE, weight_decay=0.05)
    generator = torch.Generator().manual_seed(recipe.seed)
    for step in range(steps):
        picked = torch.randperm(len(sample.target), generator=generator)[:BATCH]
        cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
        optimizer.param_groups[0]["lr"] = RATE * min(1.0, (step + 1) / WARMUP) * max(cosine, 0.02)
        loss = batch_loss(student, sample, picked, recipe)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 25 == 0 or step == steps - 1:
            print(f"routers alone, step {step + 1}/{steps}: loss {loss.item():.3f}", flush=True)


@torch.no_grad()
def _states(student: Student, framer: Framer, items: list[Item], rows: list[Row]) -> list[tuple]:
    """For each router, the means of questions and of chunks that it is set up by."""
    chunks, _ = student.chunk_means(framer.documents([item.passage for item in items]))
    questions = student.question_means(framer.questions([rows[n].question for item in items for n in item.rows[:1]]))
    return [(student.router.routers[str(layer)], questions[layer], chunks[layer]) for layer in student.router.layers]


def whiten(student: Student, framer: Framer, items: list[Item], rows: list[Row]) -> None:
    """Sets routers up that nothing trained yet."""
    for one, questions, chunks in _states(student, framer, items, rows):
        one.start(questions, chunks)


def recentre(student: Student, framer: Framer, items: list[Item], rows: list[Row]) -> None:
    """Gives routers read from an adapter file their centres and scales back; scores stay as they are."""
    for one, questions, chunks in _states(student, framer, items, rows):
        one.recentre(questions, chunks)
