"""Calibrated fusion: a logistic function of both channels, fitted on held-out training rows.

p = 1 / (1 + exp(-x)), x = bias + lexical ln(1 + b) + lexical_share b / best + latent z, where b is a passage's
BM25, best the highest BM25 of the question, z the latent score in deviations from its mean over all passages.
The engine computes the same (agent/fusion.h); no weight but the bias is negative.
"""

import dataclasses

import numpy as np
import torch
import torch.nn.functional as F

LEAST_DEVIATION, MOST_DEVIATIONS = 1e-3, 8.0
CANDIDATES = 100


@dataclasses.dataclass(frozen=True)
class Weights:
    bias: float
    lexical: float
    lexical_share: float
    latent: float


def features(lexical: np.ndarray, latent: np.ndarray) -> np.ndarray:
    """[questions, passages] of each channel -> [questions, passages, 3]: ln(1 + b), b / best, z."""
    best = lexical.max(1, keepdims=True)
    share = np.divide(lexical, best, out=np.zeros_like(lexical), where=best > 0)
    deviation = np.maximum(latent.std(1, keepdims=True), LEAST_DEVIATION)
    z = np.clip((latent - latent.mean(1, keepdims=True)) / deviation, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    return np.stack([np.log1p(lexical), share, z], axis=-1).astype(np.float32)


def fuse(weights: Weights, lexical: np.ndarray, latent: np.ndarray) -> np.ndarray:
    """Probability-like score of each passage for each question."""
    parts = features(lexical, latent)
    x = weights.bias + parts @ np.array([weights.lexical, weights.lexical_share, weights.latent], np.float32)
    return 1 / (1 + np.exp(-x))


def candidates(lexical: np.ndarray, latent: np.ndarray) -> np.ndarray:
    """[questions, 2 * CANDIDATES] places that either channel ranks high; a place may stand twice."""
    count = min(CANDIDATES, lexical.shape[1])
    first = [np.argpartition(-scores, count - 1, axis=1)[:, :count] for scores in (lexical, latent)]
    return np.concatenate(first, axis=1)


def fit(blocks: list[tuple[np.ndarray, np.ndarray, list[set[int]]]], steps: int = 300) -> Weights:
    """Fits on (lexical, latent, gold) of several pools: half ranking loss, half calibrated probabilities.

    Every question weighs the same. The ranking loss is a softmax over its candidates, which is what recall@k
    feels; the logistic loss sets the scale and the bias, so that a score is a probability.
    """
    inputs, labels = [], []
    for lexical, latent, gold in blocks:
        places = candidates(lexical, latent)
        parts = features(lexical, latent)
        inputs.append(np.take_along_axis(parts, places[..., None], axis=1))
        labels.append(np.array([[p in g for p in row] for row, g in zip(places.tolist(), gold)], np.float32))
    x, y = torch.from_numpy(np.concatenate(inputs)), torch.from_numpy(np.concatenate(labels))
    found = y.sum(1) > 0
    x, y = x[found], y[found]
    raw = torch.zeros(3, requires_grad=True)
    bias = torch.tensor(-4.0, requires_grad=True)
    optimizer = torch.optim.LBFGS([raw, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = x @ F.softplus(raw)
        ranking = -(F.log_softmax(logits, dim=1) * y / y.sum(1, keepdim=True)).sum(1).mean()
        value = ranking + F.binary_cross_entropy_with_logits(logits + bias, y, reduction="none").sum(1).mean()
        value.backward()
        return value

    optimizer.step(loss)
    lexical, share, latent = F.softplus(raw).tolist()
    return Weights(bias.item(), lexical, share, latent)
