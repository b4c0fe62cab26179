"""The recipe as published (msa.md section 8): next-token loss through memory, and a routing loss per routed layer.

A sample is a question with numbered documents, some of which answer it. The backbone with LoRA encodes each document
alone; the base model, which attends to their pooled keys and values, must name the documents (generative retrieval)
or answer from their texts. The routing loss trains the routers, the next-token loss what a memory's K̄ and V̄ say.
"""

import dataclasses
import random

import torch

from .data import Row
from .features import END, START, Framer
from .items import Item
from .objectives import ROUTING_LOSSES
from .reader import Reader
from .student import Student, best_chunk, chunk_spans
from .training_run import RoutingRun

ASKED = (
    "\nPlease answer the question based on the above historical document information\n\n{}\n"
    "Please return all documents related to the question\n"
)
ANSWERED = START + "The user's question is: {}\n"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides a run. Shares are (next token, routing); rates are AdamW's."""

    steps: int
    warmup: int = 200  # Steps that align the routers, before the next token counts in full.
    warmup_shares: tuple[float, float] = (0.1, 1.0)
    warmup_rate: float = 1e-4
    shares: tuple[float, float] = (1.0, 0.1)
    rate: float = 6e-6
    routing_loss: str = "INFONCE_DECOUPLE"
    tau: float = 0.1
    rank: int = 32
    lora_from: int = 0
    questions: int = 4  # A step.
    documents: int = 8  # A question's.
    document_tokens: int = 192
    answer_tokens: int = 64
    seed: int = 0


@dataclasses.dataclass
class Sample:
    row: Row
    passages: list  # In the order of their numbers, from 1.
    gold: list[int]  # Places of those that answer, ascending.


class PublishedTrainer(RoutingRun):
    def __init__(
        self,
        student: Student,
        framer: Framer,
        rows: list[Row],
        items: list[Item],
        hard: dict[int, list[int]],
        reader: Reader,
        recipe: Recipe,
    ):
        """`hard`: for each item that has a question, items that BM25 mistakes for it."""
        super().__init__(student, framer, recipe, recipe.warmup_rate, recipe.warmup_rate)
        self.rows, self.items, self.hard, self.reader = rows, items, hard, reader
        self.usable = sorted(hard)
        answers: dict[int, list[int]] = {}
        for place, item in enumerate(items):
            for number in item.rows:
                answers.setdefault(number, []).append(place)
        self.answers = answers

    def sample(self, generator: random.Random) -> Sample:
        """A random question, all its windows, and others: hard ones first, then any."""
        place = generator.choice(self.usable)
        number = generator.choice(self.items[place].rows)
        gold = self.answers[number][: self.recipe.documents]
        others = [near for near in self.hard[place] if number not in self.items[near].rows]
        generator.shuffle(others)
        while len(others) < self.recipe.documents - len(gold) and len(others) < len(self.items) - len(gold):
            other = generator.randrange(len(self.items))
            if other not in others and number not in self.items[other].rows:
                others.append(other)
        chosen = gold + others[: self.recipe.documents - len(gold)]
        generator.shuffle(chosen)
        passages = [self.items[place].passage for place in chosen]
        return Sample(self.rows[number], passages, [i for i, place in enumerate(chosen) if place in gold])

    def numbered(self, sample: Sample) -> list[list[int]]:
        """Tokens of `[i]. TEXT`, as a memory that can be named by its number begins."""
        texts = [
            dataclasses.replace(passage, title=f"[{i + 1}]. {passage.title}".rstrip())
            for i, passage in enumerate(sample.passages)
        ]
        return [tokens[: self.recipe.document_tokens] for tokens in self.framer.documents(texts)]

    def retrieval(self, sample: Sample) -> tuple[list[int], list[int]]:
        """Prompt and target: the numbers of the documents that answer."""
        encode = self.framer.tokenizer.encode
        numbers = "".join(f"[{place + 1}]" for place in sample.gold)
        asked, named = self.framer.tokenizer.encode_plain([ASKED.format(sample.row.question), numbers])
        return encode(START) + asked + encode(END + "\n" + START), named + encode(END)

    def answering(self, sample: Sample) -> tuple[list[int], list[int]]:
        """Prompt and target: the answer, with the texts of the documents before the question."""
        tokenizer = self.framer.tokenizer
        texts = [f"[{i + 1}]. {sample.passages[i].text}\n" for i in sample.gold]
        pieces = tokenizer.encode_plain(texts + [ANSWERED.removeprefix(START).format(sample.row.question)])
        prompt = [token for piece in pieces[:-1] for token in piece[: self.recipe.document_tokens]]
        target = tokenizer.encode_plain([sample.row.answers[0]])[0][: self.recipe.answer_tokens]
        return prompt + tokenizer.encode(START) + pieces[-1], target + tokenizer.encode(END)

    def states(self, sequences: list[list[int]]) -> dict[int, list[torch.Tensor]]:
        """Per routed layer, h of each sequence, [tokens, hidden]."""
        longest = max(map(len, sequences))
        tokens = torch.tensor([sequence + [0] * (longest - len(sequence)) for sequence in sequences])
        states = self.student.backbone(tokens, self.student.router.layers)
        return {layer: [h[: len(s)] for h, s in zip(of, sequences)] for layer, of in states.items()}

    def routing_scores(self, documents: dict[int, list[torch.Tensor]], question: list[int]) -> torch.Tensor:
        """[layers, documents]: what each routed layer selects by."""
        queries, _ = self.student.queries([question])
        spans = [chunk_spans(len(h)) for h in next(iter(documents.values()))]
        owner = torch.repeat_interleave(torch.tensor([len(runs) for runs in spans]))
        scores = []
        for layer in self.student.router.layers:
            router = self.student.router.routers[str(layer)]
            chunks = [h[b:e].mean(0) for h, runs in zip(documents[layer], spans) for b, e in runs]
            cosines = queries[layer] @ router.keys(torch.stack(chunks)).T
            scores.append(best_chunk(cosines, owner, len(spans)).amax(0))
        return torch.stack(scores)

    def losses(self, step: int) -> tuple[dict[str, torch.Tensor], int]:
        """Mean next-token and routing loss of a step's samples, and the tokens read. A function of seed and step."""
        generator = random.Random(self.recipe.seed * 1_000_003 + step)
        routing = ROUTING_LOSSES[self.recipe.routing_loss]
        words, routes, tokens = [], [], 0
        for number in range(self.recipe.questions):
            sample = self.sample(generator)
            documents, question = self.numbered(sample), self.framer.questions([sample.row.question])[0]
            states = self.states(documents)
            gold = torch.zeros(len(documents), dtype=torch.bool)
            gold[sample.gold] = True
            scores = self.routing_scores(states, question) / self.recipe.tau
            routes.append(torch.stack([routing(of_layer, gold) for of_layer in scores]).mean())
            # Both tasks in turn, over steps too.
            answers = (step * self.recipe.questions + number) % 2 == 1 and sample.row.answers
            prompt, target = self.answering(sample) if answers else self.retrieval(sample)
            memory = self.reader.memory(self.student.backbone, states)
            words.append(self.reader.next_token_loss(prompt, target, memory))
            tokens += sum(map(len, documents)) + len(question) + len(prompt) + len(target)
        return {"next token": torch.stack(words).mean(), "routing": torch.stack(routes).mean()}, tokens

    def advance(self) -> tuple[dict[str, float], int]:
        warming = self.step < self.recipe.warmup
        shares = self.recipe.warmup_shares if warming else self.recipe.shares
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.warmup_rate if warming else self.recipe.rate
        parts, tokens = self.losses(self.step)
        self.descend(shares[0] * parts["next token"] + shares[1] * parts["routing"])
        return {name: part.item() for name, part in parts.items()}, tokens
