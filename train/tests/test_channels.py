import json
import math

import numpy as np
import pytest
import torch
from safetensors import safe_open

from kvasir_train import export, fusion, lexical, metrics, router
from kvasir_train.backbone import PROJECTIONS, Backbone
from kvasir_train.data import Passage
from kvasir_train.features import Framer


def test_bm25_follows_its_formula():
    index = lexical.Bm25(["the cat sat", "the dog"])
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    expected = idf * 1 * 1.9 / (1 + 0.9 * (1 - 0.4 + 0.4 * 3 / 2.5))
    assert index.scores(["cats"])[0].tolist() == pytest.approx([expected, 0], rel=1e-5)


def test_ties_go_to_the_lower_place():
    assert lexical.top(np.array([[1.0, 2.0, 1.0, 2.0]]), 4).tolist() == [[1, 3, 0, 2]]


def test_metrics_count_each_gold_document():
    figures = metrics.summary(np.array([[4, 1, 0, 2, 3, 5, 6, 7, 8, 9]]), [{1, 7}])
    assert (figures["r@1"], figures["r@5"], figures["r@10"], figures["all_gold@10"]) == (0, 0.5, 1, 1)


def synthetic_channels(questions=200, passages=300, seed=0):
    """Lexical scores that tell a little, latent scores that tell more."""
    random = np.random.default_rng(seed)
    gold = [{int(random.integers(passages))} for _ in range(questions)]
    marks = np.zeros((questions, passages), np.float32)
    for q, g in enumerate(gold):
        marks[q, list(g)] = 1
    lexical_scores = np.maximum(random.normal(0, 2, marks.shape) + 4 * marks, 0).astype(np.float32)
    latent = (random.normal(0, 0.1, marks.shape) + 0.3 * marks).astype(np.float32)
    return lexical_scores, latent, gold


def test_fused_recall_beats_each_channel():
    block = synthetic_channels()
    weights = fusion.fit([block])
    words, latent, gold = synthetic_channels(seed=1)
    fused = metrics.recall_at(lexical.top(fusion.fuse(weights, words, latent), 5), gold, 5)
    for channel in (words, latent):
        assert fused > metrics.recall_at(lexical.top(channel, 5), gold, 5) + 0.02


def test_a_question_without_known_words_is_fused_by_the_latent_channel():
    latent = np.array([[0.1, 0.5, 0.2]], np.float32)
    scores = fusion.fuse(fusion.Weights(-3, 1, 2, 1), np.zeros((1, 3), np.float32), latent)
    assert lexical.top(scores, 1)[0, 0] == 1 and 0 < scores.min() < scores.max() < 1


def test_an_adapter_says_how_it_routes_and_reproduces_the_trained_states(checkpoint, tmp_path):
    torch.manual_seed(0)
    trained = Backbone(checkpoint, top=2)
    trained.add_lora([0, 1], PROJECTIONS, rank=2, alpha=4)
    for lora in trained.lora.values():
        torch.nn.init.normal_(lora.b, std=0.05)
    routers = router.Router([1, 2], 32, 16, 1)
    path = tmp_path / "adapter.safetensors"
    described = export.settings(checkpoint, routers, fusion.Weights(-3, 1, 2, 0.5))
    export.write_adapter(path, described, routers, trained.lora, checkpoint.settings.head_dim)

    loaded = Backbone(checkpoint, top=2)
    order = torch.cat([torch.arange(0, 8, 2), torch.arange(1, 8, 2)])
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["kvasir_adapter"])["routed_layers"] == [1, 2]
        for layer, name in ((layer, name) for layer in (0, 1) for name in PROJECTIONS):
            change = file.get_tensor(f"layers.{layer}.{name}.lora_b").float()
            change = change @ file.get_tensor(f"layers.{layer}.{name}.lora_a").float()
            if name in ("attn_q", "attn_k"):
                change = change.unflatten(0, (-1, 8))[:, order].flatten(0, 1)
            loaded.weights[layer][name] = loaded.weights[layer][name] + change
    tokens = torch.tensor([[1, 7, 8, 9]])
    torch.testing.assert_close(loaded(tokens, [2])[2], trained(tokens, [2])[2], atol=5e-3, rtol=5e-3)


def test_the_parity_case_holds_one_cosine_per_chunk(checkpoint, tmp_path):
    routers = router.Router([1, 2], 32, 16, 1)
    framer = Framer(checkpoint.tokenizer(), 200)
    passages = [Passage("title", "word " * 30), Passage("", "x")]
    case = export.parity_case(Backbone(checkpoint, top=2), routers, framer, passages, ["who?"])
    assert [len(chunks) for chunks in case["cosines"]["2"][0]] == [d["chunks"] for d in case["documents"]]
    assert all(-1.0001 <= c <= 1.0001 for chunk in case["cosines"]["1"][0] for c in chunk)
    export.write_parity(tmp_path / "parity.json", case)
    assert json.loads((tmp_path / "parity.json").read_text()) == case
