"""Loss and recall curves as a PNG."""

import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend is chosen first)
import numpy as np  # noqa: E402


def draw(path: pathlib.Path, history: list[dict], judged_by: str = "r@5", window: int = 20) -> None:
    """One line per loss in the history, each a running mean over `window` steps."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for name in sorted(history[0].keys() - {"step", "held_out"}):
        values = np.array([entry[name] for entry in history])
        smooth = np.convolve(values, np.ones(window) / window, mode="valid") if len(values) > window else values
        axes.plot([entry["step"] for entry in history][-len(smooth) :], smooth, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend(loc="upper left")
    judged = [entry for entry in history if "held_out" in entry]
    if judged:
        right = axes.twinx()
        right.plot([e["step"] for e in judged], [e["held_out"][judged_by] for e in judged], "k.--", label="held out")
        right.set_ylabel(f"{judged_by} of what is held out")
        right.legend(loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
