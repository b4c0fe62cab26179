"""Writes what was trained as an adapter file, and a small fixture that proves an engine's arithmetic."""

import dataclasses
import json
import math
import pathlib

import torch

from .adapter_file import write
from .backbone import ROTATED, Lora, half_rotation_order, ordered_heads
from .checkpoint import Checkpoint, file_sha256
from .features import CHUNK, START, Framer
from .fusion import Weights
from .router import Router
from .student import QUERY_PART, question_spans


def settings(checkpoint: Checkpoint, router: Router, fusion: Weights | None) -> dict:
    """The JSON of metadata key `kvasir_adapter`; README.md says what each entry means."""
    first = next(iter(router.routers.values()))
    shape = checkpoint.settings
    return {
        "format": 1,
        "base": {
            "architecture": checkpoint.architecture,
            "hidden": shape.hidden,
            "layers": shape.layers,
            "model_sha256": file_sha256(str(checkpoint.path)),
        },
        "routed_layers": router.layers,
        "dim": first.key.out_features,
        "heads": first.heads,
        "pooling": CHUNK,
        "query_reduce": "mean",
        "query_part": QUERY_PART,
        "chunk_reduce": "max",
        "skip_first_token": True,
        "query_template": {"prefix": START, "suffix": "", "routes": "all"},
        "document_template": {"prefix": START, "suffix": ""},
        "layer_weights": [round(weight, 6) for weight in router.weights.tolist()],
        "fusion": dataclasses.asdict(fusion) if fusion else {},
    }


def lora_tensors(lora: torch.nn.ModuleDict, head_dim: int) -> dict[str, torch.Tensor]:
    """`layers.N.PROJECTION.lora_a` [rank, in] and `lora_b` [out, rank]: W += b a, rows in GGUF's order."""
    tensors = {}
    back = torch.argsort(half_rotation_order(head_dim))
    for key, change in lora.items():
        assert isinstance(change, Lora)
        layer, name = key.split("_", 1)
        b = change.b.detach() * change.scale
        if name in ROTATED:
            b = ordered_heads(b, head_dim, back)
        tensors[f"layers.{layer}.{name}.lora_a"] = change.a.detach().contiguous()
        tensors[f"layers.{layer}.{name}.lora_b"] = b.contiguous()
    return tensors


def router_tensors(router: Router) -> dict[str, torch.Tensor]:
    tensors = {}
    for layer in router.layers:
        for side, name in (("query", "router_q"), ("key", "router_k")):
            weight, bias = router.routers[str(layer)].folded(side)
            tensors[f"layers.{layer}.{name}.weight"] = weight.contiguous()
            tensors[f"layers.{layer}.{name}.bias"] = bias.contiguous()
    return tensors


def write_adapter(
    path: pathlib.Path, described: dict, router: Router, lora: torch.nn.ModuleDict | None, head_dim: int
) -> None:
    """One safetensors file, float32 routers (their bias cancels large means), half-precision LoRA."""
    tensors = router_tensors(router)
    if lora:
        tensors |= {name: tensor.half() for name, tensor in lora_tensors(lora, head_dim).items()}
    write(path, described, tensors)


@torch.inference_mode()
def parity_case(backbone, router: Router, framer: Framer, passages: list, questions: list[str]) -> dict:
    """Token numbers of texts and questions and, per layer, each chunk's best cosine to a question and its parts."""
    documents, asked = framer.documents(passages), framer.questions(questions)

    def states(ids: list[int]) -> dict[int, torch.Tensor]:
        return {layer: h[0] for layer, h in backbone(torch.tensor([ids]), router.layers).items()}

    seen, heard = [states(ids) for ids in documents], [states(ids) for ids in asked]
    cosines = {}
    for layer in router.layers:
        one = router.routers[str(layer)]
        queries = [
            one.queries(torch.stack([h[layer][b:e].mean(0) for b, e in question_spans(len(h[layer]), QUERY_PART)]))
            for h in heard
        ]
        keys = []
        for h in seen:
            tokens = len(h[layer])
            runs = [(max(b, 1), min(b + CHUNK, tokens)) for b in range(0, tokens, CHUNK)]
            keys.append(one.keys(torch.stack([h[layer][begin:end].mean(0) for begin, end in runs])))
        cosines[str(layer)] = [[[round(c, 6) for c in (q @ k.T).amax(0).tolist()] for k in keys] for q in queries]
    return {
        "about": "cosines[layer][question][document][chunk]; float32 backbone; tokens include the start mark",
        "documents": [
            {"title": p.title, "text": p.text, "tokens": ids, "chunks": math.ceil(len(ids) / CHUNK)}
            for p, ids in zip(passages, documents)
        ],
        "questions": [{"text": text, "tokens": ids} for text, ids in zip(questions, asked)],
        "cosines": cosines,
    }


def write_lines(path: pathlib.Path, cases: list[dict]) -> None:
    """A JSON list with one line a case."""
    path.write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n")


def write_parity(path: pathlib.Path, case: dict) -> None:
    """JSON with one line per document, question and layer, so that a change can be read."""

    def lines(entries: list[str], brackets: str) -> str:
        return brackets[0] + "\n  " + ",\n  ".join(entries) + "\n " + brackets[1]

    def text(value) -> str:
        return json.dumps(value, ensure_ascii=False)

    parts = [f'"about": {text(case["about"])}']
    parts += [f'"{name}": {lines([text(entry) for entry in case[name]], "[]")}' for name in ("documents", "questions")]
    layers = [f'"{layer}": {text(cosines)}' for layer, cosines in case["cosines"].items()]
    parts.append(f'"cosines": {lines(layers, "{}")}')
    path.write_text("{\n " + ",\n ".join(parts) + "\n}\n")
