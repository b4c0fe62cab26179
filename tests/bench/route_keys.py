"""Router keys and queries of real texts for route_best_bench, from the trainer's feature shards.

route_keys.py FEATURES ADAPTER OUT [PATTERN...]: FEATURES as `python -m kvasir_train features` wrote it, ADAPTER a
safetensors file. Keys are what the product stores: unit vectors in int8 with one scale. Needs numpy and safetensors.
"""

import json
import pathlib
import struct
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file

QUESTIONS_PER_SHARD = 40


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12)


def main() -> None:
    features, adapter_path, out = sys.argv[1:4]
    patterns = sys.argv[4:] or ["dev-*", "train-*"]
    with safe_open(adapter_path, framework="numpy") as file:
        settings = json.loads(file.metadata()["kvasir_adapter"])
    adapter = load_file(adapter_path)
    layers = settings["routed_layers"]

    chunks, questions, counts = [], [], []
    for path in sorted(p for pattern in patterns for p in pathlib.Path(features).glob(pattern + ".safetensors")):
        with safe_open(path, framework="numpy") as file:
            held = json.loads(file.metadata()["names"])["layers"]
        places = [held.index(layer) for layer in layers]
        shard = load_file(path)
        chunks.append(shard["chunks"][:, places])
        questions.append(shard["questions"][:QUESTIONS_PER_SHARD, 0][:, places])
        counts.append(shard["counts"])
    chunks, questions, counts = map(np.concatenate, (chunks, questions, counts))

    def project(states: np.ndarray, layer: int, side: str) -> np.ndarray:
        weight, bias = (adapter[f"layers.{layer}.router_{side}.{part}"] for part in ("weight", "bias"))
        return unit(states.astype(np.float32) @ weight.T + bias)

    dim = settings["dim"]
    with open(out, "wb") as file:
        file.write(struct.pack("<5q", len(layers), dim, len(counts), len(chunks), len(questions)))
        file.write(counts.astype("<i8").tobytes())
        for place, layer in enumerate(layers):
            keys = project(chunks[:, place], layer, "k")
            scales = np.abs(keys).max(1, keepdims=True) / 127
            file.write(np.round(keys / scales).astype(np.int8).tobytes())
            file.write(scales.astype("<f4").tobytes())
            file.write(project(questions[:, place], layer, "q").astype("<f4").tobytes())
    print(f"{len(counts)} memories, {len(chunks)} chunks, {len(questions)} questions, {len(layers)} layers of {dim}")


main()
