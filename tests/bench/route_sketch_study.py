"""Which first look at a router key is worth its bytes. route_sketch_study.py KEYS [QUESTIONS], KEYS by route_keys.py.

For each kind of sketch: bytes per key; the deviation of its error; and how many keys, best estimate first, must be
looked at whole until the 16 memories that a whole scan finds are among them (median, 99th percentile). Needs numpy.
"""

import struct
import sys

import numpy as np

TOP = 16


def read(path: str):
    with open(path, "rb") as file:
        layers, dim, memories, chunks, questions = struct.unpack("<5q", file.read(40))
        counts = np.frombuffer(file.read(8 * memories), "<i8")
        for _ in range(layers):
            codes = np.frombuffer(file.read(chunks * dim), np.int8).reshape(chunks, dim)
            scales = np.frombuffer(file.read(4 * chunks), "<f4")
            queries = np.frombuffer(file.read(4 * questions * dim), "<f4").reshape(questions, dim)
            yield counts, codes.astype(np.float32) * scales[:, None], queries


def looked_at(exact: np.ndarray, estimates: np.ndarray, starts: np.ndarray) -> int:
    best = np.maximum.reduceat(exact, starts)
    winners = np.argpartition(-best, TOP)[:TOP]
    ends = np.append(starts[1:], len(exact))
    chunks = [starts[w] + np.argmax(exact[starts[w] : ends[w]]) for w in winners]
    return int((estimates >= estimates[chunks].min()).sum())


def uniform(x: np.ndarray, bits: int) -> np.ndarray:
    """Codes of the best uniform steps for normal numbers, around zero."""
    half = 2 ** (bits - 1)
    step = {1: 1.596, 2: 0.9957, 3: 0.586, 4: 0.3352}[bits] * np.sqrt((x**2).mean(1, keepdims=True))
    return np.clip(np.floor(x / step), -half, half - 1) + 0.5


def sketches(keys: np.ndarray, queries: np.ndarray):
    """(name, bytes per key, estimates [questions, keys])"""
    dim = keys.shape[1]
    centre = keys.mean(0)
    rest = keys - centre
    base = (queries @ centre)[:, None]
    for bits in (1, 2, 3, 4):
        codes = uniform(rest, bits)
        gain = (rest**2).sum(1) / (rest * codes).sum(1)
        yield f"{bits} bit{'s' if bits > 1 else ''}", dim * bits / 8 + 4, base + (queries @ codes.T) * gain
    values, axes = np.linalg.eigh(np.cov(rest[::4].T))
    axes = axes[:, np.argsort(-values)].astype(np.float32)
    for kept in (64, 128, 192):
        part = axes[:, :kept]
        yield f"{kept} main axes, int8", kept + 4, base + (queries @ part) @ (rest @ part).T
    part = axes[:, :256]
    codes = rest @ part
    codes = uniform(codes / codes.std(0), 4) * codes.std(0) * 0.3352
    yield "256 main axes, 4 bits", 132, base + (queries @ part) @ codes.T


def main() -> None:
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    print("| layer | sketch | bytes | error | looked at p50 | p99 |\n|---|---|---|---|---|---|")
    for layer, (counts, keys, queries) in enumerate(read(sys.argv[1])):
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        queries = queries[np.linspace(0, len(queries) - 1, count).astype(int)]
        exact = queries @ keys.T
        for name, size, estimates in sketches(keys, queries):
            needed = [looked_at(s, e, starts) for s, e in zip(exact, estimates)]
            p50, p99 = np.percentile(needed, [50, 99]).astype(int)
            print(f"| {layer} | {name} | {size:.0f} | {(estimates - exact).std():.4f} | {p50} | {p99} |", flush=True)


main()
