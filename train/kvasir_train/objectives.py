"""What the training is scored by: labels, and a teacher's likeness of texts."""

import dataclasses

import torch
import torch.nn.functional as F

from .data import Row
from .items import Item


def unknown_pairs(rows: list[Row], asked: list[int], items: list[Item]) -> torch.Tensor:
    """[questions, items] true where an item holds an answer or is another positive: no negative, no target."""
    texts = [item.passage.text.lower() for item in items]
    marks = torch.zeros(len(asked), len(items), dtype=torch.bool)
    for q, number in enumerate(asked):
        answers = [answer.lower() for answer in rows[number].answers if len(answer) > 3]
        titles = {positive.title for positive in rows[number].positives if positive.title}
        for d, text in enumerate(texts):
            same = number in items[d].rows or any(answer in text for answer in answers)
            marks[q, d] = same or (len(rows[number].positives) > 1 and items[d].passage.title in titles)
    return marks


def near_positives(likeness: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
    """[questions, items] true where the teacher finds an item nearly as near as the positive: perhaps an answer."""
    return likeness > share * likeness.gather(1, target[:, None]).clamp_min(0.2)


def soft_labels(scores: torch.Tensor, likeness: torch.Tensor, tau: float) -> torch.Tensor:
    """Divergence of the student's softmax (scores are logits) from the teacher's."""
    return F.kl_div(F.log_softmax(scores, 1), F.softmax(likeness / tau, 1), reduction="batchmean")


def info_nce(scores: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """`INFONCE` of msa.md section 8: scores [documents] over tau; the mean over gold of -log softmax over all."""
    return -F.log_softmax(scores, 0)[gold].mean()


def info_nce_decoupled(scores: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """`INFONCE_DECOUPLE`: each gold document against the negatives alone, the other gold ones left out."""
    against = torch.logsumexp(scores[~gold], 0)
    return -(scores[gold] - torch.logaddexp(scores[gold], against)).mean()


ROUTING_LOSSES = {"INFONCE": info_nce, "INFONCE_DECOUPLE": info_nce_decoupled}


@dataclasses.dataclass
class Seen:
    """Documents of the last batches, as further negatives (cross-batch memory): their vectors hardly change."""

    limit: int
    places: list[int] = dataclasses.field(default_factory=list)  # Of the documents, in the list of items.
    owner: torch.Tensor = dataclasses.field(default_factory=lambda: torch.zeros(0, dtype=torch.long))
    keys: dict[int, torch.Tensor] = dataclasses.field(default_factory=dict)
    taught: torch.Tensor | None = None

    def add(self, places: list[int], owner: torch.Tensor, keys: dict[int, torch.Tensor], taught: torch.Tensor) -> None:
        """Takes a batch in and drops the oldest documents over the limit."""
        keys = {layer: part.detach() for layer, part in keys.items()}
        if self.places:
            owner = torch.cat([self.owner, owner + len(self.places)])
            keys = {layer: torch.cat([self.keys[layer], part]) for layer, part in keys.items()}
            taught = torch.cat([self.taught, taught])
        places = self.places + places
        drop = max(0, len(places) - self.limit)
        kept = owner >= drop
        self.places, self.owner, self.taught = places[drop:], owner[kept] - drop, taught[kept]
        self.keys = {layer: part[kept] for layer, part in keys.items()}
