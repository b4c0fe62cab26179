"""The base model, whole and frozen, reading behind memories: what answers are written with (msa.md section 5)."""

import torch
import torch.nn.functional as F

from .backbone import Backbone, KeysValues, rms_norm
from .checkpoint import Checkpoint
from .features import CHUNK

TOP_K = 16  # Positions of a question begin behind so many documents, whether there are as many or not.


def chunk_means(x: torch.Tensor) -> torch.Tensor:
    """[kv_heads, tokens, head_dim] -> [kv_heads, chunks, head_dim]: the start mark counts, unlike in a router key."""
    return torch.stack([part.mean(1) for part in x.split(CHUNK, dim=1)], 1)


class Reader:
    """Not a module: nothing of it is trained or saved. Gradients flow through it into the memories."""

    def __init__(self, checkpoint: Checkpoint, positions: int = 2048, precision=torch.float32):
        self.backbone = Backbone(checkpoint, checkpoint.settings.layers, positions, precision)
        self.norm = checkpoint.tensor("output_norm.weight")
        tied = not checkpoint.holds("output.weight")
        self.head = self.backbone.embedding if tied else checkpoint.tensor("output.weight")

    def memory(self, encoder: Backbone, states: dict[int, list[torch.Tensor]]) -> dict[int, KeysValues]:
        """K̄ and V̄ of documents, one behind the other, from h of each [tokens, hidden] in each routed layer.

        The changes of `encoder` count in the layers that it runs; the last routed layer's projections are the base's.
        """
        memory = {}
        for layer, documents in states.items():
            owner = encoder if layer < encoder.top else self.backbone
            pairs = [owner.keys_values(layer, h[None].to(owner.precision)) for h in documents]
            memory[layer] = tuple(torch.cat([chunk_means(x[0].float()) for x in side], 1) for side in zip(*pairs))
        return memory

    def next_token_loss(self, prompt: list[int], target: list[int], memory: dict[int, KeysValues]) -> torch.Tensor:
        """Mean negative log-likelihood of `target` behind `prompt` and the memory."""
        tokens = torch.tensor([prompt + target])
        stream = self.backbone.read(tokens[:, :-1], TOP_K, memory)[0, len(prompt) - 1 :]
        logits = F.linear(rms_norm(stream, self.norm, self.backbone.settings.norm_eps), self.head)
        return F.cross_entropy(logits, tokens[0, len(prompt) :])
