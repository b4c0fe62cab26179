"""What every training run does: saving, going on, printing how far it is; and how runs of a student are judged."""

import dataclasses
import pathlib
import time

import numpy as np
import torch

from . import metrics
from .features import Framer
from .student import Student


@dataclasses.dataclass
class HeldOut:
    """Questions that are never trained on and the passages they are asked of; `gold` are places of passages."""

    questions: list[str]
    gold: list[set[int]]
    passages: list


class Run:
    """A trainer says what a step does (`advance`), how it is judged, and what it keeps besides module and optimiser."""

    BEST = "score"  # The figure of a judgement that decides which state was the best.

    def __init__(self, module: torch.nn.Module, recipe, groups: list[dict]):
        """`module` is what is trained and saved, `recipe` a dataclass that decides everything and is saved too;
        `groups` are AdamW's: parameters, rate, weight decay."""
        self.module, self.recipe = module, recipe
        self.optimizer = torch.optim.AdamW(groups)
        self.step = 0
        self.history: list[dict] = []

    def advance(self) -> tuple[dict[str, float], int]:
        """One optimiser step; returns the losses and the tokens read."""
        raise NotImplementedError

    def judge(self, held_out) -> dict[str, float]:
        """Figures of what was held out, higher is better."""
        raise NotImplementedError

    def extra(self) -> dict:
        return {}

    def resume_extra(self, state: dict) -> None:
        pass

    def descend(self, loss: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1

    def is_best(self) -> bool:
        """Whether the last judgement is the best so far."""
        judged = [entry["held_out"][self.BEST] for entry in self.history if "held_out" in entry]
        return judged[-1] == max(judged)

    def save(self, path: pathlib.Path) -> None:
        state = {
            "recipe": dataclasses.asdict(self.recipe),
            "student": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **self.extra(),
            "step": self.step,
            "history": self.history,
        }
        temporary = path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.rename(path)

    def resume(self, path: pathlib.Path) -> None:
        state = torch.load(path, weights_only=False)
        self.module.load_state_dict(state["student"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.resume_extra(state)
        self.step, self.history = state["step"], state["history"]

    def run(self, path: pathlib.Path, held_out=None, save_every_s: float = 240, judge_every: int = 100) -> None:
        """Trains to the last step, printing rates, saving every few minutes, judging now and then."""
        if held_out and not self.history:
            print(f"held out, before the first step: {self.judge(held_out)}", flush=True)
        began = saved = time.monotonic()
        first, tokens = self.step, 0
        while self.step < self.recipe.steps:
            parts, used = self.advance()
            tokens += used
            self.history.append({"step": self.step, **parts})
            elapsed = time.monotonic() - began
            left = elapsed / (self.step - first) * (self.recipe.steps - self.step)
            if self.step % 5 == 0 or self.step - first < 5:
                means = " ".join(f"{name} {np.mean([h[name] for h in self.history[-20:]]):.3f}" for name in parts)
                print(
                    f"step {self.step}/{self.recipe.steps} {means}, {tokens / elapsed:.0f} tokens/s, "
                    f"{left / 60:.1f} min left",
                    flush=True,
                )
            last = self.step == self.recipe.steps
            if held_out and (last or self.step % judge_every == 0):
                self.history[-1]["held_out"] = self.judge(held_out)
                print(f"held out: {self.history[-1]['held_out']}", flush=True)
                if self.is_best():
                    self.save(path.with_name(f"{path.stem}.best{path.suffix}"))
            if time.monotonic() - saved > save_every_s or last:
                self.save(path)
                saved = time.monotonic()


class RoutingRun(Run):
    """A run that trains a student to route."""

    BEST = "ndcg@10"

    def __init__(self, student: Student, framer: Framer, recipe, lora_rate: float, router_rate: float):
        groups = [
            {"params": student.backbone.lora.parameters(), "lr": lora_rate, "weight_decay": 0.0},
            {"params": student.router.parameters(), "lr": router_rate, "weight_decay": 0.05},
        ]
        super().__init__(student, recipe, groups)
        self.student, self.framer = student, framer

    def extra(self) -> dict:
        router = self.student.router
        return {"layers": router.layers, "heads": next(iter(router.routers.values())).heads}

    @torch.no_grad()
    def judge(self, held_out: HeldOut) -> dict[str, float]:
        """Recall of held-out questions."""
        keys, owner = self.student.keys(self.framer.documents(held_out.passages))
        queries, asker = self.student.queries(self.framer.questions(held_out.questions))
        scores = self.student.scores(queries, keys, owner, len(held_out.passages), asker).numpy()
        ranked = np.argsort(-scores, axis=1, kind="stable")[:, :10]
        return metrics.summary(ranked, held_out.gold)
