"""Command line: python -m kvasir_train COMMAND; --help lists the commands."""

import argparse
import os
import pathlib

import torch

from . import commands, objectives


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


# What several commands share: how an option is read, and what it is.
PATH = {"type": pathlib.Path, "required": True}
OPTIONAL_PATH = {"type": pathlib.Path}
OPTIONS = {
    "model": ({"required": True}, "GGUF file of the base model"),
    "data": (PATH, "folder with train/"),
    "features": (PATH, "folder of feature shards"),
    "router": (OPTIONAL_PATH, "routers trained on frozen features"),
    "adapter": (OPTIONAL_PATH, "LoRA and routers trained together"),
    "layers": ({"type": numbers, "required": True}, "routed layers, for example 4,6,8"),
    "steps": ({"type": int, "required": True}, "optimiser steps"),
    "out": (PATH, "file to write"),
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kvasir_train", description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    verbs = parser.add_subparsers(required=True)

    def verb(name: str, run, about: str, *needs: str) -> argparse.ArgumentParser:
        command = verbs.add_parser(name, help=about)
        command.set_defaults(run=run)
        for need in needs:
            option, about = OPTIONS[need]
            command.add_argument(f"--{need}", help=about, **option)
        return command

    command = verb(
        "features", commands.features, "encode passages and questions", "model", "data", "features", "adapter", "layers"
    )
    labels = verb("teacher", commands.soft_labels, "embed the training shards with the teacher", "data", "features")
    for one, beginnings in ((command, [""]), (labels, ["train"])):
        one.add_argument("--only", nargs="*", default=beginnings, help="shards with these beginnings, in this order")
    labels.add_argument("--teacher", type=pathlib.Path, required=True, help="folder of the unpacked MiniLM model")
    command = verb(
        "router", commands.train_router, "train routers on features", "data", "features", "layers", "steps", "out"
    )
    command.add_argument("--dim", type=int, default=192)
    command.add_argument("--heads", type=int, default=1)
    command = verb(
        "adapter", commands.train_adapter, "train LoRA and routers together", "model", "data", "layers", "steps", "out"
    )
    command.add_argument("--teacher", type=pathlib.Path, required=True, help="folder of the unpacked MiniLM model")
    command.add_argument("--stretch", type=int, default=0, help="batches in a row of one source; 0: sources mixed")
    recipe = verb(
        "published", commands.train_published, "train as the paper does", "model", "data", "layers", "steps", "out"
    )
    recipe.add_argument("--loss", choices=objectives.ROUTING_LOSSES, default="INFONCE_DECOUPLE")
    recipe.add_argument("--warmup", type=int, default=200, help="steps that align the routers first")
    reading = verb(
        "answers", commands.train_answers, "train the model to answer from notes", "model", "data", "steps", "out"
    )
    reading.add_argument("--adapter", type=pathlib.Path, required=True, help="what encodes: a run or an adapter file")
    reading.add_argument("--rank", type=int, default=16)
    reading.add_argument("--items", type=int, default=60000, help="training passages to choose from")
    for one in (command, recipe):
        one.add_argument("--begin", type=pathlib.Path, help="go on from this earlier run or adapter file")
        one.add_argument("--rank", type=int, default=32)
        one.add_argument("--dim", type=int, default=576, help="numbers of a router vector")
        one.add_argument("--items", type=int, default=60000, help="training passages to choose from")
    command = verb("pool", commands.write_pool, "write held-out rows as a corpus and questions", "data", "out")
    command.add_argument("--passages", type=int, required=True, help="size of the corpus")
    command.add_argument("--parts", type=int, default=1, help="take every so many-th held-out row")
    command.add_argument("--part", type=int, nargs="+", default=[0], help="which of them, each to a folder of OUT")
    command.add_argument("--multi-hop", type=int, default=0, help="multi-hop questions alone, at most so many a file")
    command = verb("calibrate", commands.calibrate, "fit the fusion on the engine's candidates", "out")
    command.add_argument("--candidates", type=pathlib.Path, nargs="+", required=True, help="from channel_dump")
    command = verb("average", commands.average, "write the mean of adapter files that come from one another", "out")
    command.add_argument("adapters", type=pathlib.Path, nargs="+")
    command = verb("attach", commands.attach, "write an adapter file with what `answers` trained", "model", "out")
    command.add_argument("--adapter", type=pathlib.Path, required=True, help="adapter file")
    command.add_argument("--answers", type=pathlib.Path, required=True, help="what `answers` saved")
    attached = command
    command = verb("export", commands.write_export, "write the adapter file", "model", "router", "adapter", "out")
    command.add_argument("--fusion", type=pathlib.Path, help="what `calibrate` wrote")
    for one in (attached, command):
        one.add_argument("--parity", type=pathlib.Path, help="also write a parity fixture here")
        one.add_argument("--parity-texts", type=pathlib.Path, help="JSON with documents and questions for it")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.run(arguments)
