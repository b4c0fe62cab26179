import torch
import torch.nn.functional as F

from kvasir_train.backbone import PROJECTIONS, Backbone
from kvasir_train.encoder import FastEncoder


def adjacent_pair_attention(checkpoint, layer, normed):
    """Attention by the definition, one head and token at a time, with GGUF's adjacent-pair rotation."""
    s = checkpoint.settings
    q, k, v = (normed @ checkpoint.tensor(f"blk.{layer}.attn_{n}.weight").T for n in "qkv")
    tokens, rows = len(normed), []

    def head(x, h, t):
        vector = x[t, h * s.head_dim : (h + 1) * s.head_dim].clone()
        pairs = vector.view(-1, 2)
        angle = t * s.rope_theta ** (-torch.arange(0, s.head_dim, 2) / s.head_dim)
        rotated = torch.stack(
            [
                pairs[:, 0] * angle.cos() - pairs[:, 1] * angle.sin(),
                pairs[:, 0] * angle.sin() + pairs[:, 1] * angle.cos(),
            ],
            dim=1,
        )
        return rotated.flatten()

    for t in range(tokens):
        parts = []
        for h in range(s.heads):
            group = h // (s.heads // s.kv_heads)
            scores = torch.stack([head(q, h, t) @ head(k, group, u) for u in range(t + 1)]) / s.head_dim**0.5
            values = v[: t + 1, group * s.head_dim : (group + 1) * s.head_dim]
            parts.append(scores.softmax(0) @ values)
        rows.append(torch.cat(parts))
    return torch.stack(rows) @ checkpoint.tensor(f"blk.{layer}.attn_output.weight").T


def test_attention_follows_the_definition(checkpoint):
    backbone = Backbone(checkpoint, top=1)
    normed = torch.randn(5, checkpoint.settings.hidden, generator=torch.Generator().manual_seed(1))
    own = backbone.keys_values(0, normed[None])
    torch.testing.assert_close(
        backbone._attend(0, normed[None], own)[0], adjacent_pair_attention(checkpoint, 0, normed), atol=1e-5, rtol=1e-4
    )


def test_half_precision_stays_close_to_the_exact_states(checkpoint):
    tokens = torch.randint(2, 200, (2, 32), generator=torch.Generator().manual_seed(4))
    exact = Backbone(checkpoint, top=2)(tokens, [2])[2]
    half = Backbone(checkpoint, top=2, precision=torch.bfloat16)(tokens, [2])[2]
    assert half.dtype == torch.float32
    assert F.cosine_similarity(exact, half, dim=-1).min() > 0.999


def test_padding_on_the_right_changes_nothing(checkpoint):
    backbone = Backbone(checkpoint, top=2)
    alone = backbone(torch.tensor([[1, 20, 30]]), [2])[2]
    padded = backbone(torch.tensor([[1, 20, 30, 0, 0]]), [2])[2]
    torch.testing.assert_close(alone[0], padded[0, :3])


def test_lora_gradients_equal_those_of_the_plain_formula(checkpoint):
    generator = torch.Generator().manual_seed(2)
    backbone = Backbone(checkpoint, top=1)
    backbone.add_lora([0], ("ffn_up",), rank=2, alpha=4)
    lora = backbone.lora["0_ffn_up"]
    lora.b.data = torch.randn(lora.b.shape, generator=generator)
    x = torch.randn(3, 4, checkpoint.settings.hidden, generator=generator, requires_grad=True)
    wanted = F.linear(x, backbone.weights[0]["ffn_up"] + 2 * lora.b @ lora.a)
    got = backbone._project(0, "ffn_up", x)
    torch.testing.assert_close(got, wanted)
    weights = torch.randn(got.shape, generator=generator)
    for got_grad, wanted_grad in zip(
        torch.autograd.grad((got * weights).sum(), (x, lora.a, lora.b)),
        torch.autograd.grad((wanted * weights).sum(), (x, lora.a, lora.b)),
    ):
        torch.testing.assert_close(got_grad, wanted_grad, atol=1e-4, rtol=1e-4)


def test_merged_lora_gives_the_same_states(checkpoint):
    backbone = Backbone(checkpoint, top=2)
    backbone.add_lora([0, 1], PROJECTIONS, rank=2, alpha=2)
    for lora in backbone.lora.values():
        torch.nn.init.normal_(lora.b, std=0.1, generator=torch.Generator().manual_seed(3))
    tokens = torch.tensor([[1, 5, 9, 40]])
    apart = backbone(tokens, [2])[2].detach()
    backbone.merge_lora()
    assert not list(backbone.parameters())
    torch.testing.assert_close(backbone(tokens, [2])[2], apart, atol=1e-5, rtol=1e-4)


def test_the_fast_encoder_stays_close_to_the_exact_one(checkpoint):
    tokens = torch.randint(2, 200, (2, 32), generator=torch.Generator().manual_seed(4))
    backbone = Backbone(checkpoint, top=2)
    exact = backbone(tokens, [1, 2])
    fast = FastEncoder(backbone, [1, 2], compiled=False)(tokens)
    for layer in (1, 2):
        assert F.cosine_similarity(exact[layer], fast[layer], dim=-1).min() > 0.999
