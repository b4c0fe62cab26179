"""A fast frozen encoder for feature extraction: int8 matrix products, fused by torch.compile.

About twice as fast as float32 on AVX-512. Queries, keys and values stay float32: they cost 15 % of the
arithmetic and cause most of the rounding error (cosine to float32 features .99 with, .96 without).
"""

import dataclasses

import torch
import torch.nn.functional as F

from .backbone import Backbone, rms_norm


@dataclasses.dataclass
class Int8Linear:
    """W [outputs, inputs] as int8 with one scale per output; activations get one scale per token."""

    codes: torch.Tensor
    scales: torch.Tensor

    @staticmethod
    def of(weight: torch.Tensor) -> "Int8Linear":
        scales = weight.abs().amax(1) / 127
        return Int8Linear((weight / scales[:, None]).round().to(torch.int8).t(), scales)


def _project(x, codes, scales):
    step = x.abs().amax(-1, keepdim=True).clamp_min(1e-8) / 127
    return torch._int_mm((x / step).round().to(torch.int8), codes) * step * scales


def _layer(
    x, norm, w_qkv, o, o_scales, feed_norm, up, up_scales, down, down_scales, cos, sin, batch, tokens, heads, eps
):
    """One decoder layer on the residual stream x [batch * tokens, hidden]; heads = (query, key-value, size)."""
    query_heads, kv_heads, size = heads
    normed = rms_norm(x, norm, eps)
    qkv = F.linear(normed, w_qkv).view(batch, tokens, query_heads + 2 * kv_heads, size)

    def rotate(z):
        low, high = z.chunk(2, dim=-1)
        return torch.cat((low * cos - high * sin, low * sin + high * cos), -1).transpose(1, 2)

    q = rotate(qkv[:, :, :query_heads])
    k = rotate(qkv[:, :, query_heads : query_heads + kv_heads]).repeat_interleave(query_heads // kv_heads, 1)
    v = qkv[:, :, query_heads + kv_heads :].transpose(1, 2).repeat_interleave(query_heads // kv_heads, 1)
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch * tokens, -1)
    x = x + _project(mixed, o, o_scales)
    gate, value = _project(rms_norm(x, feed_norm, eps), up, up_scales).chunk(2, dim=-1)
    return x + _project(F.silu(gate) * value, down, down_scales), normed


class FastEncoder:
    """Runs layers 0..max(layers)-1 and hands out h of the asked layers as [batch, tokens, hidden]."""

    def __init__(self, backbone: Backbone, layers: list[int], compiled: bool = True):
        """Takes the weights of `backbone`, whose LoRA must have been merged."""
        if backbone.lora:
            raise ValueError("merge the LoRA before making a fast encoder")
        self.settings, self.layers = backbone.settings, sorted(layers)
        self.embedding = backbone.embedding
        self.cos, self.sin = backbone.rotary.cos, backbone.rotary.sin
        self.norms = backbone.attention_norms
        self.blocks = [self._block(backbone, layer) for layer in range(max(layers))]
        self.run_layer = torch.compile(_layer, dynamic=True) if compiled else _layer

    @staticmethod
    def _block(backbone: Backbone, layer: int) -> tuple:
        weights = backbone.weights[layer]
        qkv = torch.cat([weights[name] for name in ("attn_q", "attn_k", "attn_v")])
        out, down = Int8Linear.of(weights["attn_output"]), Int8Linear.of(weights["ffn_down"])
        up = Int8Linear.of(torch.cat([weights["ffn_gate"], weights["ffn_up"]]))
        norm = backbone.feed_forward_norms[layer]
        return (qkv, out.codes, out.scales, norm, up.codes, up.scales, down.codes, down.scales)

    @torch.inference_mode()
    def __call__(self, tokens: torch.Tensor) -> dict[int, torch.Tensor]:
        s = self.settings
        batch, length = tokens.shape
        stream = F.embedding(tokens, self.embedding).view(batch * length, s.hidden)
        cos, sin = self.cos[:length, None], self.sin[:length, None]
        heads = (s.heads, s.kv_heads, s.head_dim)
        states = {}
        for n, block in enumerate(self.blocks):
            stream, normed = self.run_layer(stream, self.norms[n], *block, cos, sin, batch, length, heads, s.norm_eps)
            if n in self.layers:
                states[n] = normed.view(batch, length, -1)
        if (top := len(self.blocks)) in self.layers:
            states[top] = rms_norm(stream, self.norms[top], s.norm_eps).view(batch, length, -1)
        return states
