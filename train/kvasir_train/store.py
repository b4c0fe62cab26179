"""Feature shards read back as flat arrays, one routed layer at a time."""

import json
import pathlib

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

TEACHER_DIM = 384


class FeatureStore:
    """Chunks of all passages and states of all questions of a set of shards, for chosen layers.

    `chunks[l]` is [chunks, hidden] float16, `first[p]` the first chunk of passage p, `count[p]` its chunks;
    `questions[l]` is [questions, hidden] float16. `passage` and `question` map keys to rows (the first of equal
    ones); rows stand in the order of the shards. `teacher_passages` and
    `teacher_questions` are the teacher's unit vectors, all zero where the teacher has not been.
    """

    def __init__(self, folder: pathlib.Path, pattern: str, layers: list[int], last_token: bool = False):
        self.layers = layers
        self.passage: dict[str, int] = {}
        self.question: dict[str, int] = {}
        chunks: dict[int, list[np.ndarray]] = {layer: [] for layer in layers}
        questions: dict[int, list[np.ndarray]] = {layer: [] for layer in layers}
        counts: list[np.ndarray] = []
        teacher: dict[str, list[np.ndarray]] = {"passages": [], "questions": []}
        passages = asked = 0
        for path in sorted(folder.glob(pattern)):
            soft = folder / f"teacher-{path.name}"
            labels = load_file(soft) if soft.exists() else {}
            with safe_open(path, "np") as shard:
                names = json.loads(shard.metadata()["names"])
                for keys, rows, done in (
                    (names["passages"], self.passage, passages),
                    (names["questions"], self.question, asked),
                ):
                    for row, key in enumerate(keys, done):
                        rows.setdefault(key, row)
                passages, asked = passages + len(names["passages"]), asked + len(names["questions"])
                for kind, parts in teacher.items():
                    parts.append(labels.get(kind, np.zeros((len(names[kind]), TEACHER_DIM), np.float16)))
                counts.append(shard.get_tensor("counts"))
                all_chunks, all_questions = shard.get_tensor("chunks"), shard.get_tensor("questions")
                for layer in layers:
                    place = names["layers"].index(layer)
                    chunks[layer].append(all_chunks[:, place])
                    questions[layer].append(all_questions[:, int(last_token), place])
        if not counts:
            raise FileNotFoundError(f"{folder}/{pattern}: no feature shard found; run `features` first")
        self.count = torch.from_numpy(np.concatenate(counts))
        self.first = torch.cumsum(self.count, 0) - self.count
        self.teacher_passages = torch.from_numpy(np.concatenate(teacher["passages"]))
        self.teacher_questions = torch.from_numpy(np.concatenate(teacher["questions"]))
        self.chunks = {layer: torch.from_numpy(np.concatenate(chunks[layer])) for layer in layers}
        self.questions = {layer: torch.from_numpy(np.concatenate(questions[layer])) for layer in layers}

    def chunk_rows(self, passages: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows of the chunks of `passages`, [n, most], and which of them are real, same shape."""
        most = int(self.count[passages].max())
        offset = torch.arange(most)
        real = offset < self.count[passages][:, None]
        return torch.where(real, self.first[passages][:, None] + offset, self.first[passages][:, None]), real
