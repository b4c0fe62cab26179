"""Which pages to keep: policies compared on recorded traces (docs/adr/0007-paging-cache.md).

cache_policy_study.py TRACE [TRACE...]: what routing_trace wrote. Every question asks for the first 16 segments of each
layer, layer after layer; a segment is one page and all pages are of one size. Prints hits per request at caches of
1/32 to 1/2 of the pages that the trace asks for, in the trace's order of questions and in a shuffled one. OPT is
Belady's optimum.
"""

import collections
import random
import sys

READ = 16
SHARES = (32, 16, 8, 4, 2)


def load(path: str) -> list[list[str]]:
    """Requests by question."""
    questions: list[list[str]] = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            layer, *segments = line.split()
            if layer == "0":
                questions.append([])
            questions[-1] += segments[:READ]
    return questions


def lru(trace: list[str], size: int) -> int:
    cache: collections.OrderedDict[str, None] = collections.OrderedDict()
    hits = 0
    for key in trace:
        if key in cache:
            hits += 1
            cache.move_to_end(key)
            continue
        if len(cache) == size:
            cache.popitem(last=False)
        cache[key] = None
    return hits


def sieve(trace: list[str], size: int) -> int:
    order: list[str] = []  # Oldest first; small traces bear the cost of a list.
    visited: dict[str, bool] = {}
    hand = hits = 0
    for key in trace:
        if key in visited:
            hits += 1
            visited[key] = True
            continue
        if len(order) == size:
            while True:
                hand %= len(order)
                if not visited[order[hand]]:
                    break
                visited[order[hand]] = False
                hand += 1
            del visited[order.pop(hand)]
        order.append(key)
        visited[key] = False
    return hits


def s3_fifo(trace: list[str], size: int) -> int:
    small, main, ghost = collections.deque(), collections.deque(), collections.OrderedDict()
    use: dict[str, int] = {}
    most_small = max(1, size // 10)
    hits = 0

    def evict() -> None:
        while len(use) >= size:
            if len(small) >= most_small or not main:
                key = small.popleft()
                if use[key] > 0:
                    main.append(key)
                    use[key] = 0
                    continue
                del use[key]
                ghost[key] = None
                if len(ghost) > size:
                    ghost.popitem(last=False)
            else:
                key = main.popleft()
                if use[key] > 0:
                    use[key] -= 1
                    main.append(key)
                    continue
                del use[key]

    for key in trace:
        if key in use:
            hits += 1
            use[key] = min(3, use[key] + 1)
            continue
        evict()
        if key in ghost:
            del ghost[key]
            main.append(key)
        else:
            small.append(key)
        use[key] = 0
    return hits


def w_tiny_lfu(trace: list[str], size: int, window_share: float = 0.01) -> int:
    window, probation, protected = (collections.OrderedDict() for _ in range(3))
    most_window = max(1, int(size * window_share))
    most_protected = int((size - most_window) * 0.8)
    count: collections.Counter[str] = collections.Counter()  # Exact, where the product keeps a sketch.
    counted = hits = 0
    for key in trace:
        count[key] = min(15, count[key] + 1)
        counted += 1
        if counted == 10 * size:
            for k in list(count):
                count[k] //= 2
            counted //= 2
        if key in window:
            window.move_to_end(key)
            hits += 1
            continue
        if key in protected:
            protected.move_to_end(key)
            hits += 1
            continue
        if key in probation:
            del probation[key]
            protected[key] = None
            if len(protected) > most_protected:
                probation[protected.popitem(last=False)[0]] = None
            hits += 1
            continue
        window[key] = None
        if len(window) <= most_window:
            continue
        candidate = window.popitem(last=False)[0]
        if len(window) + len(probation) + len(protected) < size:
            probation[candidate] = None
            continue
        queue = probation or protected
        victim = next(iter(queue))
        if count[candidate] > count[victim]:
            del queue[victim]
            probation[candidate] = None
    return hits


def lfu(trace: list[str], size: int) -> int:
    """In-cache counts, the least recent among equals goes."""
    count: dict[str, int] = {}
    last: dict[str, int] = {}
    hits = 0
    for i, key in enumerate(trace):
        if key in count:
            hits += 1
            count[key] += 1
        else:
            if len(count) == size:
                victim = min(count, key=lambda k: (count[k], last[k]))
                del count[victim], last[victim]
            count[key] = 1
        last[key] = i
    return hits


def belady(trace: list[str], size: int) -> int:
    import heapq

    following = [len(trace)] * len(trace)
    seen: dict[str, int] = {}
    for i in range(len(trace) - 1, -1, -1):
        following[i] = seen.get(trace[i], len(trace) + i)
        seen[trace[i]] = i
    cached: dict[str, int] = {}
    heap: list[tuple[int, str]] = []
    hits = 0
    for i, key in enumerate(trace):
        if key in cached:
            hits += 1
        elif len(cached) == size:
            while True:
                when, victim = heapq.heappop(heap)
                if cached.get(victim) == -when:
                    del cached[victim]
                    break
        cached[key] = following[i]
        heapq.heappush(heap, (-following[i], key))
    return hits


POLICIES = {"LRU": lru, "SIEVE": sieve, "S3-FIFO": s3_fifo, "W-TinyLFU 1 %": w_tiny_lfu,
            "W-TinyLFU 10 %": lambda t, n: w_tiny_lfu(t, n, 0.1), "OPT": belady}


def main() -> None:
    for path in sys.argv[1:]:
        questions = load(path)
        for order in ("as asked", "shuffled"):
            if order == "shuffled":
                random.Random(1).shuffle(questions)
            trace = [key for question in questions for key in question]
            pages = len(set(trace))
            print(f"{path}, {order}: {len(questions)} questions, {len(trace)} requests, {pages} pages")
            print("| policy | " + " | ".join(f"1/{share}" for share in SHARES) + " |")
            print("|---|" + "---|" * len(SHARES))
            for name, policy in POLICIES.items():
                rates = [policy(trace, pages // share) / len(trace) for share in SHARES]
                print(f"| {name} | " + " | ".join(f"{rate:.3f}" for rate in rates) + " |", flush=True)


main()
