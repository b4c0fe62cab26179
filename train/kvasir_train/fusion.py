"""Calibrated fusion: a logistic function of both channels' evidence, fitted on held-out training rows.

p = 1 / (1 + exp(-x)), x = bias + coverage c + lexical_share s + latent z + named n, and for a memory that one of
the best names by title p + (1 - p) link l (0.1 + 0.9 s): what agent/fusion.h computes. The evidence comes from the
engine itself (tests/bench/channel_dump.cc), so nothing is computed twice.
"""

import dataclasses
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

# Order of the evidence in a dump.
COVERAGE, SHARE, LATENT, NAMED = range(4)
EVIDENCE = 4
# As in agent/search.cc and agent/fusion.cc: how many of the best are followed, what a link is worth without a word.
SEEDS = 3
UNASKED = 0.1
LINKS = np.arange(0, 1, 0.1)


@dataclasses.dataclass(frozen=True)
class Weights:
    bias: float
    coverage: float
    lexical_share: float
    latent: float
    named: float = 0.0
    link: float = 0.0
    answerable: float = 0.0


@dataclasses.dataclass(frozen=True)
class Question:
    """One question's candidates: evidence [n, 4], which of them are gold [n], links [m, 3] of (from, to, strength)."""

    evidence: np.ndarray
    gold: np.ndarray
    links: np.ndarray

    def unanswerable(self) -> "Question":
        """The same question, had its gold never been remembered."""
        kept = np.cumsum(~self.gold) - 1
        between = [(kept[int(a)], kept[int(b)], s) for a, b, s in self.links if not self.gold[[int(a), int(b)]].any()]
        rest = self.evidence[~self.gold].copy()
        if len(rest) and rest[:, SHARE].max() > 0:
            rest[:, SHARE] /= rest[:, SHARE].max()
        return Question(rest, np.zeros(len(rest), bool), np.array(between, np.float32).reshape(-1, 3))


def read_dump(path: pathlib.Path) -> list[Question]:
    """Questions of a dump that have a candidate; rows {"ids", "gold", "evidence", "links"}."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Question(
            np.array(row["evidence"], np.float32),
            np.array([i in row["gold"] for i in row["ids"]]),
            np.array(row["links"], np.float32).reshape(-1, 3),
        )
        for row in rows
        if row["ids"]
    ]


def probabilities(weights: Weights, question: Question) -> np.ndarray:
    """The fused scores, [n]."""
    linear = np.array([weights.coverage, weights.lexical_share, weights.latent, weights.named], np.float32)
    alone = 1 / (1 + np.exp(-(weights.bias + question.evidence @ linear).astype(np.float64)))
    best = set(np.argsort(-alone, kind="stable")[:SEEDS].tolist())
    link = np.zeros_like(alone)
    for source, target, strength in question.links:
        if int(source) in best:
            link[int(target)] = max(link[int(target)], alone[int(source)] * strength)
    own = UNASKED + (1 - UNASKED) * question.evidence[:, SHARE]
    return alone + (1 - alone) * weights.link * link * own


def padded(questions: list[Question]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Evidence [q, most, 4], gold [q, most] and which places are real, [q, most]."""
    most = max(len(q.gold) for q in questions)
    x, y = torch.zeros(len(questions), most, EVIDENCE), torch.zeros(len(questions), most)
    real = torch.zeros(len(questions), most, dtype=torch.bool)
    for i, q in enumerate(questions):
        n = len(q.gold)
        x[i, :n], y[i, :n], real[i, :n] = torch.from_numpy(q.evidence), torch.from_numpy(q.gold).float(), True
    return x, y, real


def fit(questions: list[Question], steps: int = 200) -> Weights:
    """Half ranking loss, half calibrated probabilities; every question weighs the same.

    The ranking loss is a softmax over a question's candidates, which is what recall@k feels. The logistic loss,
    on the questions and on their unanswerable twins, sets scale and bias: a score means the same everywhere. How
    much links count is chosen last, by recall@5 and recall@10 of the whole, and of equals the least.
    """
    x, y, real = padded(questions + [q.unanswerable() for q in questions if not q.gold.all()])
    found = y.sum(1) > 0
    raw = torch.zeros(EVIDENCE, requires_grad=True)
    bias = torch.tensor(-4.0, requires_grad=True)
    optimizer = torch.optim.LBFGS([raw, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        x_sum = (x @ F.softplus(raw)).masked_fill(~real, -1e4)
        share = y[found] / y[found].sum(1, keepdim=True)
        ranking = -(F.log_softmax(x_sum[found], dim=1) * share).sum(1).mean()
        each = F.binary_cross_entropy_with_logits(x_sum + bias, y, reduction="none")
        value = ranking + (each * real).sum(1).mean()
        value.backward()
        return value

    optimizer.step(loss)
    weights = Weights(bias.item(), *F.softplus(raw).tolist())
    with_link = [dataclasses.replace(weights, link=float(link)) for link in LINKS]
    weights = max(with_link, key=lambda w: recall_at(w, questions, 5) + recall_at(w, questions, 10))
    # Lower than any answerable question had it: `ask` then says at once that it does not know.
    least = min(probabilities(weights, q).max() for q in questions if q.gold.any())
    return dataclasses.replace(weights, answerable=float(least))


def recall_at(weights: Weights, questions: list[Question], k: int) -> float:
    """Share of questions' found gold among the first k. Gold that no channel proposed is not counted."""
    kept = [q for q in questions if q.gold.any()]
    first = [q.gold[np.argsort(-probabilities(weights, q), kind="stable")[:k]].sum() / q.gold.sum() for q in kept]
    return float(np.mean(first))


def answerable_auroc(weights: Weights, questions: list[Question]) -> float:
    """How often the best score of an answerable question is above that of an unanswerable one."""
    usable = [q for q in questions if q.gold.any() and not q.gold.all()]
    yes = np.array([probabilities(weights, q).max() for q in usable])
    no = np.array([probabilities(weights, q.unanswerable()).max() for q in usable])
    return float((yes[:, None] > no[None, :]).mean() + 0.5 * (yes[:, None] == no[None, :]).mean())


def report(weights: Weights, questions: list[Question]) -> dict[str, float]:
    return {
        "questions": len(questions),
        "r@5": round(recall_at(weights, questions, 5), 4),
        "auroc": round(answerable_auroc(weights, questions), 4),
    }
