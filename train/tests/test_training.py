import dataclasses
import random

import torch

from kvasir_train import (
    adapter,
    adapter_file,
    commands,
    data,
    export,
    general,
    items,
    mining,
    objectives,
    router,
    start,
)
from kvasir_train.features import CHUNK, Framer, chunk_means
from kvasir_train.student import Student, best_chunk, question_spans
from kvasir_train.teacher import chunk_texts


def passage(title, text):
    return data.Passage(title, text)


def row(question, positives, answers=(), held_out=False):
    return data.Row(question, "test", question, tuple(positives), (), tuple(answers), held_out)


def test_a_folded_router_acts_on_raw_states():
    torch.manual_seed(0)
    states = torch.randn(200, 32) * torch.linspace(0.1, 30, 32) + 5
    one = router.LayerRouter(32, 16, heads=2)
    one.start(states, states)
    weight, bias = one.folded("key")
    raw = (states @ weight.T + bias).unflatten(-1, (2, 8))
    expected = torch.nn.functional.normalize(raw, dim=-1).flatten(-2) / 2**0.5
    torch.testing.assert_close(one.keys(states), expected, atol=1e-4, rtol=1e-3)


def test_the_dot_product_of_router_vectors_is_the_mean_cosine_over_heads():
    one = router.LayerRouter(32, 16, heads=4)
    vectors = one.keys(torch.randn(3, 32))
    torch.testing.assert_close((vectors * vectors).sum(-1), torch.ones(3))


def test_chunks_leave_out_the_start_mark_only():
    states = torch.arange(2.0 * CHUNK + 3)[:, None, None]
    means = chunk_means(states, 2 * CHUNK + 3).flatten().tolist()
    assert means == [CHUNK / 2, CHUNK + (CHUNK - 1) / 2, 2 * CHUNK + 1]


def test_info_nce_does_not_see_ignored_pairs():
    scores = torch.tensor([[0.5, 0.9, 0.1]])
    ignored = torch.tensor([[False, True, False]])
    target = torch.tensor([0])
    with_other = router.info_nce(scores, target, ignored, 0.1)
    without = router.info_nce(scores[:, [0, 2]], target, ignored[:, [0, 2]], 0.1)
    torch.testing.assert_close(with_other, without)


def test_the_held_out_rule_never_changes():
    held = [n for n in range(2000) if data.is_held_out("squad", str(n))]
    assert held[:3] == [5, 93, 108] and len(held) == 73


def test_a_mined_negative_holds_no_answer():
    passages = [
        passage("", "Ada lives in Lisbon"),
        passage("", "Ada likes Lisbon trams"),
        passage("", "Ada owns a cat"),
    ]
    asked = row("where does Ada live", [passages[0]], answers=["Lisbon"])
    assert mining.mine([asked], passages, depth=3, keep=3) == [[2]]


def test_the_window_with_the_answer_is_taken():
    filler = "Nothing is said here at all. " * 20
    long = passage("t", filler + "The river is the Tagus. " + filler)
    built = items.build([row("which river", [long], answers=["Tagus"])], questions_per_item=4)
    assert "Tagus" in built[0].passage.text
    assert len(built[0].passage.text) <= items.WINDOW_CHARACTERS


class HashTeacher:
    """Unit vectors that depend on a text alone."""

    def embed(self, texts):
        seeds = [sum(text.encode()) for text in texts]
        vectors = [torch.randn(4, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return torch.nn.functional.normalize(torch.stack(vectors), dim=1)


def make_student(checkpoint):
    torch.manual_seed(0)
    return Student(checkpoint, router.Router([1, 2], 32, 16, 1), rank=2, lora_from=0)


def make_trainer(checkpoint, steps):
    rates = {"lora_rate": 3e-3, "router_rate": 3e-3, "warmup": 1}
    recipe = adapter.Recipe(steps=steps, clusters=3, cluster_size=2, teacher_share=0.1, memory=5, **rates)
    rows = [row(f"question {w}?", [passage(w, f"about {w} " * 9)]) for w in ("ant", "bee", "cat", "dog", "elk", "fox")]
    built = items.build(rows, 4)
    hard = adapter.hard_items(rows, built)
    framer = Framer(checkpoint.tokenizer(), 128)
    return adapter.Trainer(make_student(checkpoint), framer, rows, built, hard, HashTeacher(), recipe)


def test_training_lowers_the_loss(checkpoint):
    trainer = make_trainer(checkpoint, steps=40)
    losses = [trainer.advance()[0]["label"] for _ in range(40)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[1:6])


def test_a_resumed_run_equals_an_unbroken_one(checkpoint, tmp_path):
    unbroken = make_trainer(checkpoint, steps=4)
    for _ in range(4):
        unbroken.advance()
    first = make_trainer(checkpoint, steps=4)
    for _ in range(2):
        first.advance()
    first.save(tmp_path / "adapter.pt")
    second = make_trainer(checkpoint, steps=4)
    second.resume(tmp_path / "adapter.pt")
    for _ in range(2):
        second.advance()
    for a, b in zip(unbroken.student.parameters(), second.student.parameters()):
        torch.testing.assert_close(a, b, atol=0, rtol=0)


def test_routers_learn_alone_on_a_frozen_backbone(checkpoint):
    trainer = make_trainer(checkpoint, steps=1)
    student = trainer.student
    sample = start.Sample(student, trainer.framer, HashTeacher(), trainer.items, trainer.rows)
    lora = [parameter.clone() for parameter in student.backbone.lora.parameters()]
    everything = torch.arange(len(sample.target))
    start.start(student, sample, trainer.recipe, steps=0)
    before = start.batch_loss(student, sample, everything, trainer.recipe).item()
    start.start(student, sample, trainer.recipe, steps=100)
    assert start.batch_loss(student, sample, everything, trainer.recipe).item() < 0.7 * before
    assert all(torch.equal(a, b) for a, b in zip(lora, student.backbone.lora.parameters()))


def test_the_held_out_questions_find_their_gold(checkpoint):
    shared = passage("t", "what two questions ask for")
    asked = [row(f"{n}?", [shared] if n < 2 else [passage("u", f"text {n}")], held_out=n % 2 == 0) for n in range(6)]
    others = items.build([asked[1], asked[3]], 3)
    held = commands.held_out(asked, others, questions=3, passages=4)
    assert held.questions == ["0?", "2?", "4?"]
    assert [{held.passages[place].text for place in gold} for gold in held.gold] == [
        {"what two questions ask for"},
        {"text 2"},
        {"text 4"},
    ]
    assert [p.text for p in held.passages[3:]] == ["text 3"]


def test_every_item_is_drawn_once_before_any_is_drawn_again():
    hard = {n: [] for n in range(10)}
    draw = adapter.Batches(hard, adapter.Recipe(steps=1, clusters=5))
    assert sorted(draw(0) + draw(1)) == list(range(10))
    assert sorted(draw(2) + draw(3)) == list(range(10))


def test_what_was_seen_keeps_the_newest_documents():
    seen = objectives.Seen(limit=3)
    for batch in range(2):
        places = [10 * batch, 10 * batch + 1]
        owner = torch.tensor([0, 0, 1])
        keys = {4: torch.arange(3.0)[:, None] + 100 * batch}
        seen.add(places, owner, keys, keys[4])
    assert seen.places == [1, 10, 11]
    assert seen.owner.tolist() == [0, 1, 1, 2]
    assert seen.keys[4].flatten().tolist() == [2, 100, 101, 102]


def test_what_the_teacher_finds_as_near_as_the_positive_is_no_negative():
    likeness = torch.tensor([[0.8, 0.79, 0.5]])
    assert objectives.near_positives(likeness, torch.tensor([0]), 0.95).tolist() == [[True, True, False]]


def test_a_document_scores_as_its_best_chunk():
    cosines = torch.tensor([[0.1, 0.7, 0.3]])
    got = best_chunk(cosines, torch.tensor([0, 0, 1]), documents=2)
    torch.testing.assert_close(got, torch.tensor([[0.7, 0.3]]))


def test_the_teacher_hears_each_chunk_behind_its_title(checkpoint):
    framer = Framer(checkpoint.tokenizer(), 512)
    long = passage("Name", "abcdefghij" * 10)
    texts = chunk_texts(framer, [long], framer.documents([long]))
    assert len(texts) == 2
    assert texts[0].startswith("Name\nabc") and texts[1].startswith("Name. ")
    assert texts[0] + texts[1].removeprefix("Name. ") == "Name\n" + long.text


def test_router_vectors_do_not_depend_on_their_batch(checkpoint):
    student = make_student(checkpoint)
    sequences = [[1, *range(2, 2 + length)] for length in (3, 90, 20, 150)]
    together, owner = student.keys(sequences)
    alone = torch.cat([student.keys([sequence])[0][2] for sequence in sequences])
    assert owner.tolist() == [0, 1, 1, 2, 3, 3, 3]
    torch.testing.assert_close(together[2], alone, atol=1e-5, rtol=1e-4)


def test_a_question_scores_as_its_best_vector(checkpoint):
    student = make_student(checkpoint)
    owner, asker = torch.tensor([0, 0, 1]), torch.tensor([0, 0, 1])
    keys = {layer: torch.eye(3, 16) for layer in student.router.layers}
    queries = {1: torch.eye(3, 16), 2: torch.eye(3, 16).flip(0)}
    together = student.scores(queries, keys, owner, 2, asker)
    alone = torch.stack([student.scores({l: q[[v]] for l, q in queries.items()}, keys, owner, 2)[0] for v in range(3)])
    assert (together[1] == alone[2]).all()
    assert together[0].tolist() == [1.0, 0.5], "layer 1 in vectors 0 and 1, layer 2 in vectors 1 and 0"


def test_training_goes_on_from_an_adapter_file(checkpoint, tmp_path):
    trained = make_trainer(checkpoint, steps=3)
    for _ in range(3):
        trained.advance()
    student, framer = trained.student, trained.framer
    described = export.settings(checkpoint, student.router, None)
    path = tmp_path / "adapter.safetensors"
    export.write_adapter(path, described, student.router, student.backbone.lora, checkpoint.settings.head_dim)
    again = adapter_file.AdapterFile(path).student(checkpoint)
    start.recentre(again, framer, trained.items, trained.rows)
    assert torch.count_nonzero(again.router.routers["1"].key_mean)

    def scores(one):
        keys, owner = one.keys(framer.documents([item.passage for item in trained.items]))
        queries, asker = one.queries(framer.questions([row.question for row in trained.rows]))
        return one.scores(queries, keys, owner, len(trained.items), asker)

    torch.testing.assert_close(scores(again), scores(student), atol=2e-3, rtol=2e-3)


def test_the_mean_of_adapter_files_lies_between_them(checkpoint, tmp_path):
    paths = []
    for steps in (1, 3):
        trained = make_trainer(checkpoint, steps=3)
        for _ in range(steps):
            trained.advance()
        student = trained.student
        described = export.settings(checkpoint, student.router, None)
        paths.append(tmp_path / f"{steps}.safetensors")
        export.write_adapter(paths[-1], described, student.router, student.backbone.lora, checkpoint.settings.head_dim)
    adapter_file.average(paths, tmp_path / "mean.safetensors")
    first, second, mean = (adapter_file.AdapterFile(path) for path in (*paths, tmp_path / "mean.safetensors"))
    for name in mean.names:
        between = (first.tensor(name) + second.tensor(name)) / 2
        torch.testing.assert_close(mean.tensor(name), between, atol=1e-3, rtol=1e-3)
    assert not torch.equal(first.tensor("layers.1.router_q.weight"), second.tensor("layers.1.router_q.weight"))
    assert mean.student(checkpoint).router.layers == [1, 2]


def test_batches_depend_on_seed_and_step_alone():
    hard = {0: [1, 2], 1: [2, 3], 2: [3, 0], 3: [0, 1]}
    recipe = adapter.Recipe(steps=1, clusters=2, cluster_size=2)
    assert adapter.Batches(hard, recipe)(5) == adapter.Batches(hard, recipe)(5)
    other = dataclasses.replace(recipe, seed=1)
    assert any(adapter.Batches(hard, recipe)(n) != adapter.Batches(hard, other)(n) for n in range(5))


def test_a_stretch_of_batches_asks_of_one_source():
    sources = {n: "abc"[n % 3] for n in range(60)}
    hard = {n: [(n + 3) % 60] for n in sources}
    draw = adapter.Batches(hard, adapter.Recipe(steps=1, clusters=4, cluster_size=2, stretch=3), sources)
    drawn = [{sources[item] for item in draw(step)} for step in range(60)]
    assert all(len(of) == 1 for of in drawn)
    assert all(drawn[step] == drawn[step // 3 * 3] for step in range(60))
    assert set.union(*drawn) == set("abc")
    assert draw(7) == draw(7) != draw(8)


def test_the_teacher_is_not_asked_about_what_it_has_not_seen():
    scores = torch.tensor([[0.1, 0.3, 0.9], [0.5, 0.2, 0.4]])
    wanted = torch.tensor([[0.1, 0.3, 0.0], [0.0, 0.0, 0.0]])
    assert router.teacher_loss(scores, wanted, tau=0.05, teacher_tau=0.05).item() < 1e-6
    assert router.teacher_loss(scores.flip(1), wanted, tau=0.05, teacher_tau=0.05).item() > 0.1


def test_a_long_question_also_asks_with_its_equal_parts():
    assert question_spans(18, 12) == [(1, 18)]
    assert question_spans(19, 12) == [(1, 19), (1, 10), (10, 19)]
    assert len(question_spans(1000, 12)) == 8
    assert question_spans(12, 4) == [(1, 12), (1, 4), (4, 8), (8, 12)]


def test_the_best_judgement_is_kept(checkpoint, tmp_path):
    trainer = make_trainer(checkpoint, steps=3)
    judgements = iter([0.1, 0.2, 0.5, 0.4])  # The first is before the first step.
    trainer.judge = lambda held_out: {"ndcg@10": next(judgements)}
    trainer.run(tmp_path / "adapter.pt", held_out=object(), judge_every=1)
    best = torch.load(tmp_path / "adapter.best.pt", weights_only=False)
    assert best["step"] == 2
    assert torch.load(tmp_path / "adapter.pt", weights_only=False)["step"] == 3


def test_prose_is_taught_without_labels(checkpoint):
    plain = make_trainer(checkpoint, steps=1)
    prose = [(passage("", f"sea story {n} " * 5), f"a sentence {n}") for n in range(4)]
    recipe = dataclasses.replace(plain.recipe, general=2)
    told = adapter.Trainer(
        plain.student, plain.framer, plain.rows, plain.items, plain.batches.hard, HashTeacher(), recipe, prose
    )
    assert told.prose_of(0) == [0, 1] and told.prose_of(1) == [2, 3] and told.prose_of(2) == [0, 1]
    with_prose, without = told.losses(0)[0], plain.losses(0)[0]
    assert with_prose["label"] > without["label"]  # Two more passages that are no answer.
    assert with_prose["teacher"] != without["teacher"]
    assert told.seen.places[-2:] == [len(plain.items), len(plain.items) + 1]


def test_a_pair_of_prose_asks_with_a_sentence_from_beside_its_window():
    text = " ".join(f"Sentence {n} is about the matter of number {n}." for n in range(40))
    window, question = general.pair("t", text, random.Random(3))
    assert question in text and question not in window.text
    assert general.pair("t", "Too short.", random.Random(3)) is None
