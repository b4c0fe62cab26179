"""Calibrated fusion: a logistic function of both channels' evidence, fitted on held-out training rows.

p = 1 / (1 + exp(-x)), x = bias + coverage c + lexical_share s + latent z + named n - crowd ln(memories / 1000), and
for a memory that one of the best names by title p + (1 - p) link l (0.1 + 0.9 s): what agent/fusion.h computes, but for
bridges, which share the links' weight. The evidence comes from the engine itself (tests/bench/channel_dump.cc), so
nothing is computed twice.
"""

import dataclasses
import json
import math
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
CROWD = 1000  # kCrowd of agent/fusion.h.
DECLINED = 0.01  # The share of answerable questions that `answerable` may decline.


@dataclasses.dataclass(frozen=True)
class Weights:
    bias: float
    coverage: float
    lexical_share: float
    latent: float
    named: float = 0.0
    link: float = 0.0
    crowd: float = 0.0
    answerable: float = 0.0

    @property
    def linear(self) -> np.ndarray:
        """What each evidence weighs, [4]."""
        return np.array([self.coverage, self.lexical_share, self.latent, self.named], np.float32)


@dataclasses.dataclass(frozen=True)
class Question:
    """One question's candidates: evidence [n, 4], which of them are gold [n], links [m, 3] of (from, to, strength)."""

    evidence: np.ndarray
    gold: np.ndarray
    links: np.ndarray
    memories: int = CROWD  # That may answer.
    text: str = ""

    @property
    def crowd(self) -> float:
        return math.log(self.memories / CROWD)

    def unanswerable(self) -> "Question":
        """The same question, had its gold never been remembered."""
        kept = np.cumsum(~self.gold) - 1
        between = [(kept[int(a)], kept[int(b)], s) for a, b, s in self.links if not self.gold[[int(a), int(b)]].any()]
        rest = self.evidence[~self.gold].copy()
        if len(rest) and rest[:, SHARE].max() > 0:
            rest[:, SHARE] /= rest[:, SHARE].max()
        return dataclasses.replace(
            self, evidence=rest, gold=np.zeros(len(rest), bool), links=np.array(between, np.float32).reshape(-1, 3)
        )


def read_dump(path: pathlib.Path) -> list[Question]:
    """Questions of a dump that have a candidate; rows {"question", "memories", "ids", "gold", "evidence", "links"}."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Question(
            np.array(row["evidence"], np.float32),
            np.array([i in row["gold"] for i in row["ids"]]),
            np.array(row["links"], np.float32).reshape(-1, 3),
            row["memories"],
            row["question"],
        )
        for row in rows
        if row["ids"]
    ]


def probabilities(weights: Weights, question: Question) -> np.ndarray:
    """The fused scores, [n]."""
    bias = weights.bias - weights.crowd * question.crowd
    alone = 1 / (1 + np.exp(-(bias + question.evidence @ weights.linear).astype(np.float64)))
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


def with_twins(questions: list[Question]) -> list[Question]:
    return questions + [q.unanswerable() for q in questions if not q.gold.all()]


def minimise(loss, parameters: list[torch.Tensor], steps: int) -> None:
    optimizer = torch.optim.LBFGS(parameters, max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


def fit_order(questions: list[Question], steps: int) -> Weights:
    """Half ranking loss, half calibrated probabilities; every question weighs the same.

    The ranking loss is a softmax over a question's candidates, which is what recall@k feels. The logistic loss,
    on the questions and on their unanswerable twins, sets the scale: a score means the same everywhere. How much
    links count is chosen last, by recall@5 and recall@10 of the whole, and of equals the least.
    """
    x, y, real = padded(with_twins(questions))
    found = y.sum(1) > 0
    raw = torch.zeros(EVIDENCE, requires_grad=True)
    bias = torch.tensor(-4.0, requires_grad=True)

    def loss() -> torch.Tensor:
        x_sum = (x @ F.softplus(raw)).masked_fill(~real, -1e4)
        share = y[found] / y[found].sum(1, keepdim=True)
        ranking = -(F.log_softmax(x_sum[found], dim=1) * share).sum(1).mean()
        each = F.binary_cross_entropy_with_logits(x_sum + bias, y, reduction="none")
        return ranking + (each * real).sum(1).mean()

    minimise(loss, [raw, bias], steps)
    weights = Weights(bias.item(), *F.softplus(raw).tolist())
    with_link = [dataclasses.replace(weights, link=float(link)) for link in LINKS]
    return max(with_link, key=lambda w: recall_at(w, questions, 5) + recall_at(w, questions, 10))


def fit_level(weights: Weights, questions: list[Question], steps: int) -> Weights:
    """Bias and crowd, which move all scores of a question alike, by the logistic loss over stores of every size."""
    asked = with_twins(questions)
    _, y, real = padded(asked)
    order = torch.zeros_like(y)
    for i, question in enumerate(asked):
        order[i, : len(question.gold)] = torch.from_numpy(question.evidence @ weights.linear)
    crowd = torch.tensor([question.crowd for question in asked])[:, None]
    bias, raw = torch.tensor(weights.bias, requires_grad=True), torch.tensor(-1.0, requires_grad=True)

    def loss() -> torch.Tensor:
        level = order + bias - F.softplus(raw) * crowd
        return (F.binary_cross_entropy_with_logits(level, y, reduction="none") * real).sum(1).mean()

    minimise(loss, [bias, raw], steps)
    return dataclasses.replace(weights, bias=bias.item(), crowd=F.softplus(raw).item())


def fit(questions: list[Question], steps: int = 200) -> Weights:
    """The order is fitted where it is hard, among CROWD memories and more; its level in stores of every size."""
    many = [question for question in questions if question.memories >= CROWD]
    weights = fit_level(fit_order(many, steps), questions, steps)
    # Below it `ask` says at once that it does not know.
    best = [probabilities(weights, q).max() for q in questions if q.gold.any()]
    return dataclasses.replace(weights, answerable=float(np.quantile(best, DECLINED)))


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
    absent = [q.unanswerable() for q in questions if q.gold.any() and not q.gold.all()]
    declined = [probabilities(weights, q).max() < weights.answerable for q in absent]
    return {
        "questions": len(questions),
        "r@5": round(recall_at(weights, questions, 5), 4),
        "auroc": round(answerable_auroc(weights, questions), 4),
        "declined": round(float(np.mean(declined)), 4),
    }
