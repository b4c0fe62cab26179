import pathlib
import random
import re

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from kvasir_train import adapter_file, answering, data, export, items, notes, router
from kvasir_train.features import Framer
from kvasir_train.reader import TOP_K, Reader, behind
from kvasir_train.student import Student

ROUTED = [0, 1]  # Of the tiny model's three layers: answers change the last one.
PROMPT = pathlib.Path(__file__).parents[2] / "agent" / "prompt.cc"


def people(count: int):
    """Each text says where somebody lives; BM25's mistakes are the next ones."""
    rows, built = [], []
    for i in range(count):
        passage = data.Passage(f"P{i}", f"P{i} lives in Town{i}x.")
        rows.append(data.Row(str(i), "t", f"Where does P{i} live?", (passage,), (), (f"town{i}X",), False))
    built = items.build(rows, questions_per_item=3)
    hard = {place: [(place + k) % count for k in range(1, 7)] for place in range(count)}
    return notes.Drawer(rows, built, hard)


def test_the_prompt_is_the_products():
    source = PROMPT.read_text()
    said = re.search(r"kSystem =\n((?:\s*\"[^\n]*\"\n?)+)", source).group(1)
    assert "".join(re.findall(r'"([^"]*)"', said)) == notes.SYSTEM
    assert notes.SYSTEM.endswith(notes.NOT_IN_MEMORY)


def test_a_page_says_what_it_answers_and_what_not():
    drawer = people(20)
    declined = answered = 0
    for seed in range(60):
        page = drawer.page(random.Random(seed))
        assert page == drawer.page(random.Random(seed))
        assert page.numbers == sorted(set(page.numbers)) and len(page.numbers) == len(page.passages)
        texts = " ".join(passage.text for passage in page.passages)
        for asked in page.asked:
            number = re.search(r"p(\d+)", asked.question.lower()).group(1)
            if asked.answer == notes.NOT_IN_MEMORY:
                declined += 1
                assert f"Town{number}x" not in texts
            else:
                answered += 1
                assert asked.answer == f"Town{number}x" and asked.answer in texts
    assert 0.25 < declined / answered < 0.45


def test_a_swapped_question_is_about_what_the_page_does_not_have():
    page = notes.words("Tom parked the car on level 3 of the Elm Street garage in May.")
    other = "Did Ada Byron rent 17 bicycles near the Oak Street harbour?"
    found = {notes.swapped("Where did Tom park the car on level 3?", page, other, random.Random(n)) for n in range(40)}
    assert found == {f"Where did {name} park the car on level 3?" for name in ("Ada", "Byron", "Oak")} | {
        "Where did Tom park the car on level 17?"
    } | {f"Where did Tom park the car on {thing} 3?" for thing in ("rent", "bicycles", "near", "harbour")}
    assert notes.swapped("Where is it?", page, other, random.Random(0)) is None
    assert notes.swapped("Where did Tom park?", page, "Did Tom park?", random.Random(0)) is None


def test_a_question_that_needs_two_texts_gets_both():
    two = tuple(data.Passage(name, f"{name} is older than Cy.") for name in ("Ann", "Ben"))
    rows = [data.Row("0", "t", "Who is older than Cy?", two, (), ("yes.",), False)]
    rows += [data.Row("1", "t", "Whom is Ann older than?", two[:1], (), ("Cy",), False)]
    drawer = notes.Drawer(rows, items.build(rows, questions_per_item=3), {0: [], 1: []})
    for seed in range(20):
        page = drawer.page(random.Random(seed))
        assert any(asked.answer == "Yes" for asked in page.asked) <= (len(page.passages) == 2)


def test_a_question_that_a_page_answers_under_another_name_is_not_foreign_to_it():
    texts = (
        "Rome lies on the Tiber.",
        "New York has five boroughs, one of them the Bronx.",
        "Paris lies on the Seine.",
    )
    asked = (
        ("Where is the Tiber?", ("Rome",)),
        ("Where is Harlem?", ("NYC", "New York")),
        ("Which river?", ("Seine",)),
    )
    passages = [data.Passage("", text) for text in texts]
    rows = [data.Row(str(i), "t", q, (passages[i],), (), a, False) for i, (q, a) in enumerate(asked)]
    drawer = notes.Drawer(rows, items.build(rows, questions_per_item=3), {0: [1], 2: [1]})
    assert drawer._known(1, [1]) and not drawer._known(1, [0])


def test_long_answers_and_those_of_wordy_sources_are_not_taught():
    row = data.Row("0", "t", "?", (), (), ("a " * 100,), False)
    assert notes.answer_in(row, ["a " * 200]) is None
    assert notes.answer_in(data.Row("0", "selqa", "?", (), (), ("in Rome",), False), ["in Rome"]) is None
    assert notes.answer_in(data.Row("0", "t", "?", (), (), ("in rome.",), False), ["He is In Rome."]) == "In Rome"
    told = data.Row("0", "t", "?", (), (), ("Because he was late and tired.",), False)
    assert notes.answer_in(told, ["He was tired, and late because of it."]) == "Because he was late and tired"
    assert notes.answer_in(told, ["He was tired and late."]) is not None
    assert notes.answer_in(told, ["He was tired."]) is None


def test_all_questions_share_a_beginning(checkpoint):
    tokenizer = checkpoint.tokenizer()
    page = people(9).page(random.Random(2))
    shared, asked = notes.conversations(tokenizer, page)
    assert len(asked) == len(page.asked) > 1
    for one, (prompt, target) in zip(page.asked, asked):
        whole = tokenizer.decode(shared + prompt)
        assert whole == (
            f"<|im_start|>system\n{notes.SYSTEM}<|im_end|>\n<|im_start|>user\n{notes.user_message(page, one.question)}"
            "<|im_end|>\n<|im_start|>assistant\n"
        )
        assert tokenizer.decode(target) == one.answer + "<|im_end|>"
    assert tokenizer.decode(shared).count("[") == len(page.numbers)


@pytest.fixture
def made(checkpoint):
    def make(**changes) -> answering.AnswerTrainer:
        torch.manual_seed(0)
        student = Student(checkpoint, router.Router(ROUTED, checkpoint.settings.hidden, 16, heads=1), 2, 0)
        recipe = answering.Recipe(**({"steps": 6, "rank": 2, "warmup": 1} | changes))
        return answering.AnswerTrainer(
            Reader(checkpoint), student, Framer(checkpoint.tokenizer(), 512), people(12), recipe
        )

    return make


def test_what_is_read_once_is_as_good_as_read_each_time(made):
    trainer = made()
    for change in trainer.module.values():
        torch.nn.init.normal_(change.b, std=0.3)
    page = trainer.drawer.page(random.Random(4))
    shared, asked = notes.conversations(trainer.framer.tokenizer, page)
    reader = trainer.reader
    with torch.no_grad():
        for logits, (prompt, target) in zip(reader.answers(shared, asked, trainer.head, None), asked):
            loss = F.cross_entropy(logits, torch.tensor(target))
            torch.testing.assert_close(loss, reader.next_token_loss(shared + prompt, target, {}, first=0))
        memory = trainer.memory(page)
        head = {}
        reader.backbone.read(torch.tensor([trainer.head]), 0, {}, head)
        before = {layer: behind(own, memory.get(layer)) for layer, own in head.items()}
        for logits, (prompt, target) in zip(reader.answers(shared, asked, trainer.head, memory), asked):
            loss = F.cross_entropy(logits, torch.tensor(target))
            first = len(trainer.head) + TOP_K
            torch.testing.assert_close(loss, reader.next_token_loss(shared + prompt, target, before, first))


def test_only_what_stands_above_the_routers_learns(made):
    trainer = made()
    assert {key.split("_")[0] for key in trainer.module} == {"2"}
    before = {name: value.clone() for name, value in trainer.module.state_dict().items()}
    trainer.advance()
    trainer.advance()
    assert all(not torch.equal(value, before[name]) for name, value in trainer.module.state_dict().items())


def test_the_loss_falls_and_the_judge_sees_it(made):
    trainer = made(rate=0.03, steps=40)
    pages = [trainer.drawer.page(random.Random(100 + i)) for i in range(6)]
    before = trainer.judge(pages)
    for _ in range(25):
        trainer.advance()
    after = trainer.judge(pages)
    assert after["loss"] < before["loss"] - 1 and after["score"] >= before["score"]
    assert set(after) == {"score", "answered", "declined", "loss"}


def test_a_run_goes_on_where_it_was_killed(made, tmp_path):
    whole, killed, resumed = made(), made(), made()
    whole.run(tmp_path / "whole.pt")
    for _ in range(4):
        killed.advance()
    killed.save(tmp_path / "killed.pt")
    resumed.resume(tmp_path / "killed.pt")
    resumed.run(tmp_path / "killed.pt")
    for name, value in whole.module.state_dict().items():
        torch.testing.assert_close(resumed.module.state_dict()[name], value)


def test_an_adapter_file_takes_answers_in_and_stays_what_it_was(made, checkpoint, tmp_path):
    trainer = made()
    trainer.advance()
    trainer.save(tmp_path / "answers.pt")
    student = trainer.student
    described = export.settings(checkpoint, student.router, None)
    plain, taught, again = (tmp_path / f"{name}.safetensors" for name in ("plain", "taught", "again"))
    export.write_adapter(plain, described, student.router, student.backbone.lora, checkpoint.settings.head_dim)
    changes = export.lora_tensors(answering.load(tmp_path / "answers.pt"), checkpoint.settings.head_dim)
    assert changes["layers.2.ffn_up.lora_b"].abs().max() > 0
    adapter_file.attach(plain, changes, taught)
    adapter_file.attach(taught, changes, again)
    before, after = load_file(plain), load_file(taught)
    assert again.read_bytes() == taught.read_bytes()
    assert {name.removeprefix("answer.") for name in after.keys() - before.keys()} == changes.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    file = adapter_file.AdapterFile(taught)
    assert file.settings == adapter_file.AdapterFile(plain).settings and file.rank() == 2


def test_parity_holds_what_the_trained_model_replies(made):
    trainer = made()
    page = trainer.drawer.page(random.Random(1))
    cases = answering.parity_case(trainer.reader, trainer.framer.tokenizer, page)
    assert [case["question"] for case in cases] == [asked.question for asked in page.asked]
    for case in cases:
        tokens, said = case["tokens"], case["reply_tokens"]
        assert case["logits"][0][0] == said[0] and len(said) <= 24
        with torch.no_grad():
            stream = trainer.reader.backbone.read(torch.tensor([tokens + said[:3]]), 0, {})[0]
            wanted = trainer.reader.logits(stream).argmax(1)[len(tokens) - 1 : len(tokens) + 2]
        assert wanted.tolist() == said[:3]
