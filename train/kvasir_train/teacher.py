"""Soft labels from a sentence encoder (all-MiniLM-L6-v2), used while training only."""

import pathlib

import tokenizers
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file

from .data import Passage
from .features import Framer, batches
from .student import chunk_spans


def named(passage: Passage, text: str) -> str:
    return f"{passage.title}. {text}" if passage.title else text


def chunk_texts(framer: Framer, passages: list[Passage], documents: list[list[int]]) -> list[str]:
    """The text of every chunk of every document, behind its title: what the teacher hears of a router key."""
    texts = []
    for passage, tokens in zip(passages, documents):
        for begin, end in chunk_spans(len(tokens)):
            text = framer.tokenizer.decode(tokens[begin:end])
            texts.append(text if begin == 1 else named(passage, text))
    return texts


class Teacher:
    """Mean-pooled unit embeddings of texts, [texts, 384]."""

    LIMIT = 160

    def __init__(self, folder: pathlib.Path, precision=torch.float32):
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(self.LIMIT)
        self.tokenizer.no_padding()
        self.model = transformers.BertModel.from_pretrained(
            folder, add_pooling_layer=False, attn_implementation="eager", dtype=precision
        ).eval()

    @torch.inference_mode()
    def embed(self, texts: list[str]) -> torch.Tensor:
        sequences = [coded.ids for coded in self.tokenizer.encode_batch(texts)]
        lengths = torch.tensor([len(ids) for ids in sequences])
        out = torch.zeros(len(texts), self.model.config.hidden_size)
        for places, tokens in batches(sequences):
            real = torch.arange(tokens.shape[1]) < lengths[places][:, None]
            states = self.model(input_ids=tokens, attention_mask=real.long()).last_hidden_state.float()
            means = (states * real[..., None]).sum(1) / real.sum(1, keepdim=True)
            out[places] = F.normalize(means, dim=-1)
        return out


def write_embeddings(path: pathlib.Path, teacher: Teacher, passages: list[Passage], questions: list[str]) -> None:
    """Embeddings of a shard's passages and questions, in their order; written whole or not at all."""
    tensors = {
        "passages": teacher.embed([named(p, p.text) for p in passages]).half(),
        "questions": teacher.embed(questions).half(),
    }
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary)
    temporary.rename(path)
