"""Which passages and questions go into which feature shard, and the run that writes them."""

import dataclasses
import pathlib
from collections.abc import Callable

from . import data
from .progress import Progress

ROWS = 1000
TRAIN_TOKENS = 192
EVIDENCE_CHARACTERS = 4 * TRAIN_TOKENS  # About four characters a token: evidence behind them is not seen.
MULTI_HOP = ("hotpot_train", "musique_train", "twowiki_train")


@dataclasses.dataclass
class Shard:
    name: str
    passages: list[data.Passage]
    questions: dict[str, str]
    token_limit: int

    def characters(self) -> int:
        """About what encoding it costs."""
        return sum(len(p.title) + len(p.text[: 4 * self.token_limit]) for p in self.passages)


def plan_train(rows: list[data.Row]) -> list[Shard]:
    """Blocks of rows; a passage goes into the block where it first occurs."""
    seen: set[str] = set()
    shards = []
    for begin in range(0, len(rows), ROWS):
        shard = Shard(f"train-{begin // ROWS:04d}", [], {}, TRAIN_TOKENS)
        for row in rows[begin : begin + ROWS]:
            # Given negatives are few and good in the multi-hop files; elsewhere they are mined from all passages.
            for passage in row.positives + (row.negatives if row.source in MULTI_HOP else ()):
                if passage.key not in seen:
                    seen.add(passage.key)
                    shard.passages.append(passage)
            shard.questions[row.key] = row.question
        shards.append(shard)
    return shards


def plan(folder: pathlib.Path) -> list[Shard]:
    return plan_train(data.training_rows(folder / "train", EVIDENCE_CHARACTERS))


def write_missing(
    shards: list[Shard], out: pathlib.Path, kind: str, write: Callable[[Shard, pathlib.Path], None]
) -> None:
    """Writes the shards `KIND-NAME` that are not there yet; may be stopped, restarted, or run beside another one."""
    out.mkdir(parents=True, exist_ok=True)
    named = [(shard, out / f"{kind}{shard.name}.safetensors") for shard in shards]
    waiting = [(shard, path) for shard, path in named if not path.exists()]
    progress = Progress(sum(shard.characters() for shard, _ in waiting), "characters")
    for shard, path in waiting:
        if not path.exists():  # Another process may have written it by now.
            write(shard, path)
        progress.add(shard.characters(), path.name)
