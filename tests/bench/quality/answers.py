"""answers.py URL OUT SET...: how well `ask` answers questions whose answers are known.

URL is a running `kvasir serve` on a store of its own. A SET is NAME=CORPUS,QUESTIONS: rows {"id","title","text"},
remembered into space NAME, and rows {"question","answers","positives":[{"id"}]}. At least two sets: the questions of
each are also asked in the next one's space, which cannot answer them. Each answer is a line of OUT; what is there is
not asked again, so a run can be stopped. Then prints a table. Only the standard library.

Variants: `latent` reads the texts and attends to the memories' pooled keys and values, `text` reads the texts alone,
`gold` reads the texts of a space that holds the question's gold memories and nothing else, `absent` is as `latent` in
the other space. EM and F1 are SQuAD's (best of the known answers); `holds`: a known answer stands in the reply;
`declines`: the reply is "Not in memory". AUROC: how often the best memory of a question in its own space scores
higher than the best of a question in the other space.
"""

import argparse
import collections
import json
import pathlib
import random
import re
import string
import urllib.request

VARIANTS = {"latent": True, "text": False, "gold": False, "absent": True}
NEW_TOKENS = 48
BATCH = 500


def post(url: str, path: str, body: bytes, kind: str = "application/json") -> str:
    request = urllib.request.Request(url + path, body, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=600) as reply:
        return reply.read().decode()


def call(url: str, path: str, **fields) -> dict:
    return json.loads(post(url, path, json.dumps(fields).encode()))


def remember(url: str, rows: list[dict], space: str) -> None:
    """Known rows change nothing."""
    for begin in range(0, len(rows), BATCH):
        batch = [{k: row[k] for k in ("id", "title", "text")} | {"space": space} for row in rows[begin : begin + BATCH]]
        lines = "\n".join(json.dumps(memory) for memory in batch)
        post(url, "/v1/memories:batch", lines.encode(), "application/x-ndjson")


def words(text: str) -> list[str]:
    """SQuAD's normalisation."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1(reply: str, answer: str) -> float:
    said, known = collections.Counter(words(reply)), collections.Counter(words(answer))
    common = (said & known).total()
    return 2 * common / (said.total() + known.total()) if common else 0.0


def judge(reply: str, answers: list[str]) -> dict[str, float]:
    padded = f" {' '.join(words(reply))} "
    return {
        "em": max(words(reply) == words(a) for a in answers),
        "f1": max(f1(reply, a) for a in answers),
        "holds": max(f" {' '.join(words(a))} " in padded for a in answers),
        "declines": reply.strip().lower().startswith("not in memory"),
    }


def read(path: str) -> list[dict]:
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def auroc(yes: list[float], no: list[float]) -> float:
    return sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))


class Run:
    def __init__(self, url: str, out: pathlib.Path):
        self.url, self.out = url, out
        self.done = {(row["set"], row["variant"], row["question"]): row for row in (read(out) if out.exists() else [])}

    def ask(self, name: str, variant: str, space: str, row: dict) -> None:
        if (name, variant, row["question"]) in self.done:
            return
        asked = {"question": row["question"], "space": space, "max_new_tokens": NEW_TOKENS}
        reply = call(self.url, "/v1/ask", **asked, latent_memory=VARIANTS[variant])["answer"]
        hits = call(self.url, "/v1/recall", query=row["question"], space=space, top_k=1)["hits"]
        known = {"set": name, "variant": variant, "question": row["question"], "answers": row["answers"]}
        line = known | {"reply": reply, "score": hits[0]["score"] if hits else 0.0}
        self.done[name, variant, row["question"]] = line
        with open(self.out, "a") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    def report(self, names: list[str]) -> None:
        print("| set | variant | questions | EM | F1 | holds | declines |\n|---|---|---|---|---|---|---|")
        for name in names:
            for variant in VARIANTS:
                rows = [row for row in self.done.values() if (row["set"], row["variant"]) == (name, variant)]
                if not rows:
                    continue
                figures = [judge(row["reply"], row["answers"]) for row in rows]
                means = [sum(f[k] for f in figures) / len(figures) for k in ("em", "f1", "holds", "declines")]
                print(f"| {name} | {variant} | {len(rows)} | " + " | ".join(f"{m:.3f}" for m in means) + " |")
        scores = {v: [row["score"] for row in self.done.values() if row["variant"] == v] for v in ("latent", "absent")}
        if all(scores.values()):
            print(f"\nAUROC {auroc(scores['latent'], scores['absent']):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("sets", nargs="+", metavar="NAME=CORPUS,QUESTIONS")
    parser.add_argument("--questions", type=int, default=100, help="of each set")
    arguments = parser.parse_args()
    sets = {}
    for given in arguments.sets:
        name, files = given.split("=", 1)
        corpus, questions = map(read, files.split(",", 1))
        remember(arguments.url, corpus, name)
        answered = [row for row in questions if row.get("answers")]
        chosen = random.Random(0).sample(answered, min(arguments.questions, len(answered)))
        sets[name] = ({row["id"]: row for row in corpus}, chosen)
    names = list(sets)
    if len(names) < 2:
        parser.error("two sets are needed: the questions of one are unanswerable in the other")
    run = Run(arguments.url, arguments.out)
    # In turn, so that a stopped run has as much of each.
    for place in range(arguments.questions):
        for i, name in enumerate(names):
            corpus, chosen = sets[name]
            if place >= len(chosen):
                continue
            row, gold = chosen[place], f"gold-{name}-{place}"
            remember(arguments.url, [corpus[p["id"]] for p in row["positives"]], gold)
            spaces = {"latent": name, "text": name, "gold": gold, "absent": names[(i + 1) % len(names)]}
            for variant, space in spaces.items():
                run.ask(name, variant, space, row)
    run.report(names)


if __name__ == "__main__":
    main()
