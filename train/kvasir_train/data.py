"""Question rows, corpora, the held-out rule and the choice of what to train on."""

import dataclasses
import hashlib
import io
import json
import pathlib
import re
from collections.abc import Iterator

import zstandard

HOLDOUT_MODULUS = 32

# Rows taken per file; None takes all. Pattern-made and long files are thinned, small human-made ones are not.
QUOTAS = {
    "boolq": None,
    "clapnq": None,
    "covid_faq": None,
    "covidqa": None,
    "dstc9_faq": 5000,
    "entailmentbank": None,
    "factbook": 3000,
    "fairytaleqa": 4500,
    "fetaqa": 1000,
    "hotpot_train": None,
    "lihua": None,
    "medquad": 2000,
    "multispanqa": None,
    "musique_train": None,
    "onestopqa": None,
    "ottqa": 1200,
    "pubmedqa": 600,
    "qamr": None,
    "qed": None,
    "qmsum": 500,
    "quoref_contrast": None,
    "selqa": None,
    "sgd": 1000,
    "squad": 8000,
    "strategyqa": None,
    "twowiki_train": None,
    "wiki_multi": 2000,
    "wiki_single": 8000,
    "xquad": None,
}


@dataclasses.dataclass(frozen=True)
class Passage:
    title: str
    text: str

    @property
    def key(self) -> str:
        """Stable name: equal title and text make the same passage, whatever file it came from."""
        return hashlib.sha1(f"{self.title}\0{self.text}".encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    source: str
    question: str
    positives: tuple[Passage, ...]
    negatives: tuple[Passage, ...]
    answers: tuple[str, ...]
    held_out: bool


def row_hash(source: str, identifier: str) -> int:
    return int(hashlib.sha256(f"{source}:{identifier}".encode()).hexdigest()[:8], 16)


def row_order(key: str) -> str:
    """A fixed, mixed order of rows."""
    return hashlib.sha256(key.encode()).hexdigest()


def is_held_out(source: str, identifier: str) -> bool:
    """The rule for own validation rows, never trained on: sha256("file:id")[:8] mod 32 == 0."""
    return row_hash(source, identifier) % HOLDOUT_MODULUS == 0


def read_rows(path: pathlib.Path) -> Iterator[dict]:
    with open(path, "rb") as stream:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(stream), encoding="utf-8"):
            yield json.loads(line)


def evidence_is_early(row: dict, characters: int) -> bool:
    """False when an answer stands in the first positive, but only behind `characters`."""
    text = row["positives"][0]["text"]
    if len(text) <= characters:
        return True
    places = [text.find(answer) for answer in row.get("answers") or [] if len(answer) > 3]
    places = [place for place in places if place >= 0]
    return not places or min(places) < characters


def clean(text: str) -> str:
    return re.sub(r"[ \t]+", " ", text or "").strip()


def to_row(source: str, raw: dict) -> Row:
    def passages(name: str) -> tuple[Passage, ...]:
        return tuple(Passage(clean(p.get("title")), clean(p["text"])) for p in raw.get(name) or [] if p["text"])

    return Row(
        key=f"{source}:{raw['id']}",
        source=source,
        question=clean(raw["question"]),
        positives=passages("positives"),
        negatives=passages("negatives"),
        answers=tuple(raw.get("answers") or ()),
        held_out=is_held_out(source, raw["id"]),
    )


# Bridge and comparison questions: no document answers one alone.
MULTI_HOP = ("hotpot_train", "musique_train", "twowiki_train", "wiki_multi")


def multi_hop_rows(folder: pathlib.Path, most: int) -> list[Row]:
    """Held-out rows of MULTI_HOP, at most `most` of a file, whatever its quota leaves out."""
    chosen = []
    for source in MULTI_HOP:
        rows = (to_row(source, raw) for raw in read_rows(folder / f"{source}.jsonl.zst"))
        found = sorted((row for row in rows if row.held_out), key=lambda row: row_order(row.key))
        chosen += found[:most]
    return sorted(chosen, key=lambda row: row_order(row.key))


def training_rows(folder: pathlib.Path, characters: int) -> list[Row]:
    """The chosen rows of all files in a fixed, mixed order, so that any prefix of it is a fair sample."""
    chosen = []
    for source, quota in QUOTAS.items():
        raws = [
            raw
            for raw in read_rows(folder / f"{source}.jsonl.zst")
            if raw["positives"] and evidence_is_early(raw, characters)
        ]
        raws.sort(key=lambda raw: row_hash("order:" + source, raw["id"]))
        # An even spread per file: row i of n stands at (i + 1) / n of the whole order.
        raws = raws[:quota]
        chosen += [((i + 1) / len(raws), to_row(source, raw)) for i, raw in enumerate(raws)]
    chosen.sort(key=lambda pair: (pair[0], pair[1].key))
    return [row for _, row in chosen]
