"""Calibrated fusion: a logistic function of both channels' evidence, fitted on held-out training rows.

p = 1 / (1 + exp(-x)), x = bias + coverage c + lexical_share s + latent z: what agent/fusion.h computes. The
evidence comes from the engine itself (tests/bench/channel_dump.cc), so nothing is computed twice.
"""

import dataclasses
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

# Order of the evidence in a dump.
COVERAGE, SHARE, LATENT = range(3)


@dataclasses.dataclass(frozen=True)
class Weights:
    bias: float
    coverage: float
    lexical_share: float
    latent: float
    answerable: float = 0.0


@dataclasses.dataclass(frozen=True)
class Question:
    """One question's candidates: evidence [n, 3], and which of them are gold, [n]."""

    evidence: np.ndarray
    gold: np.ndarray

    def unanswerable(self) -> "Question":
        """The same question, had its gold never been remembered."""
        rest = self.evidence[~self.gold].copy()
        if len(rest) and rest[:, SHARE].max() > 0:
            rest[:, SHARE] /= rest[:, SHARE].max()
        return Question(rest, np.zeros(len(rest), bool))


def read_dump(path: pathlib.Path) -> list[Question]:
    """Questions of a dump that have a candidate; rows {"ids", "gold", "evidence"}."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Question(np.array(row["evidence"], np.float32), np.array([i in row["gold"] for i in row["ids"]]))
        for row in rows
        if row["ids"]
    ]


def logits(weights: Weights, question: Question) -> np.ndarray:
    linear = np.array([weights.coverage, weights.lexical_share, weights.latent], np.float32)
    return weights.bias + question.evidence @ linear


def padded(questions: list[Question]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Evidence [q, most, 3], gold [q, most] and which places are real, [q, most]."""
    most = max(len(q.gold) for q in questions)
    x, y = torch.zeros(len(questions), most, 3), torch.zeros(len(questions), most)
    real = torch.zeros(len(questions), most, dtype=torch.bool)
    for i, q in enumerate(questions):
        n = len(q.gold)
        x[i, :n], y[i, :n], real[i, :n] = torch.from_numpy(q.evidence), torch.from_numpy(q.gold).float(), True
    return x, y, real


def fit(questions: list[Question], steps: int = 200) -> Weights:
    """Half ranking loss, half calibrated probabilities; every question weighs the same.

    The ranking loss is a softmax over a question's candidates, which is what recall@k feels. The logistic loss,
    on the questions and on their unanswerable twins, sets scale and bias: a score means the same everywhere.
    """
    x, y, real = padded(questions + [q.unanswerable() for q in questions if not q.gold.all()])
    found = y.sum(1) > 0
    raw = torch.zeros(3, requires_grad=True)
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
    coverage, share, latent = F.softplus(raw).tolist()
    weights = Weights(bias.item(), coverage, share, latent)
    # Lower than any answerable question had it: `ask` then says at once that it does not know.
    least = min(logits(weights, q).max() for q in questions if q.gold.any())
    return dataclasses.replace(weights, answerable=float(1 / (1 + np.exp(-least))))


def recall_at(weights: Weights, questions: list[Question], k: int) -> float:
    """Share of questions' found gold among the first k. Gold that no channel proposed is not counted."""
    kept = [q for q in questions if q.gold.any()]
    first = [q.gold[np.argsort(-logits(weights, q), kind="stable")[:k]].sum() / q.gold.sum() for q in kept]
    return float(np.mean(first))


def answerable_auroc(weights: Weights, questions: list[Question]) -> float:
    """How often the best score of an answerable question is above that of an unanswerable one."""
    usable = [q for q in questions if q.gold.any() and not q.gold.all()]
    yes = np.array([logits(weights, q).max() for q in usable])
    no = np.array([logits(weights, q.unanswerable()).max() for q in usable])
    return float((yes[:, None] > no[None, :]).mean() + 0.5 * (yes[:, None] == no[None, :]).mean())


def report(weights: Weights, questions: list[Question]) -> dict[str, float]:
    return {
        "questions": len(questions),
        "r@5": round(recall_at(weights, questions, 5), 4),
        "auroc": round(answerable_auroc(weights, questions), 4),
    }
