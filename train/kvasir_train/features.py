"""Features of a frozen backbone: means of h over 64-token chunks and over questions, in resumable shards.

A router is linear, so mean(W h) = W mean(h): computed once, the means train any number of routers.
"""

import json
import pathlib
from collections.abc import Iterator

import numpy as np
import torch
from safetensors.numpy import save_file

from .checkpoint import Tokenizer
from .data import Passage

CHUNK = 64
START, END = "<|im_start|>", "<|im_end|>"
BATCH_TOKENS = 4096


class Framer:
    """Puts templates around texts. Template literals and each text are tokenised separately, then joined."""

    def __init__(self, tokenizer: Tokenizer, limit: int):
        self.tokenizer = tokenizer
        self.limit = limit
        self.start = tokenizer.encode(START)
        self.newline = tokenizer.encode("\n")

    def documents(self, passages: list[Passage]) -> list[list[int]]:
        titles = self.tokenizer.encode_plain([p.title for p in passages])
        texts = self.tokenizer.encode_plain([p.text for p in passages])
        return [
            (self.start + (title + self.newline if title else []) + text)[: self.limit]
            for title, text in zip(titles, texts)
        ]

    def questions(self, questions: list[str]) -> list[list[int]]:
        return [(self.start + ids)[: self.limit] for ids in self.tokenizer.encode_plain(questions)]


def batches(sequences: list[list[int]], budget: int = BATCH_TOKENS) -> Iterator[tuple[list[int], torch.Tensor]]:
    """Sequences of like length together, padded right: yields (their places, tokens [batch, length])."""
    order = sorted(range(len(sequences)), key=lambda i: (len(sequences[i]), i))
    while order:
        longest = len(sequences[order[-1]])
        places = order[-max(1, budget // longest) :]
        del order[-len(places) :]
        tokens = torch.zeros(len(places), longest, dtype=torch.long)
        for row, place in enumerate(places):
            tokens[row, : len(sequences[place])] = torch.tensor(sequences[place])
        yield places, tokens


def chunk_means(states: torch.Tensor, length: int) -> torch.Tensor:
    """states [tokens, layers, hidden] -> [chunks, layers, hidden]; token 0 (the start mark) is left out."""
    means = []
    for begin in range(0, length, CHUNK):
        run = states[max(begin, 1) : min(begin + CHUNK, length)]
        means.append(run.mean(0) if len(run) else torch.zeros_like(states[0]))
    return torch.stack(means)


def question_means(states: torch.Tensor, length: int) -> torch.Tensor:
    """states [tokens, layers, hidden] -> [2, layers, hidden]: mean over the question, and its last token."""
    return torch.stack([states[1:length].mean(0), states[length - 1]])


def encode_all(encoder, sequences: list[list[int]], reduce) -> list[np.ndarray]:
    """reduce(states, length) for each sequence, in order, as float16."""
    out: list[np.ndarray | None] = [None] * len(sequences)
    for places, tokens in batches(sequences):
        states = torch.stack(list(encoder(tokens).values()), dim=2).float()
        for row, place in enumerate(places):
            out[place] = reduce(states[row], len(sequences[place])).half().numpy()
    return out


def write_shard(path: pathlib.Path, encoder, framer: Framer, passages: list[Passage], questions: dict[str, str]) -> int:
    """Encodes and writes one shard; returns its tokens. A file that is there is whole (renamed last)."""
    documents = framer.documents(passages)
    asked = framer.questions(list(questions.values()))
    chunks = encode_all(encoder, documents, chunk_means)
    counts = np.array([len(c) for c in chunks], dtype=np.int64)
    hidden, layers = encoder.settings.hidden, len(encoder.layers)
    empty = np.zeros((0, layers, hidden), dtype=np.float16)
    states = encode_all(encoder, asked, question_means)
    tensors = {
        "chunks": np.concatenate(chunks) if chunks else empty,
        "counts": counts,
        "questions": np.stack(states) if states else np.zeros((0, 2, layers, hidden), dtype=np.float16),
    }
    names = {"passages": [p.key for p in passages], "questions": list(questions), "layers": encoder.layers}
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, metadata={"names": json.dumps(names)})
    temporary.rename(path)
    return sum(map(len, documents)) + sum(map(len, asked))
