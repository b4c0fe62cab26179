#!/usr/bin/env python3
"""A digital twin: a heat pump writes down a simulated month, and is asked about it afterwards.

03_digital_twin.py [URL] [KEY]: needs `kvasir serve`; only the standard library. The twin has a session of its own, each
event is one memory with the time at which it was true, and a question about a day asks only that day.
"""

import datetime
import json
import random
import sys
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7077"
KEY = sys.argv[2] if len(sys.argv) > 2 else ""
TWIN = "heat-pump-17"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
SEED = 20260101


def call(method, path, body, media_type="application/json"):
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": media_type}, method=method)
    if KEY:
        request.add_header("Authorization", "Bearer " + KEY)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


class HeatPump:
    """The physical device, as far as the twin knows it: a reading each evening, and what went wrong."""

    faults = {9: ("E12", "The compressor stopped with fault E12: low pressure in the refrigerant circuit."),
              10: ("service", "Technician Marta Silva refilled the refrigerant and cleared fault E12."),
              23: ("filter", "The water filter was clogged and was replaced by the owner.")}

    def __init__(self):
        self.random = random.Random(SEED)

    def month(self):
        for day in range(1, 32):
            when = START + datetime.timedelta(days=day - 1, hours=21)
            outside = round(self.random.gauss(2, 4), 1)
            used = round(max(4.0, 22 - outside * 0.9 + self.random.gauss(0, 1)), 1)
            yield when, "reading", (f"On {when:%-d %B} it was {outside} degrees outside; the heat pump used {used} kWh "
                                    f"and kept the house at 20.5 degrees.")
            if day in self.faults:
                kind, text = self.faults[day]
                yield when, kind, f"On {when:%-d %B}: {text}"


def remember(events):
    """In one batch; the ids make it safe to send it again."""
    lines = "".join(json.dumps({
        "id": f"{TWIN}-{when:%m-%d}-{kind}", "text": text, "session": TWIN, "source": "simulation",
        "metadata": {"device": TWIN, "kind": kind, "day": when.day},
        "valid_from": when.isoformat()}) + "\n" for when, kind, text in events)
    receipts = [json.loads(line) for line in call("POST", "/v1/memories:batch", lines, "application/x-ndjson").splitlines()]
    bad = [receipt for receipt in receipts if "error" in receipt]
    if bad:
        raise SystemExit(f"not remembered: {bad[0]}")
    return receipts


def recall(query, **more):
    return json.loads(call("POST", "/v1/recall", {"query": query, "session": TWIN, **more}))["hits"]


def main():
    receipts = remember(list(HeatPump().month()))
    print(f"{len(receipts)} events of January")

    for question, wanted in [("Which fault stopped the compressor?", "E12"),
                             ("Who refilled the refrigerant?", "service"),
                             ("When was the water filter replaced?", "filter")]:
        hits = recall(question, top_k=3)
        print(f"\n{question}\n  {hits[0]['text']}")
        if wanted not in [hit["metadata"]["kind"] for hit in hits]:
            raise SystemExit(f"the event '{wanted}' was not among the first three")

    # What did the twin know on the morning of the 10th? Not yet that somebody had repaired it.
    morning = recall("fault and repair of the compressor", as_of="2026-01-10T08:00:00Z",
                     filters={"NOT": {"kind": "reading"}})
    print("\nknown on 10 January at 8:00:", [hit["metadata"]["kind"] for hit in morning])
    if [hit["metadata"]["kind"] for hit in morning] != ["E12"]:
        raise SystemExit("the past knows the future")

    answer = json.loads(call("POST", "/v1/ask", {
        "question": "Which fault stopped the compressor?", "session": TWIN, "max_new_tokens": 32,
        "filters": {"day": {"lte": 15}}}))
    print(f"\nasked: {answer['answer'].strip()}\n  from {[citation['id'] for citation in answer['citations']]}")

    receipt = json.loads(call("POST", "/v1/memories:forget", {"session": TWIN}))
    print(f"\nforgot the twin: {receipt['memories']} memories, {'for good' if receipt['physical'] else 'deferred'}")


if __name__ == "__main__":
    main()
