"""plot.py RESULTS PNG: recall's time and memory over the size of a space, from rows of `growth_bench ask`."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, StrMethodFormatter


def main() -> None:
    rows = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    rows.sort(key=lambda row: row["tokens"])
    tokens = [row["tokens"] for row in rows]
    times = [
        ("recall_p95_ms", "both channels, p95", "C0", "--"),
        ("recall_p50_ms", "both channels, p50", "C0", "-"),
        ("latent_whole_p50_ms", "latent channel, every key whole, p50", "C1", "-"),
        ("latent_p50_ms", "latent channel, sketches first, p50", "C2", "-"),
        ("question_p50_ms", "of it the model", "C7", ":"),
    ]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    for key, label, colour, style in times:
        left.plot(tokens, [row[key] for row in rows], style, color=colour, marker="o", label=label)
    left.set_ylabel("milliseconds")
    sizes = [
        ("disk_mb", "on disk", "C3"),
        ("resident_mb", "resident after recall", "C4"),
        ("index_mb", "router index", "C5"),
    ]
    for key, label, colour in sizes:
        right.plot(tokens, [row[key] for row in rows], color=colour, marker="o", label=label)
    right.set_ylabel("megabytes")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
        # 2, 5, 10, 20: powers of ten alone may be one line or none.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter("")
        axes.set_xlabel("tokens remembered")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(sys.argv[2], dpi=110)


main()
