"""The llama decoder of the product in PyTorch, cut off above the highest routed layer; LoRA optional.

Float32, or matrix products in bfloat16 for training, where that is faster (`fastest_precision`).
The residual stream, the norms and the softmax stay float32.
"""

import math
import time

import torch
import torch.nn.functional as F

from .checkpoint import Checkpoint

PROJECTIONS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
ROTATED = ("attn_q", "attn_k")
KeysValues = tuple[torch.Tensor, torch.Tensor]  # Pooled, of a layer: [kv_heads, chunks, head_dim] each.


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def half_rotation_order(head_dim: int) -> torch.Tensor:
    """Where each row of a head goes when GGUF's adjacent pairs (2i, 2i+1) become halves (i, i + D/2)."""
    return torch.cat([torch.arange(0, head_dim, 2), torch.arange(1, head_dim, 2)])


def ordered_heads(rows: torch.Tensor, head_dim: int, order: torch.Tensor) -> torch.Tensor:
    """[heads * head_dim, ...] with the rows of each head in another order."""
    return rows.unflatten(0, (-1, head_dim))[:, order].flatten(0, 1).contiguous()


class RotaryTable:
    """Cosines and sines of every position, [positions, head_dim / 2]."""

    def __init__(self, positions: int, head_dim: int, theta: float):
        frequency = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
        angle = torch.outer(torch.arange(positions, dtype=torch.float64), frequency)
        self.cos, self.sin = angle.cos().float(), angle.sin().float()

    def rotate(self, x: torch.Tensor, first: int = 0) -> torch.Tensor:
        """x: [batch, heads, tokens, head_dim]; positions count from `first` in each row of the batch."""
        places = slice(first, first + x.shape[-2])
        cos, sin = self.cos[places], self.sin[places]
        low, high = x.float().chunk(2, dim=-1)
        return torch.cat((low * cos - high * sin, low * sin + high * cos), dim=-1).to(x.dtype)


def fastest_precision() -> torch.dtype:
    """What matrix products are fastest in here: bfloat16 wins by five where the processor has tiles for it and can
    lose to float32 by half where it has not."""
    took = {}
    for precision in (torch.float32, torch.bfloat16):
        x, weight = torch.ones(512, 576, dtype=precision), torch.ones(1536, 576, dtype=precision)
        times = []
        for _ in range(5):
            began = time.perf_counter()
            F.linear(x, weight)
            times.append(time.perf_counter() - began)
        took[precision] = min(times)
    return min(took, key=took.get)


class LoraLinear(torch.autograd.Function):
    """y = (W + s B A) x with W frozen, in x's precision. One matrix product forward; A and B get cheap gradients."""

    @staticmethod
    def forward(context, x, weight, a, b, scale):
        merged = torch.addmm(weight, b, a, alpha=scale).to(x.dtype)
        context.save_for_backward(x, merged, a, b)
        context.scale = scale
        return F.linear(x, merged)

    @staticmethod
    def backward(context, grad):
        x, merged, a, b = context.saved_tensors
        flat_x, flat_grad = x.flatten(0, -2), grad.flatten(0, -2)
        grad_x = grad @ merged if context.needs_input_grad[0] else None
        grad_a = ((flat_grad @ b.to(x.dtype)).T @ flat_x).float() * context.scale
        grad_b = (flat_grad.T @ (flat_x @ a.to(x.dtype).T)).float() * context.scale
        return grad_x, None, grad_a, grad_b, None


class Lora(torch.nn.Module):
    """A low-rank change of one projection, scale * B A; B starts at zero, so the change does too."""

    def __init__(self, inputs: int, outputs: int, rank: int, alpha: float):
        super().__init__()
        self.a = torch.nn.Parameter(torch.randn(rank, inputs) / math.sqrt(inputs))
        self.b = torch.nn.Parameter(torch.zeros(outputs, rank))
        self.scale = alpha / rank

    def delta(self) -> torch.Tensor:
        """The change as a full matrix, [outputs, inputs]: what is added to the weight at load."""
        return self.scale * self.b.detach() @ self.a.detach()


class Backbone(torch.nn.Module):
    """Layers 0..top-1 and the input norms up to layer `top`. Base weights are frozen and never saved.

    `forward` returns, per asked layer, h = output of that layer's input norm, [batch, tokens, hidden].
    """

    def __init__(self, checkpoint: Checkpoint, top: int, positions: int = 640, precision=torch.float32):
        super().__init__()
        s = self.settings = checkpoint.settings
        self.top, self.precision = top, precision
        self.rotary = RotaryTable(positions, s.head_dim, s.rope_theta)
        self.embedding = checkpoint.tensor("token_embd.weight")
        self.weights = [{name: self._weight(checkpoint, layer, name) for name in PROJECTIONS} for layer in range(top)]
        self.attention_norms = [
            checkpoint.tensor(f"blk.{layer}.attn_norm.weight") for layer in range(min(top + 1, s.layers))
        ]
        self.feed_forward_norms = [checkpoint.tensor(f"blk.{layer}.ffn_norm.weight") for layer in range(top)]
        self.lora = torch.nn.ModuleDict()

    def _weight(self, checkpoint: Checkpoint, layer: int, name: str) -> torch.Tensor:
        weight = checkpoint.tensor(f"blk.{layer}.{name}.weight")
        if name not in ROTATED:
            return weight
        head_dim = self.settings.head_dim
        return ordered_heads(weight, head_dim, half_rotation_order(head_dim))

    def add_lora(self, layers: list[int], projections: tuple[str, ...], rank: int, alpha: float) -> None:
        for layer in layers:
            for name in projections:
                outputs, inputs = self.weights[layer][name].shape
                self.lora[f"{layer}_{name}"] = Lora(inputs, outputs, rank, alpha)

    @torch.no_grad()
    def merge_lora(self) -> None:
        """Adds the changes to the weights and drops the LoRA modules: same result, no further training."""
        for key, lora in self.lora.items():
            layer, name = key.split("_", 1)
            self.weights[int(layer)][name] = self.weights[int(layer)][name] + lora.delta()
        self.lora = torch.nn.ModuleDict()

    def _project(self, layer: int, name: str, x: torch.Tensor) -> torch.Tensor:
        key, weight = f"{layer}_{name}", self.weights[layer][name]
        if key not in self.lora:
            return F.linear(x, weight.to(x.dtype))
        lora = self.lora[key]
        return LoraLinear.apply(x, weight, lora.a, lora.b, lora.scale)

    def _heads(self, layer: int, name: str, normed: torch.Tensor, first: int) -> torch.Tensor:
        """[batch, heads, tokens, head_dim] of one projection, rotated where positions count."""
        heads = self._project(layer, name, normed).unflatten(-1, (-1, self.settings.head_dim)).transpose(1, 2)
        return self.rotary.rotate(heads, first) if name in ROTATED else heads

    def keys_values(self, layer: int, normed: torch.Tensor, first: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """K after RoPE and V of h = normed, [batch, kv_heads, tokens, head_dim] each."""
        return self._heads(layer, "attn_k", normed, first), self._heads(layer, "attn_v", normed, first)

    def _attend(
        self, layer: int, normed: torch.Tensor, own: KeysValues, first: int = 0, memory: KeysValues | None = None
    ):
        batch, tokens, _ = normed.shape
        s = self.settings
        # The query heads that share a key head lie one behind the other as further rows: no key is copied.
        query = self._heads(layer, "attn_q", normed, first).reshape(batch, s.kv_heads, -1, s.head_dim)
        key, value = own
        hidden = torch.full((tokens, tokens), -torch.inf).triu(1)
        if memory is not None:
            before, said = (part.to(key.dtype)[None].expand(batch, -1, -1, -1) for part in memory)
            key, value = torch.cat([before, key], 2), torch.cat([said, value], 2)
            hidden = torch.cat([torch.zeros(tokens, before.shape[2]), hidden], 1)
        scores = (query @ key.transpose(-1, -2)).float() * s.head_dim**-0.5
        scores = scores + hidden.repeat(s.heads // s.kv_heads, 1)
        mixed = (scores.softmax(-1).to(value.dtype) @ value).view(batch, s.heads, tokens, s.head_dim)
        return self._project(layer, "attn_output", mixed.transpose(1, 2).reshape(batch, tokens, -1))

    def _feed_forward(self, layer: int, normed: torch.Tensor) -> torch.Tensor:
        gate = F.silu(self._project(layer, "ffn_gate", normed))
        return self._project(layer, "ffn_down", gate * self._project(layer, "ffn_up", normed))

    def _through(
        self,
        layer: int,
        stream: torch.Tensor,
        normed: torch.Tensor,
        first: int = 0,
        memory: KeysValues | None = None,
        kept: dict[int, KeysValues] | None = None,
    ) -> torch.Tensor:
        """The residual stream behind a layer; normed: behind its input norm. `kept` takes the layer's own keys and
        values, as a memory of the first text."""
        normed = normed.to(self.precision)
        own = self.keys_values(layer, normed, first)
        if kept is not None:
            kept[layer] = (own[0][0], own[1][0])
        stream = stream + self._attend(layer, normed, own, first, memory)
        fed = rms_norm(stream, self.feed_forward_norms[layer], self.settings.norm_eps)
        return stream + self._feed_forward(layer, fed.to(self.precision))

    def forward(self, tokens: torch.Tensor, layers: list[int]) -> dict[int, torch.Tensor]:
        """tokens: [batch, length], padded on the right (causality keeps the padding out of real tokens)."""
        stream = F.embedding(tokens, self.embedding)
        states = {}
        for layer in range(max(layers) + 1):
            normed = rms_norm(stream, self.attention_norms[layer], self.settings.norm_eps)
            if layer in layers:
                states[layer] = normed
            if layer < max(layers):
                stream = self._through(layer, stream, normed)
        return states

    def read(
        self, tokens: torch.Tensor, first: int, memory: dict[int, KeysValues], kept: dict[int, KeysValues] | None = None
    ) -> torch.Tensor:
        """The residual stream behind the last layer, [batch, length, hidden]; positions count from `first`, and all
        tokens attend to the layers' memories besides what stands before them (msa.md section 5). `kept`: see
        `_through`; what is read behind it attends to this text."""
        stream = F.embedding(tokens, self.embedding)
        for layer in range(self.top):
            normed = rms_norm(stream, self.attention_norms[layer], self.settings.norm_eps)
            stream = self._through(layer, stream, normed, first, memory.get(layer), kept)
        return stream
