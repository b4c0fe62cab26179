"""A corpus and questions out of rows of questions with their passages.

passage_corpus.py ROWS CORPUS QUESTIONS: ROWS is JSON lines {"question","positives":[{"title","text"}],"negatives":[…]}
("-": standard input); every passage, positive or negative, becomes one memory {"id","title","text"} of CORPUS, and
every row a line {"question","positives":[{"id"}]} of QUESTIONS, in order.
"""

import json
import sys


def main() -> None:
    rows_path, corpus_path, questions_path = sys.argv[1:]
    ids: dict[tuple[str, str], str] = {}
    rows = sys.stdin if rows_path == "-" else open(rows_path, encoding="utf-8")
    with rows, open(corpus_path, "w", encoding="utf-8") as corpus, open(questions_path, "w", encoding="utf-8") as questions:
        for line in rows:
            row = json.loads(line)
            for passage in row["positives"] + row["negatives"]:
                key = (passage["title"], passage["text"])
                if key in ids:
                    continue
                ids[key] = f"p{len(ids)}"
                corpus.write(json.dumps({"id": ids[key], "title": key[0], "text": key[1]}) + "\n")
            gold = [{"id": ids[passage["title"], passage["text"]]} for passage in row["positives"]]
            questions.write(json.dumps({"question": row["question"], "positives": gold}) + "\n")


main()
