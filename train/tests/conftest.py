"""A tiny random llama in a GGUF file: 3 layers, hidden 32, bytes as tokens."""

import pathlib

import gguf
import numpy as np
import pytest
import tokenizers
import torch

from kvasir_train.checkpoint import Checkpoint

HIDDEN, LAYERS, HEADS, KV_HEADS, FEED_FORWARD = 32, 3, 4, 2, 48


def write_tiny_model(path: pathlib.Path) -> None:
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    tokens = ["<|end|>", "<|im_start|>", *sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()), "he", "hel"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([Checkpoint.CONTROL] * 2 + [1] * (len(tokens) - 2))
    writer.add_token_merges(["h e", "he l"])

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, random.normal(0, shape[-1] ** -0.5, shape).astype(np.float32))

    add("token_embd.weight", len(tokens), HIDDEN)
    writer.add_tensor("output_norm.weight", np.ones(HIDDEN, np.float32))
    for layer in range(LAYERS):
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{norm}.weight", np.ones(HIDDEN, np.float32))
        for name in ("attn_q", "attn_output"):
            add(f"blk.{layer}.{name}.weight", HIDDEN, HIDDEN)
        for name in ("attn_k", "attn_v"):
            add(f"blk.{layer}.{name}.weight", HIDDEN * KV_HEADS // HEADS, HIDDEN)
        for name in ("ffn_gate", "ffn_up"):
            add(f"blk.{layer}.{name}.weight", FEED_FORWARD, HIDDEN)
        add(f"blk.{layer}.ffn_down.weight", HIDDEN, FEED_FORWARD)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Checkpoint:
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_tiny_model(path)
    return Checkpoint(str(path))
