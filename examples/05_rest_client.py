#!/usr/bin/env python3
"""A client for REST in one class, with nothing but the standard library: copy it into your program.

05_rest_client.py [URL] [KEY]: needs `kvasir serve`; remembers, recalls, streams an answer, edits and forgets.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request


class KvasirError(Exception):
    """A problem document: `code` is stable, `retryable` says whether to come again."""

    def __init__(self, problem):
        super().__init__(f"{problem['code']}: {problem['detail']}")
        self.code, self.status = problem["code"], problem["status"]
        self.retryable = problem.get("retryable", False)


class Kvasir:
    def __init__(self, url="http://127.0.0.1:7077", key=""):
        self.url, self.key = url, key

    def remember(self, text, **fields):
        return self._json("POST", "/v1/memories", {"text": text, **fields})

    def recall(self, query, **fields):
        return self._json("POST", "/v1/recall", {"query": query, **fields})["hits"]

    def ask(self, question, **fields):
        """Yields ("hop" | "token" | "citation" | "done", data) as they happen."""
        with self._open("POST", "/v1/ask", {"question": question, "stream": True, **fields}) as answer:
            event = ""
            for line in answer:
                word, _, rest = line.decode().rstrip("\n").partition(": ")
                if word == "event":
                    event = rest
                elif word == "data" and event == "error":
                    raise KvasirError(json.loads(rest))
                elif word == "data":
                    yield event, json.loads(rest)

    def memories(self, **query):
        """Every memory, page by page."""
        while True:
            page = self._json("GET", "/v1/memories?" + urllib.parse.urlencode(query))
            yield from page["memories"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def get(self, memory_id):
        return self._json("GET", self._path(memory_id))

    def edit(self, memory, **fields):
        """`memory` as it was read: somebody else's edit since then is not overwritten."""
        return self._json("PUT", self._path(memory["id"]), fields, {"If-Match": f'"{memory["etag"]}"'})

    def forget(self, memory_id):
        return self._json("DELETE", self._path(memory_id))

    @staticmethod
    def _path(memory_id):
        return "/v1/memories/" + urllib.parse.quote(memory_id, safe="")

    def _json(self, *request):
        with self._open(*request) as answer:
            return json.load(answer)

    def _open(self, method, path, body=None, headers=None):
        request = urllib.request.Request(self.url + path, method=method, headers=headers or {})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if self.key:
            request.add_header("Authorization", "Bearer " + self.key)
        try:
            return urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            with error:
                raise KvasirError(json.load(error)) from None


def main():
    kvasir = Kvasir(*sys.argv[1:3])
    kvasir.remember("Ada moved to Lisbon in May.", id="example/ada", session="example")
    kvasir.remember("Lisbon lies on the estuary of the river Tagus.", id="example/tagus", session="example")

    for hit in kvasir.recall("Where does Ada live?", session="example"):
        print(f"{hit['score']:.3f}  {hit['text']}")

    for event, data in kvasir.ask("Which river runs through Ada's city?", session="example", max_new_tokens=32):
        if event == "token":
            print(data["text"], end="", flush=True)
        elif event == "done":
            print("\n  from", [citation["id"] for citation in data["citations"]])

    read = kvasir.get("example/ada")
    kvasir.edit(read, text="Ada moved to Porto in June.")
    try:
        kvasir.edit(read, text="Ada moved to Faro.")
        raise SystemExit("a stale edit went through")
    except KvasirError as error:
        print("the second edit is refused:", error)
        if error.code != "stale":
            raise

    for memory in list(kvasir.memories(session="example", limit=1)):
        print("forgot", memory["id"], kvasir.forget(memory["id"])["physical"])
    if list(kvasir.memories(session="example")):
        raise SystemExit("something was left")


if __name__ == "__main__":
    main()
