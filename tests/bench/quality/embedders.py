"""embedders.py [--bfloat16] CORPUS QUESTIONS MODEL…: what sentence embedders recall, alone and with BM25.

MODEL: a folder of all-MiniLM-L6-v2 or all-mpnet-base-v2 (its json files and weights). Mean-pooled unit vectors of title
and text, cut where the model's sentence_bert_config.json says; cosine. Hybrids with bm25s (k1 0.9, b 0.4): reciprocal
ranks (60), and the sum of both scores as deviations from the question's mean over its 100 best of each. Needs
embedders.txt beside this file; prints one table row a ranking. --bfloat16: weights and states in half precision, for
processors with such instructions.
"""

import json
import pathlib
import sys

import bm25s
import numpy as np
import Stemmer
import tokenizers
import torch
import transformers

BATCH, DEPTH = 32, 100


def read(path: str) -> list[dict]:
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


@torch.inference_mode()
def embed(folder: str, texts: list[str], precision: torch.dtype) -> np.ndarray:
    """[texts, dim], unit."""
    tokenizer = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
    limit = json.loads(pathlib.Path(folder, "sentence_bert_config.json").read_text())["max_seq_length"]
    tokenizer.enable_truncation(limit)
    tokenizer.no_padding()
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=precision).eval()
    pad = model.config.pad_token_id
    coded = [code.ids for code in tokenizer.encode_batch(texts)]
    out = np.zeros((len(texts), model.config.hidden_size), np.float32)
    by_length = sorted(range(len(texts)), key=lambda place: len(coded[place]))
    for begin in range(0, len(by_length), BATCH):
        places = by_length[begin : begin + BATCH]
        longest = max(len(coded[place]) for place in places)
        tokens = torch.tensor([coded[place] + [pad] * (longest - len(coded[place])) for place in places])
        real = torch.arange(longest) < torch.tensor([len(coded[place]) for place in places])[:, None]
        states = model(input_ids=tokens, attention_mask=real.long()).last_hidden_state.float()
        means = (states * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        out[places] = torch.nn.functional.normalize(means, dim=-1).numpy()
    return out


def bm25(texts: list[str], questions: list[str]) -> np.ndarray:
    """[questions, texts]"""

    def tokens(some: list[str]) -> list[list[str]]:
        stemmer = Stemmer.Stemmer("english")
        return bm25s.tokenize(some, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False)

    index = bm25s.BM25(method="lucene", k1=0.9, b=0.4)
    index.index(tokens(texts), show_progress=False)
    return np.stack([index.get_scores(asked) for asked in tokens(questions)])


def reciprocal_ranks(scores: np.ndarray) -> np.ndarray:
    ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    return 1 / (60 + 1 + ranks)


def deviations(scores: np.ndarray) -> np.ndarray:
    best = np.sort(scores, axis=1)[:, -DEPTH:]
    return (scores - best.mean(1, keepdims=True)) / (best.std(1, keepdims=True) + 1e-6)


def report(name: str, scores: np.ndarray, gold: list[set[int]]) -> None:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    at = [np.mean([len(g & set(o[:k].tolist())) / len(g) for g, o in zip(gold, order)]) for k in (5, 10)]
    print(f"| {name} | {at[0]:.3f} | {at[1]:.3f} |", flush=True)


def main(arguments: list[str]) -> None:
    precision = torch.bfloat16 if "--bfloat16" in arguments else torch.float32
    paths = [argument for argument in arguments if argument != "--bfloat16"]
    if len(paths) < 3:
        sys.exit(__doc__)
    corpus, questions = map(read, paths[:2])
    place = {row["id"]: i for i, row in enumerate(corpus)}
    gold = [{place[p["id"]] for p in row["positives"]} for row in questions]
    texts, asked = [f"{row['title']}\n{row['text']}" for row in corpus], [row["question"] for row in questions]
    words = bm25(texts, asked)
    report("BM25", words, gold)
    for folder in paths[2:]:
        vectors = embed(folder, texts + asked, precision)
        scores = vectors[len(texts) :] @ vectors[: len(texts)].T
        name = pathlib.Path(folder).name
        report(name, scores, gold)
        report(f"{name} + BM25, ranks", reciprocal_ranks(scores) + reciprocal_ranks(words), gold)
        report(f"{name} + BM25, deviations", deviations(scores) + deviations(words), gold)


if __name__ == "__main__":
    main(sys.argv[1:])
