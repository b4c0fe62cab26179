"""What each command of the command line does."""

import argparse
import dataclasses
import json
import pathlib
import random
import zlib

import torch

from . import (
    adapter,
    adapter_file,
    answering,
    curves,
    data,
    export,
    fusion,
    general,
    items,
    notes,
    pool,
    published,
    router,
    router_training,
    shards,
    start,
    training_run,
)
from .backbone import Backbone, fastest_precision
from .checkpoint import Checkpoint
from .encoder import FastEncoder
from .features import Framer, write_shard
from .notes import Drawer
from .reader import Reader
from .student import Student
from .teacher import Teacher, write_embeddings

START_SAMPLE = 4000  # Windows that the routers are started on.
CENTRE_SAMPLE = 800  # Windows that tell centre and scale again when training goes on from an adapter file.
ADAPTER_FILE = ".safetensors"
PARITY_NOTES = 4
JUDGED_PAGES, JUDGED_AGAINST = 40, 3000
HELD_OUT_QUESTIONS, HELD_OUT_PASSAGES = 400, 1500
PROSE = 12000  # Pairs of each source of prose.


def load_student(path: pathlib.Path, checkpoint: Checkpoint, precision=torch.float32) -> Student:
    """A student as `adapter` or `export` saved it."""
    if path.suffix == ADAPTER_FILE:
        return adapter_file.AdapterFile(path).student(checkpoint, precision)
    state = torch.load(path, weights_only=True)
    recipe = state["recipe"]
    weight = state["student"][f"router.routers.{state['layers'][0]}.key.weight"]
    routers = router.Router(state["layers"], weight.shape[1], weight.shape[0], state["heads"])
    student = Student(checkpoint, routers, recipe["rank"], recipe["lora_from"], precision)
    student.load_state_dict(state["student"])
    return student


def trained(arguments: argparse.Namespace, checkpoint: Checkpoint) -> tuple[router.Router, Backbone]:
    """The router to use, and the backbone that it belongs to (LoRA not merged)."""
    if arguments.adapter:
        student = load_student(arguments.adapter, checkpoint)
        return student.router, student.backbone
    routers, _ = router.load(arguments.router)
    return routers, Backbone(checkpoint, max(routers.layers))


def chosen_shards(arguments: argparse.Namespace) -> list[shards.Shard]:
    planned = shards.plan(arguments.data)
    return [shard for prefix in arguments.only for shard in planned if shard.name.startswith(prefix)]


def features(arguments: argparse.Namespace) -> None:
    checkpoint = Checkpoint(arguments.model)
    if arguments.adapter:
        backbone = load_student(arguments.adapter, checkpoint).backbone
        backbone.merge_lora()
    else:
        backbone = Backbone(checkpoint, max(arguments.layers))
    encoder, tokenizer = FastEncoder(backbone, arguments.layers), checkpoint.tokenizer()

    def write(shard: shards.Shard, path: pathlib.Path) -> None:
        framer = Framer(tokenizer, shard.token_limit)
        write_shard(path, encoder, framer, shard.passages, shard.questions)

    shards.write_missing(chosen_shards(arguments), arguments.features, "", write)


def soft_labels(arguments: argparse.Namespace) -> None:
    teacher = Teacher(arguments.teacher)

    def write(shard: shards.Shard, path: pathlib.Path) -> None:
        write_embeddings(path, teacher, shard.passages, list(shard.questions.values()))

    shards.write_missing(chosen_shards(arguments), arguments.features, "teacher-", write)


def train_router(arguments: argparse.Namespace) -> None:
    recipe = router_training.Recipe(steps=arguments.steps, seed=arguments.seed)
    trained_router, figures, history = router_training.train(
        arguments.features, arguments.data, arguments.layers, arguments.dim, arguments.heads, recipe
    )
    router.save(trained_router, arguments.out, recipe=dataclasses.asdict(recipe), held_out=figures)
    curves.draw(arguments.out.with_suffix(".png"), history)
    print(json.dumps({"held_out": figures, "layer_weights": trained_router.weights.tolist()}))


def held_out(rows: list[data.Row], others: list[items.Item], questions: int, passages: int) -> training_run.HeldOut:
    """The first held-out questions over their own windows and those of other rows."""
    asked = [row for row in rows if row.held_out][:questions]
    own = items.build(asked, questions_per_item=len(asked))
    gold: list[set[int]] = [set() for _ in asked]
    for place, item in enumerate(own):
        for number in item.rows:
            gold[number].add(place)
    known = {item.passage.key for item in own}
    filling = [item for item in others if item.passage.key not in known][: max(0, passages - len(own))]
    return training_run.HeldOut([row.question for row in asked], gold, [item.passage for item in own + filling])


def mined(path: pathlib.Path, rows: list[data.Row], built: list[items.Item]) -> dict[int, list[int]]:
    """BM25's mistakes of each item, kept beside the checkpoint: a resumed run does not look for them again."""
    if not path.exists():
        path.write_text(json.dumps(adapter.hard_items(rows, built)))
    return {int(place): hard for place, hard in json.loads(path.read_text()).items()}


def begun(arguments: argparse.Namespace, checkpoint: Checkpoint, recipe: adapter.Recipe | published.Recipe) -> Student:
    """The student as the earlier run or the adapter file of --begin left it, else an untrained one."""
    if arguments.begin and arguments.begin.suffix == ADAPTER_FILE:
        return load_student(arguments.begin, checkpoint, fastest_precision())
    routers = router.Router(arguments.layers, checkpoint.settings.hidden, arguments.dim, heads=1)
    student = Student(checkpoint, routers, recipe.rank, recipe.lora_from, fastest_precision())
    if arguments.begin:
        student.load_state_dict(torch.load(arguments.begin, weights_only=True)["student"])
    return student


@dataclasses.dataclass
class Material:
    """What a student is trained with: all rows, those that may be trained on, their windows and hard ones of each."""

    everything: list[data.Row]
    rows: list[data.Row]
    items: list[items.Item]
    hard: dict[int, list[int]]

    @staticmethod
    def of(arguments: argparse.Namespace) -> "Material":
        everything = data.training_rows(arguments.data / "train", 1 << 30)
        rows = [row for row in everything if not row.held_out]
        built = items.build(rows, questions_per_item=3)[: arguments.items]
        return Material(everything, rows, built, mined(arguments.out.with_suffix(".mined.json"), rows, built))


def resumed(arguments: argparse.Namespace, trainer: training_run.Run) -> bool:
    """Whether there was a run to take up."""
    if not arguments.out.exists():
        return False
    trainer.resume(arguments.out)
    print(f"resumed at step {trainer.step}", flush=True)
    return True


def go_on(arguments: argparse.Namespace, trainer: training_run.Run, material: Material, start_anew) -> None:
    """Runs a trainer to its end from where it was; `start_anew` sets up routers that nothing trained yet."""
    if not resumed(arguments, trainer):
        if not arguments.begin:
            start_anew()
        elif arguments.begin.suffix == ADAPTER_FILE:
            start.recentre(trainer.student, trainer.framer, material.items[-CENTRE_SAMPLE:], material.rows)
    trainer.run(arguments.out, held_out(material.everything, material.items, HELD_OUT_QUESTIONS, HELD_OUT_PASSAGES))
    curves.draw(arguments.out.with_suffix(".png"), trainer.history)


def train_adapter(arguments: argparse.Namespace) -> None:
    checkpoint = Checkpoint(arguments.model)
    recipe = adapter.Recipe(steps=arguments.steps, rank=arguments.rank, stretch=arguments.stretch, seed=arguments.seed)
    material = Material.of(arguments)
    student = begun(arguments, checkpoint, recipe)
    framer = Framer(checkpoint.tokenizer(), recipe.document_tokens)
    teacher = Teacher(arguments.teacher, fastest_precision())
    prose = general.pairs(arguments.data / "train", PROSE, recipe.seed)
    trainer = adapter.Trainer(student, framer, material.rows, material.items, material.hard, teacher, recipe, prose)

    def start_anew() -> None:
        sample = start.Sample(student, framer, teacher, material.items[-START_SAMPLE:], material.rows)
        start.start(student, sample, recipe)

    go_on(arguments, trainer, material, start_anew)


def train_published(arguments: argparse.Namespace) -> None:
    checkpoint = Checkpoint(arguments.model)
    recipe = published.Recipe(
        arguments.steps, arguments.warmup, routing_loss=arguments.loss, rank=arguments.rank, seed=arguments.seed
    )
    material = Material.of(arguments)
    student = begun(arguments, checkpoint, recipe)
    framer = Framer(checkpoint.tokenizer(), recipe.document_tokens)
    reader = Reader(checkpoint, precision=fastest_precision())
    trainer = published.PublishedTrainer(student, framer, material.rows, material.items, material.hard, reader, recipe)

    def start_anew() -> None:
        start.whiten(student, framer, material.items[-START_SAMPLE:], material.rows)

    go_on(arguments, trainer, material, start_anew)


def held_out_pages(everything: list[data.Row], others: list[items.Item], seed: int) -> list[notes.Page]:
    """Pages whose questions are held out; BM25 mistakes windows of other rows for theirs."""
    rows = [row for row in everything if row.held_out]
    own = items.build(rows, questions_per_item=3)
    filling = [items.Item(item.passage) for item in others[:JUDGED_AGAINST]]
    drawer = Drawer(rows, own + filling, adapter.hard_items(rows, own + filling))
    generator = random.Random(seed)
    return [drawer.page(generator) for _ in range(JUDGED_PAGES)]


def train_answers(arguments: argparse.Namespace) -> None:
    checkpoint = Checkpoint(arguments.model)
    recipe = answering.Recipe(arguments.steps, rank=arguments.rank, seed=arguments.seed)
    material = Material.of(arguments)
    student = load_student(arguments.adapter, checkpoint)
    student.backbone.merge_lora()
    framer = Framer(checkpoint.tokenizer(), limit=512)
    drawer = Drawer(material.rows, material.items, material.hard)
    trainer = answering.AnswerTrainer(
        Reader(checkpoint, precision=fastest_precision()), student, framer, drawer, recipe
    )
    resumed(arguments, trainer)
    trainer.run(arguments.out, held_out_pages(material.everything, material.items, recipe.seed))
    curves.draw(arguments.out.with_suffix(".png"), trainer.history, "score")


def write_pool(arguments: argparse.Namespace) -> None:
    rows = data.training_rows(arguments.data / "train", characters=1 << 30)
    if arguments.multi_hop:
        asked = data.multi_hop_rows(arguments.data / "train", arguments.multi_hop)
        chosen = [row for row in rows if not row.held_out] + asked
        print(*pool.write(chosen, arguments.out, arguments.passages, arguments.seed))
        return
    for part in arguments.part:
        chosen = [row for i, row in enumerate(rows) if not row.held_out or i % arguments.parts == part]
        print(*pool.write(chosen, arguments.out / str(part), arguments.passages, arguments.seed))


def calibrate(arguments: argparse.Namespace) -> None:
    """Fits on one half of the questions, reports on the other, then writes what fits all of them."""
    questions = [question for path in arguments.candidates for question in fusion.read_dump(path)]
    halves: list[list[fusion.Question]] = [[], []]
    for question in questions:  # The same question in another pool is in the same half.
        halves[zlib.crc32(question.text.encode()) % 2].append(question)
    trial = fusion.fit(halves[0])
    for memories in sorted({question.memories for question in halves[1]}):
        these = [question for question in halves[1] if question.memories == memories]
        print(f"held back, {memories} memories", json.dumps(fusion.report(trial, these)))
    weights = fusion.fit(questions)
    arguments.out.write_text(json.dumps(dataclasses.asdict(weights), indent=1) + "\n")
    print(json.dumps(dataclasses.asdict(weights)))


def average(arguments: argparse.Namespace) -> None:
    adapter_file.average(arguments.adapters, arguments.out)


def attach(arguments: argparse.Namespace) -> None:
    checkpoint = Checkpoint(arguments.model)
    lora = answering.load(arguments.answers)
    changes = export.lora_tensors(lora, checkpoint.settings.head_dim)
    adapter_file.attach(arguments.adapter, {name: tensor.half() for name, tensor in changes.items()}, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB")
    if arguments.parity:
        reader = Reader(checkpoint)
        reader.backbone.lora = lora
        texts = json.loads(arguments.parity_texts.read_text())
        passages = [data.Passage(d["title"], d["text"]) for d in texts["documents"][:PARITY_NOTES]]
        asked = [notes.Asked(question, "") for question in texts["questions"]]
        page = notes.Page(list(range(1, len(passages) + 1)), passages, asked)
        export.write_lines(arguments.parity, answering.parity_case(reader, checkpoint.tokenizer(), page))


def write_export(arguments: argparse.Namespace) -> None:
    checkpoint = Checkpoint(arguments.model)
    routers, backbone = trained(arguments, checkpoint)
    weights = fusion.Weights(**json.loads(arguments.fusion.read_text())) if arguments.fusion else None
    described = export.settings(checkpoint, routers, weights)
    export.write_adapter(arguments.out, described, routers, backbone.lora, checkpoint.settings.head_dim)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB")
    if arguments.parity:
        texts = json.loads(arguments.parity_texts.read_text())
        passages = [data.Passage(d["title"], d["text"]) for d in texts["documents"]]
        framer = Framer(checkpoint.tokenizer(), limit=512)
        case = export.parity_case(backbone, routers, framer, passages, texts["questions"])
        export.write_parity(arguments.parity, case)
