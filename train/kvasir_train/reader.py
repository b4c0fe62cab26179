"""The base model, whole, reading behind memories: what answers are written with (msa.md section 5)."""

import torch
import torch.nn.functional as F

from .backbone import Backbone, KeysValues, rms_norm
from .checkpoint import Checkpoint
from .features import CHUNK

Memory = dict[int, KeysValues]  # By layer.
TOP_K = 16  # Positions of a question begin behind so many documents, whether there are as many or not.


def chunk_means(x: torch.Tensor) -> torch.Tensor:
    """[kv_heads, tokens, head_dim] -> [kv_heads, chunks, head_dim]: the start mark counts, unlike in a router key."""
    return torch.stack([part.mean(1) for part in x.split(CHUNK, dim=1)], 1)


def behind(first: KeysValues, second: KeysValues | None) -> KeysValues:
    """Keys and values one behind the other."""
    return first if second is None else tuple(torch.cat(side, 1) for side in zip(first, second))


class Reader:
    """Not a module: what is trained of it, if anything, is `backbone.lora`. Gradients flow into the memories."""

    def __init__(self, checkpoint: Checkpoint, positions: int = 2048, precision=torch.float32):
        self.backbone = Backbone(checkpoint, checkpoint.settings.layers, positions, precision)
        self.norm = checkpoint.tensor("output_norm.weight")
        tied = not checkpoint.holds("output.weight")
        self.head = self.backbone.embedding if tied else checkpoint.tensor("output.weight")

    def memory(self, encoder: Backbone, states: dict[int, list[torch.Tensor]]) -> Memory:
        """K̄ and V̄ of documents, one behind the other, from h of each [tokens, hidden] in each routed layer.

        The changes of `encoder` count in the layers that it runs; the last routed layer's projections are the base's.
        """
        memory = {}
        for layer, documents in states.items():
            owner = encoder if layer < encoder.top else self.backbone
            pairs = [owner.keys_values(layer, h[None].to(owner.precision)) for h in documents]
            memory[layer] = tuple(torch.cat([chunk_means(x[0].float()) for x in side], 1) for side in zip(*pairs))
        return memory

    def logits(self, stream: torch.Tensor) -> torch.Tensor:
        return F.linear(rms_norm(stream, self.norm, self.backbone.settings.norm_eps), self.head)

    def answers(
        self, shared: list[int], asked: list[tuple[list[int], list[int]]], head: list[int], memory: Memory | None
    ) -> list[torch.Tensor]:
        """Logits at each token of each target, [target, vocabulary] each: `shared` is read once, then the rest of each
        prompt and its target behind it. With a memory positions begin as in the product: behind the template head,
        which is attended to as well, and the documents."""
        before, first = {}, 0
        if memory is not None:
            self.backbone.read(torch.tensor([head]), 0, {}, before)
            before = {layer: behind(own, memory.get(layer)) for layer, own in before.items()}
            first = len(head) + TOP_K
        kept: Memory = {}
        self.backbone.read(torch.tensor([shared]), first, before, kept)
        kept = {layer: behind(before[layer], own) if before else own for layer, own in kept.items()}
        longest = max(len(prompt) + len(target) for prompt, target in asked) - 1
        rows = [(prompt + target)[:-1] for prompt, target in asked]
        tokens = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        stream = self.backbone.read(tokens, first + len(shared), kept)
        spans = [slice(len(prompt) - 1, len(prompt) + len(target) - 1) for prompt, target in asked]
        logits = self.logits(torch.cat([row[span] for row, span in zip(stream, spans)]))
        return list(logits.split([len(target) for _, target in asked]))

    @torch.no_grad()
    def greedy(self, prompt: list[int], end: int, most: int) -> tuple[list[int], torch.Tensor]:
        """At most so many of the likeliest tokens behind a prompt without memory, up to `end`, which is left out; and
        the logits of the first, [vocabulary]."""
        said: list[int] = []
        first = None
        while len(said) < most:
            logits = self.logits(self.backbone.read(torch.tensor([prompt + said]), 0, {})[0, -1])
            first = logits if first is None else first
            token = int(logits.argmax())
            if token == end:
                break
            said.append(token)
        return said, first

    def next_token_loss(self, prompt: list[int], target: list[int], memory: Memory, first: int = TOP_K) -> torch.Tensor:
        """Mean negative log-likelihood of `target` behind `prompt`, positions from `first` on, and the memory."""
        tokens = torch.tensor([prompt + target])
        stream = self.backbone.read(tokens[:, :-1], first, memory)[0, len(prompt) - 1 :]
        return F.cross_entropy(self.logits(stream), tokens[0, len(prompt) :])
