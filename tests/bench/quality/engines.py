"""engines.py CORPUS QUESTIONS: what other lexical engines recall, to stand beside `kvasir eval` on the same files.

bm25s (k1 0.9, b 0.4 and its own k1 1.5, b 0.75; Lucene's formula, Snowball stems, its English stop words) and tantivy
(its only BM25: k1 1.2, b 0.75; stems and stop words of its English analyser). All index title and text as one field.
Needs requirements.txt beside this file; prints one table row an engine.
"""

import json
import pathlib
import re
import sys
from collections.abc import Callable, Iterator

import bm25s
import Stemmer
import tantivy

DEPTH = 10
Search = Callable[[str], list[int]]


def read(path: str) -> list[dict]:
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def with_bm25s(texts: list[str], k1: float, b: float, stopwords: str | None) -> Search:
    def tokens(some: list[str]) -> list[list[str]]:
        stemmer = Stemmer.Stemmer("english")
        return bm25s.tokenize(some, stopwords=stopwords, stemmer=stemmer, return_ids=False, show_progress=False)

    index = bm25s.BM25(method="lucene", k1=k1, b=b)
    index.index(tokens(texts), show_progress=False)

    def search(question: str) -> list[int]:
        asked = tokens([question])
        if not asked[0]:
            return []
        return index.retrieve(asked, k=min(DEPTH, len(texts)), show_progress=False).documents[0].tolist()

    return search


def with_tantivy(texts: list[str]) -> Search:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("place", stored=True)
    builder.add_text_field("text", tokenizer_name="english")
    index = tantivy.Index(builder.build())
    analyser = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.lowercase())
    analyser = analyser.filter(tantivy.Filter.stopword("english")).filter(tantivy.Filter.stemmer("english")).build()
    index.register_tokenizer("english", analyser)
    writer = index.writer()
    for place, text in enumerate(texts):
        writer.add_document(tantivy.Document(place=place, text=text))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def search(question: str) -> list[int]:
        asked = index.parse_query(" ".join(re.findall(r"\w+", question.lower())), ["text"])
        return [searcher.doc(address)["place"][0] for _, address in searcher.search(asked, DEPTH).hits]

    return search


def engines(texts: list[str]) -> Iterator[tuple[str, Search]]:
    yield "bm25s 0.9, 0.4, all words", with_bm25s(texts, 0.9, 0.4, None)
    yield "bm25s 0.9, 0.4", with_bm25s(texts, 0.9, 0.4, "en")
    yield "bm25s 1.5, 0.75", with_bm25s(texts, 1.5, 0.75, "en")
    yield "tantivy", with_tantivy(texts)


def main() -> None:
    corpus, questions = map(read, sys.argv[1:])
    ids = [row["id"] for row in corpus]
    for name, search in engines([f"{row['title']}\n{row['text']}" for row in corpus]):
        at_5 = at_10 = 0.0
        for row in questions:
            gold = {p["id"] for p in row["positives"]}
            found = [ids[place] for place in search(row["question"])]
            at_5 += len(gold & set(found[:5])) / len(gold)
            at_10 += len(gold & set(found)) / len(gold)
        print(f"| {name} | {at_5 / len(questions):.3f} | {at_10 / len(questions):.3f} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
