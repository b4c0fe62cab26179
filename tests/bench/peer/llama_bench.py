"""llama_bench.py MODEL [THREADS]: llama.cpp's side of scripts/bench-peer, one JSON object.

The same tokens, contexts and counts as tests/bench/model_bench.cc; each figure is the best of a few runs.
"""

import json
import sys
import time

import llama_cpp

RUNS = 3
DECODED = 32


def tokens(count: int) -> list[int]:
    return [1000 + i * 7919 % 30000 for i in range(count)]


def main() -> None:
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    model = llama_cpp.Llama(
        sys.argv[1], n_ctx=2048, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False
    )

    def prefill(count: int) -> float:
        model.reset()
        start = time.perf_counter()
        model.eval(tokens(count))
        return time.perf_counter() - start

    def decode() -> float:
        prefill(128)
        start = time.perf_counter()
        for _ in range(DECODED):
            model.eval(tokens(1))
        return time.perf_counter() - start

    def best(work) -> float:
        work()
        return min(work() for _ in range(RUNS))

    print(
        json.dumps(
            {
                "threads": threads,
                "prefill_512_tokens_per_s": round(512 / best(lambda: prefill(512))),
                "prefill_128_tokens_per_s": round(128 / best(lambda: prefill(128))),
                "prefill_20_tokens_per_s": round(20 / best(lambda: prefill(20))),
                "prefill_15_tokens_ms": round(1e3 * best(lambda: prefill(15)), 2),
                "decode_tokens_per_s": round(DECODED / best(decode), 1),
                "system": llama_cpp.llama_print_system_info().decode(),
            }
        )
    )


main()
