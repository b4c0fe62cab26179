"""The model the product runs, read from its GGUF file: settings, weights, tokenizer."""

import dataclasses
import hashlib
import pathlib

import gguf
import numpy as np
import tokenizers
import torch


@dataclasses.dataclass(frozen=True)
class Settings:
    """Shape of a llama-like decoder. Sizes are counts of numbers, `rope_theta` is dimensionless."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    feed_forward: int
    vocabulary: int
    norm_eps: float
    rope_theta: float


def file_sha256(path: str) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Checkpoint:
    """A GGUF file opened for reading. Weights are dequantised on demand to float32."""

    CONTROL = 3  # The token type of special tokens.

    def __init__(self, path: str):
        self.path = pathlib.Path(path)
        self._reader = gguf.GGUFReader(path)
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        self.architecture = self._field("general.architecture")
        if self.architecture != "llama":
            raise ValueError(f"{path}: architecture {self.architecture!r} is not supported, only llama")
        self.settings = self._read_settings()

    def _field(self, name: str):
        field = self._reader.get_field(name)
        if field is None:
            raise ValueError(f"{self.path}: GGUF field {name} is missing")
        return field.contents()

    def _read_settings(self) -> Settings:
        hidden = self._field("llama.embedding_length")
        heads = self._field("llama.attention.head_count")
        return Settings(
            hidden=hidden,
            layers=self._field("llama.block_count"),
            heads=heads,
            kv_heads=self._field("llama.attention.head_count_kv"),
            head_dim=hidden // heads,
            feed_forward=self._field("llama.feed_forward_length"),
            vocabulary=len(self._field("tokenizer.ggml.tokens")),
            norm_eps=self._field("llama.attention.layer_norm_rms_epsilon"),
            rope_theta=self._field("llama.rope.freq_base"),
        )

    def tensor(self, name: str) -> torch.Tensor:
        """Weight `name` in float32, [out, in] or [n]; q and k rows keep GGUF's adjacent-pair order."""
        entry = self._tensors.get(name)
        if entry is None:
            raise ValueError(f"{self.path}: tensor {name} is missing")
        values = gguf.quants.dequantize(entry.data, entry.tensor_type)
        return torch.from_numpy(np.array(values, dtype=np.float32))

    def holds(self, name: str) -> bool:
        """Whether there is such a tensor."""
        return name in self._tensors

    def tokenizer(self) -> "Tokenizer":
        if (kind := self._field("tokenizer.ggml.pre")) != "smollm":
            raise ValueError(f"{self.path}: pre-tokenizer {kind!r} is not supported, only smollm")
        return Tokenizer(
            self._field("tokenizer.ggml.tokens"),
            self._field("tokenizer.ggml.merges"),
            self._field("tokenizer.ggml.token_type"),
        )


class Tokenizer:
    """Byte-level BPE with single digits, as SmolLM2 uses it. Special tokens in the text are parsed."""

    def __init__(self, tokens: list[str], merges: list[str], kinds: list[int]):
        model = tokenizers.models.BPE(
            vocab={token: number for number, token in enumerate(tokens)},
            merges=[tuple(merge.split(" ")) for merge in merges],
        )
        self._bpe = tokenizers.Tokenizer(model)
        self._bpe.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
            [
                tokenizers.pre_tokenizers.Digits(individual_digits=True),
                tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
        self._bpe.decoder = tokenizers.decoders.ByteLevel()
        self._plain = tokenizers.Tokenizer.from_str(self._bpe.to_str())
        special = [token for token, kind in zip(tokens, kinds) if kind == Checkpoint.CONTROL]
        self._bpe.add_special_tokens(special)

    def encode(self, text: str) -> list[int]:
        """Token numbers of template text: `<|im_start|>` and its like count as one token."""
        return self._bpe.encode(text, add_special_tokens=False).ids

    def encode_plain(self, texts: list[str]) -> list[list[int]]:
        """Token numbers of foreign texts, in which nothing is special."""
        return [coded.ids for coded in self._plain.encode_batch(texts, add_special_tokens=False)]

    def decode(self, ids: list[int]) -> str:
        """The text of some tokens; a character cut in two shows as a replacement mark."""
        return self._plain.decode(ids, skip_special_tokens=False)
