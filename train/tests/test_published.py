import random

import pytest
import torch

from kvasir_train import data, items, objectives, published, router, start
from kvasir_train.backbone import Backbone
from kvasir_train.features import CHUNK, Framer
from kvasir_train.reader import Reader, chunk_means
from kvasir_train.student import Student

LAYERS = [0, 2]


def test_routing_losses_by_hand():
    scores = torch.tensor([2.0, 1.0, 0.0, -1.0])
    gold = torch.tensor([True, True, False, False])
    e = scores.exp()
    over_all = -((e[0] / e.sum()).log() + (e[1] / e.sum()).log()) / 2
    torch.testing.assert_close(objectives.info_nce(scores, gold), over_all)
    others = e[2] + e[3]
    decoupled = -((e[0] / (e[0] + others)).log() + (e[1] / (e[1] + others)).log()) / 2
    torch.testing.assert_close(objectives.info_nce_decoupled(scores, gold), decoupled)


def test_what_stands_before_may_as_well_be_a_memory(checkpoint):
    backbone = Backbone(checkpoint, top=3)
    tokens = torch.randint(2, 200, (1, 12), generator=torch.Generator().manual_seed(3))
    states = backbone(tokens[:, :7], [0, 1, 2])
    memory = {layer: tuple(x[0] for x in backbone.keys_values(layer, h)) for layer, h in states.items()}
    whole, behind = backbone.read(tokens, 0, {}), backbone.read(tokens[:, 7:], 7, memory)
    torch.testing.assert_close(behind, whole[:, 7:], atol=1e-5, rtol=1e-4)
    assert (backbone.read(tokens[:, 7:], 7, {}) - behind).abs().max() > 0.01


def test_memories_are_means_over_chunks_from_the_start_mark_on():
    x = torch.arange(2.0 * CHUNK + 3)[None, :, None]
    assert chunk_means(x).flatten().tolist() == [(CHUNK - 1) / 2, CHUNK + (CHUNK - 1) / 2, 2 * CHUNK + 1]


@pytest.fixture
def trained(checkpoint):
    """Makes trainers of the same questions: each text says where somebody lives."""
    names = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ida", "Jon"]
    rows, built = [], []
    for name in names:
        passage = data.Passage(name, f"{name} lives in {name[::-1]}ville")
        rows.append(data.Row(name, "t", f"where does {name} live", (passage,), (), (f"{name[::-1]}ville",), False))
    built = items.build(rows, questions_per_item=3)
    hard = {place: [(place + 1) % len(built)] for place in range(len(built))}

    def make(**changes):
        torch.manual_seed(0)
        routers = router.Router(LAYERS, checkpoint.settings.hidden, 16, heads=1)
        recipe = published.Recipe(steps=6, warmup=3, rank=2, documents=4, questions=2, **changes)
        student = Student(checkpoint, routers, recipe.rank, recipe.lora_from)
        framer = Framer(checkpoint.tokenizer(), recipe.document_tokens)
        start.whiten(student, framer, built, rows)
        return published.PublishedTrainer(student, framer, rows, built, hard, Reader(checkpoint), recipe)

    return make


def test_a_sample_asks_for_numbers_and_for_words(trained):
    trainer = trained()
    sample = trainer.sample(random.Random(5))
    assert len(sample.passages) == 4 and len({passage.key for passage in sample.passages}) == 4
    assert [sample.passages[i].title for i in sample.gold] == [sample.row.key]
    decode = trainer.framer.tokenizer.decode
    prompt, target = trainer.retrieval(sample)
    assert sample.row.question in decode(prompt) and sample.row.answers[0] not in decode(prompt)
    assert decode(target).startswith(f"[{sample.gold[0] + 1}]")
    prompt, target = trainer.answering(sample)
    assert f"[{sample.gold[0] + 1}]. {sample.passages[sample.gold[0]].text}" in decode(prompt)
    assert decode(target).startswith(sample.row.answers[0])
    assert all(
        f"[{i + 1}]. {p.title}" in decode(d) for i, (p, d) in enumerate(zip(sample.passages, trainer.numbered(sample)))
    )


def test_each_loss_teaches_its_part(trained):
    reading, routing = trained(warmup_shares=(1.0, 0.0)), trained(warmup_shares=(0.0, 1.0))
    untouched = trained().student.state_dict()

    def moved(trainer, name):
        for _ in range(2):  # After one step B is no longer zero, and A learns too.
            trainer.advance()
        after = trainer.student.state_dict()
        return [key for key in after if name in key and not torch.equal(after[key], untouched[key])]

    assert any(".b" in key for key in moved(reading, "lora"))  # K̄ and V̄ learn from what is read.
    assert moved(routing, "routers")


def test_the_next_token_loss_falls(trained):
    trainer = trained(warmup_shares=(1.0, 1.0), shares=(1.0, 1.0), warmup_rate=0.03, rate=0.03)
    with torch.no_grad():
        before = sum(sum(trainer.losses(step)[0].values()) for step in range(20, 26))
    for _ in range(12):
        trainer.advance()
    with torch.no_grad():
        after = sum(sum(trainer.losses(step)[0].values()) for step in range(20, 26))
    assert after < before - 0.5


@pytest.mark.parametrize("loss", objectives.ROUTING_LOSSES)
def test_a_run_goes_on_where_it_was_killed(trained, tmp_path, loss):
    whole = trained(routing_loss=loss)
    whole.run(tmp_path / "whole.pt")
    killed = trained(routing_loss=loss)
    for _ in range(4):
        killed.advance()
    killed.save(tmp_path / "killed.pt")
    resumed = trained(routing_loss=loss)
    resumed.resume(tmp_path / "killed.pt")
    resumed.run(tmp_path / "killed.pt")
    assert resumed.step == whole.step == 6
    for name, value in whole.student.state_dict().items():
        torch.testing.assert_close(resumed.student.state_dict()[name], value)


def test_the_rates_are_those_of_the_paper(trained):
    trainer = trained()
    rates = []
    for _ in range(4):
        trainer.advance()
        rates.append(trainer.optimizer.param_groups[0]["lr"])
    assert rates == [1e-4, 1e-4, 1e-4, 6e-6]
    assert (trainer.recipe.warmup_shares, trainer.recipe.shares) == ((0.1, 1.0), (1.0, 0.1))
