"""Progress of long work: done, total, rate and time left."""

import time


class Progress:
    """Prints rate and time left, counted in work units of this run."""

    def __init__(self, total: int, unit: str):
        self.total, self.unit, self.done, self.began = total, unit, 0, time.monotonic()

    def add(self, amount: int, note: str = "") -> None:
        self.done += amount
        rate = self.done / max(time.monotonic() - self.began, 1e-9)
        left = (self.total - self.done) / max(rate, 1e-9)
        print(f"{self.done}/{self.total} {self.unit}, {rate:.0f}/s, {left / 60:.1f} min left {note}", flush=True)
