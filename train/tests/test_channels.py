import dataclasses
import json
import math

import numpy as np
import pytest
import torch
import zstandard
from safetensors import safe_open

from kvasir_train import data, export, fusion, lexical, metrics, pool, router
from kvasir_train.backbone import PROJECTIONS, Backbone
from kvasir_train.data import Passage, Row
from kvasir_train.features import Framer


def test_bm25_follows_its_formula():
    index = lexical.Bm25(["the cat sat", "the dog"])
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    expected = idf * 1 * 1.9 / (1 + 0.9 * (1 - 0.4 + 0.4 * 3 / 2.5))
    assert index.scores(["cats"])[0].tolist() == pytest.approx([expected, 0], rel=1e-5)


def test_coverage_is_a_share_of_what_the_question_could_get():
    index = lexical.Bm25(["the cat sat", "the dog", "cat cat cat cat cat cat cat cat"])
    covered = index.coverage(["cat", "cat unheard", "dog"], [2, 0, 1])
    bm25 = index.scores(["cat"])[0]
    assert covered[0].tolist() == pytest.approx((bm25[[2, 0, 1]] / (1.9 * math.log(1 + 1.5 / 2.5))).tolist())
    assert 0 < covered[0, 1] < covered[0, 0] < 1
    assert covered[1, 0] < 0.5 * covered[0, 0], "a word that no text has is not covered"
    assert covered[2].tolist()[:2] == [0, 0]


def test_ties_go_to_the_lower_place():
    assert lexical.top(np.array([[1.0, 2.0, 1.0, 2.0]]), 4).tolist() == [[1, 3, 0, 2]]


def test_metrics_count_each_gold_document():
    figures = metrics.summary(np.array([[4, 1, 0, 2, 3, 5, 6, 7, 8, 9]]), [{1, 7}])
    assert (figures["r@1"], figures["r@5"], figures["r@10"], figures["all_gold@10"]) == (0, 0.5, 1, 1)


NO_LINKS = np.zeros((0, 3), np.float32)


def synthetic_questions(count=300, candidates=60, seed=0):
    """Coverage and share tell a little of what is gold, the latent channel tells more."""
    random = np.random.default_rng(seed)
    questions = []
    for _ in range(count):
        gold = np.arange(candidates) == random.integers(candidates)
        coverage = np.clip(random.normal(0.3, 0.1, candidates) + 0.15 * gold, 0, 1)
        latent = 0.1 * random.normal(0, 1, candidates) + 0.3 * gold
        named = np.zeros(candidates)
        evidence = np.stack([coverage, coverage / coverage.max(), latent, named], axis=1).astype(np.float32)
        questions.append(fusion.Question(evidence, gold, NO_LINKS))
    return questions


def test_fused_recall_beats_each_channel_alone():
    weights = fusion.fit(synthetic_questions())
    unseen = synthetic_questions(seed=1)
    fused = fusion.recall_at(weights, unseen, 5)
    assert fused > fusion.recall_at(fusion.Weights(0, 0, 1, 0), unseen, 5) + 0.02
    assert fused > fusion.recall_at(fusion.Weights(0, 0, 0, 1), unseen, 5) + 0.02


def test_scores_are_probabilities_on_unseen_questions():
    weights = fusion.fit(synthetic_questions())
    unseen = synthetic_questions(seed=2)
    unseen += [question.unanswerable() for question in unseen]
    scores = np.concatenate([fusion.probabilities(weights, q) for q in unseen])
    gold = np.concatenate([q.gold for q in unseen])
    for low, high in ((0.2, 0.5), (0.5, 0.8), (0.8, 1)):
        inside = (scores >= low) & (scores < high)
        assert inside.sum() > 20 and abs(gold[inside].mean() - scores[inside].mean()) < 0.15


def test_scores_are_probabilities_among_few_and_among_many():
    """Most questions about few memories have their answer there, about many seldom; both look alike."""

    def asked(seed):
        few, many = synthetic_questions(200, 60, seed), synthetic_questions(200, 60, seed + 1)
        many = [q if i % 4 == 0 else q.unanswerable() for i, q in enumerate(many)]
        crowded = [dataclasses.replace(q, memories=100 * fusion.CROWD) for q in many]
        return few, crowded

    few, many = asked(5)
    weights = fusion.fit(few + many)
    assert weights.crowd > 0.05
    for unseen in asked(7):
        scores = np.concatenate([fusion.probabilities(weights, q) for q in unseen])
        assert scores.sum() == pytest.approx(sum(q.gold.sum() for q in unseen), rel=0.4)


def test_one_in_a_hundred_answerable_questions_may_be_declined():
    questions = synthetic_questions(400)
    weights = fusion.fit(questions)
    best = np.array([fusion.probabilities(weights, q).max() for q in questions])
    assert (best < weights.answerable).mean() == pytest.approx(0.01, abs=0.003)
    assert fusion.report(weights, questions)["declined"] > 0.01


def test_a_question_without_its_gold_scores_lower():
    unseen = synthetic_questions(seed=3)
    assert fusion.answerable_auroc(fusion.fit(synthetic_questions()), unseen) > 0.8
    assert fusion.answerable_auroc(fusion.Weights(0, 0, 0, 0), unseen) == 0.5


def test_an_unanswerable_twin_takes_its_shares_of_the_best_that_is_left():
    evidence = np.array([[0.5, 1, 2, 0], [0.4, 0.8, 1, 0.3], [0.1, 0.2, 0, 0]], np.float32)
    links = np.array([[0, 1, 1], [1, 2, 0.5]], np.float32)
    twin = fusion.Question(evidence, np.array([True, False, False]), links).unanswerable()
    assert twin.evidence == pytest.approx(np.array([[0.4, 1, 1, 0.3], [0.1, 0.25, 0, 0]]))
    assert twin.links.tolist() == [[0, 1, 0.5]], "links of the gold go with it, the others are counted anew"


def test_a_link_counts_from_the_best_alone_and_little_without_a_word_of_the_question():
    evidence = np.zeros((6, 4), np.float32)
    evidence[:, fusion.SHARE] = [1, 0.9, 0.8, 0.7, 0.5, 0]
    weights = fusion.Weights(bias=-2, coverage=0, lexical_share=3, latent=0, link=0.5)
    alone = fusion.probabilities(weights, fusion.Question(evidence, np.zeros(6, bool), NO_LINKS))
    links = np.array([[0, 4, 0.6], [2, 5, 1], [3, 1, 1]], np.float32)
    linked = fusion.probabilities(weights, fusion.Question(evidence, np.zeros(6, bool), links))
    expected = alone.copy()
    expected[4] += (1 - alone[4]) * 0.5 * 0.6 * alone[0] * 0.55
    expected[5] += (1 - alone[5]) * 0.5 * alone[2] * 0.1
    assert linked == pytest.approx(expected), "the fourth is no seed"


def test_links_weigh_as_much_as_they_help():
    def question(number):
        random = np.random.default_rng(number)
        evidence = np.zeros((12, 4), np.float32)
        evidence[:, fusion.SHARE] = np.sort(random.uniform(0.2, 1, 12))[::-1]
        gold = np.isin(np.arange(12), [0, 11])
        return fusion.Question(evidence, gold, np.array([[0, 11, 1]], np.float32))

    assert fusion.fit([question(i) for i in range(40)]).link > 0
    unhelpful = [fusion.Question(q.evidence, np.arange(12) == 0, q.links) for q in map(question, range(40))]
    assert fusion.fit(unhelpful).link == 0


def test_a_dump_is_read_as_the_engine_writes_it(tmp_path):
    path = tmp_path / "dump.jsonl"
    row = {"question": "q", "memories": 2000, "gold": ["b"], "ids": ["a", "b"]}
    row |= {"evidence": [[0.1, 0.5, -1, 0], [0.2, 1, 2, 0.3]], "links": [[1, 0, 0.5]]}
    path.write_text(json.dumps(row) + "\n")
    (question,) = fusion.read_dump(path)
    assert question.gold.tolist() == [False, True] and question.evidence.shape == (2, 4)
    assert question.links.tolist() == [[1, 0, 0.5]] and question.crowd == pytest.approx(math.log(2))


def row(number: int, held_out: bool) -> Row:
    own, other = (Passage(f"t{number}", f"{kind} {number}") for kind in ("answer", "near"))
    return Row(f"s:{number}", "s", f"question {number}", (own,), (other,), (), held_out)


def test_a_pool_holds_all_gold_and_is_filled_up(tmp_path):
    rows = [row(i, held_out=i < 4) for i in range(40)]
    assert pool.write(rows, tmp_path, passages=20, seed=0) == (20, 4)
    ids = {json.loads(line)["id"] for line in (tmp_path / "corpus.jsonl").read_text().splitlines()}
    asked = [json.loads(line) for line in (tmp_path / "questions.jsonl").read_text().splitlines()]
    assert len(ids) == 20 and all(p["id"] in ids for q in asked for p in q["positives"])
    assert pool.write(rows, tmp_path, passages=5, seed=0) == (5, 2)


def test_a_pool_says_what_is_known_of_its_questions(tmp_path):
    asked = Row("s:0", "s", "who?", (Passage("t", "x"),), (), ("Ada",), True)
    pool.write([asked], tmp_path, passages=1, seed=0)
    question = json.loads((tmp_path / "questions.jsonl").read_text())
    assert question == {"question": "who?", "answers": ["Ada"], "positives": [{"id": Passage("t", "x").key}]}


def test_multi_hop_rows_are_held_out_and_none_of_a_file_takes_all(tmp_path):
    for source in data.MULTI_HOP:
        rows = [
            {"id": f"{i}", "question": f"{source} {i}?", "positives": [{"title": "", "text": "a"}]} for i in range(400)
        ]
        packed = zstandard.compress("\n".join(map(json.dumps, rows)).encode())
        (tmp_path / f"{source}.jsonl.zst").write_bytes(packed)
    found = data.multi_hop_rows(tmp_path, most=5)
    assert [row.source for row in found].count("wiki_multi") == 5 and len(found) == 5 * len(data.MULTI_HOP)
    assert all(row.held_out for row in found)
    assert [row.source for row in found] != sorted(row.source for row in found), "mixed"


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
