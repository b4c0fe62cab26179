"""What is trained: the lower backbone with LoRA, and routers on top of it."""

import torch

from .backbone import PROJECTIONS, Backbone
from .checkpoint import Checkpoint
from .features import CHUNK, batches
from .router import Router

Spans = list[tuple[int, int]]
QUERY_PART = 12  # Tokens; docs/recall.md has the study.


def chunk_spans(length: int) -> Spans:
    """Runs of tokens of a document that share a router key; the start mark (token 0) is in none."""
    return [(max(begin, 1), min(begin + CHUNK, length)) for begin in range(0, length, CHUNK) if begin + 1 < length]


def question_spans(length: int, part: int) -> Spans:
    """The question's own tokens and, of a long one, its equal parts of about `part` tokens (model/router.h)."""
    tokens = length - 1
    count = 0 if 2 * tokens < 3 * part else min(max(2, int(tokens / part + 0.5)), 7)
    return [(1, length)] + [(1 + i * tokens // count, 1 + (i + 1) * tokens // count) for i in range(count)]


class Student(torch.nn.Module):
    """Token sequences in, unit router vectors per layer out."""

    def __init__(self, checkpoint: Checkpoint, router: Router, rank: int, lora_from: int, precision=torch.float32):
        super().__init__()
        top = max(router.layers)
        self.backbone = Backbone(checkpoint, top, precision=precision)
        self.backbone.add_lora(list(range(lora_from, top)), PROJECTIONS, rank, rank)
        self.router = router

    def means(self, sequences: list[list[int]], spans: list[Spans]) -> dict[int, torch.Tensor]:
        """Per layer [all spans, hidden], float32: mean state of each span of tokens, sequence by sequence.

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

    def question_means(self, sequences: list[list[int]]) -> dict[int, torch.Tensor]:
        """Per layer [questions, hidden]: mean over the question's own tokens."""
        return self.means(sequences, [[(1, len(sequence))] for sequence in sequences])

    def chunk_means(self, sequences: list[list[int]]) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
        """Per layer [chunks, hidden], and the place of each chunk's document, [chunks]."""
        spans = [chunk_spans(len(sequence)) for sequence in sequences]
        owner = torch.repeat_interleave(torch.tensor([len(runs) for runs in spans]))
        return self.means(sequences, spans), owner

    def queries(self, sequences: list[list[int]]) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
        """Per layer [vectors, dim], those of a question's whole and of its parts, and whose each is, [vectors]."""
        spans = [question_spans(len(sequence), QUERY_PART) for sequence in sequences]
        asker = torch.repeat_interleave(torch.tensor([len(runs) for runs in spans]))
        means = self.means(sequences, spans)
        return {l: self.router.routers[str(l)].queries(m) for l, m in means.items()}, asker

    def keys(self, sequences: list[list[int]]) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
        """Per layer [chunks, dim], and the place of each chunk's document, [chunks]."""
        means, owner = self.chunk_means(sequences)
        return {l: self.router.routers[str(l)].keys(m) for l, m in means.items()}, owner

    def scores(
        self,
        queries: dict[int, torch.Tensor],
        keys: dict[int, torch.Tensor],
        owner: torch.Tensor,
        documents: int,
        asker: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """[questions, documents]: sum over layers of w_l * best cosine of the question's vectors and document's chunks.

        Without `asker` each vector is a question.
        """
        parts = []
        for weight, layer in zip(self.router.weights, self.router.layers):
            cosines = best_chunk(queries[layer] @ keys[layer].T, owner, documents)
            parts.append(weight * (cosines if asker is None else best_chunk(cosines.T, asker, int(asker[-1]) + 1).T))
        return torch.stack(parts).sum(0)


def best_chunk(cosines: torch.Tensor, owner: torch.Tensor, documents: int) -> torch.Tensor:
    """[questions, chunks] -> [questions, documents]: maximum over each document's chunks."""
    empty = torch.full((len(cosines), documents), -2.0)
    return empty.scatter_reduce(1, owner.expand_as(cosines), cosines, "amax")
