"""Trains the base model to answer from notes in few words or to say that they do not answer.

LoRA in the layers above the routed ones, next-token loss on answers alone. What memories and questions are encoded
with is untouched: a store stays as it is.
"""

import dataclasses
import pathlib
import random

import torch
import torch.nn.functional as F

from .backbone import PROJECTIONS, Lora
from .checkpoint import Tokenizer
from .features import END, START, Framer
from .notes import NOT_IN_MEMORY, Drawer, Page, conversations
from .reader import Memory, Reader
from .student import Student
from .training_run import Run


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides a run; the rate falls to nothing over its steps."""

    steps: int
    pages: int = 3  # A step.
    rank: int = 16
    rate: float = 7e-4
    warmup: int = 20
    latent_share: float = 0.5  # Of pages read with their pooled keys and values besides their texts.
    seed: int = 0


def load(path: pathlib.Path) -> torch.nn.ModuleDict:
    """The changes that a run saved, as a file in half precision has them."""
    state = torch.load(path, weights_only=False)["student"]
    lora = torch.nn.ModuleDict()
    for key in dict.fromkeys(name.rsplit(".", 1)[0] for name in state):
        (rank, inputs), outputs = state[f"{key}.a"].shape, len(state[f"{key}.b"])
        lora[key] = Lora(inputs, outputs, rank, rank)
    lora.load_state_dict(state)
    return lora.half().float()


def parity_case(reader: Reader, tokenizer: Tokenizer, page: Page) -> list[dict]:
    """Prompts, what the trained model replies to each, and the largest logits of the first token of it."""
    shared, asked = conversations(tokenizer, page)
    cases = []
    for one, (prompt, _) in zip(page.asked, asked):
        reply, logits = reader.greedy(shared + prompt, tokenizer.encode(END)[0], most=24)
        best = logits.topk(5)
        cases.append(
            {
                "question": one.question,
                "reply": tokenizer.decode(reply),
                "tokens": shared + prompt,
                "reply_tokens": reply,
                "logits": [
                    [token, round(value, 4)] for value, token in zip(best.values.tolist(), best.indices.tolist())
                ],
            }
        )
    return cases


class AnswerTrainer(Run):
    def __init__(self, reader: Reader, student: Student, framer: Framer, drawer: Drawer, recipe: Recipe):
        """`student` encodes what is pooled, as the product's adapter does."""
        above = range(max(student.router.layers) + 1, reader.backbone.top)
        reader.backbone.add_lora(list(above), PROJECTIONS, recipe.rank, recipe.rank)
        lora = reader.backbone.lora
        super().__init__(lora, recipe, [{"params": lora.parameters(), "lr": recipe.rate, "weight_decay": 0.0}])
        self.reader, self.student, self.framer, self.drawer = reader, student, framer, drawer
        self.head = framer.tokenizer.encode(f"{START}user\n")

    @torch.no_grad()
    def memory(self, page: Page) -> Memory:
        states = {layer: [] for layer in self.student.router.layers}
        for tokens in self.framer.documents(page.passages):
            for layer, h in self.student.backbone(torch.tensor([tokens]), list(states)).items():
                states[layer].append(h[0])
        return self.reader.memory(self.student.backbone, states)

    def read(self, page: Page, latent: bool) -> tuple[list[torch.Tensor], list[list[int]], int]:
        """Logits and tokens of each answer, and how many tokens were read."""
        shared, asked = conversations(self.framer.tokenizer, page)
        logits = self.reader.answers(shared, asked, self.head, self.memory(page) if latent else None)
        tokens = len(shared) + sum(len(prompt) + len(target) for prompt, target in asked)
        return logits, [target for _, target in asked], tokens

    def losses(self, step: int) -> tuple[dict[str, torch.Tensor], int]:
        """Each question counts alike, however long its answer. A function of seed and step."""
        generator = random.Random(self.recipe.seed * 1_000_003 + step)
        parts, tokens = [], 0
        for _ in range(self.recipe.pages):
            page = self.drawer.page(generator)
            logits, targets, read = self.read(page, generator.random() < self.recipe.latent_share)
            parts += [F.cross_entropy(of_one, torch.tensor(target)) for of_one, target in zip(logits, targets)]
            tokens += read
        return {"answer": torch.stack(parts).mean()}, tokens

    def advance(self) -> tuple[dict[str, float], int]:
        left = 1 - self.step / self.recipe.steps
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate * min(1.0, (self.step + 1) / self.recipe.warmup) * left
        parts, tokens = self.losses(self.step)
        self.descend(parts["answer"])
        return {name: part.item() for name, part in parts.items()}, tokens

    @torch.no_grad()
    def judge(self, held_out: list[Page]) -> dict[str, float]:
        """Shares of answers of which every token is the likeliest: where the page answers, and where it does not."""
        right: dict[bool, list[bool]] = {True: [], False: []}
        losses = []
        for number, page in enumerate(held_out):
            logits, targets, _ = self.read(page, latent=number % 2 == 1)
            for asked, of_one, target in zip(page.asked, logits, targets):
                wanted = torch.tensor(target)
                right[asked.answer != NOT_IN_MEMORY].append(bool((of_one.argmax(1) == wanted).all()))
                losses.append(F.cross_entropy(of_one, wanted).item())
        answered, declined = (sum(of) / max(1, len(of)) for of in (right[True], right[False]))
        loss = sum(losses) / len(losses)
        return {"score": (answered + declined) / 2, "answered": answered, "declined": declined, "loss": loss}
