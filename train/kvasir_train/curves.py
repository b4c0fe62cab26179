"""Loss and recall curves as a PNG."""

import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend is chosen first)
import numpy as np  # noqa: E402


def draw(path: pathlib.Path, history: list[dict], window: int = 20) -> None:
    """One line per number in the history but `step`, each a running mean over `window` steps."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for name in history[0].keys() - {"step"}:
        values = np.array([entry[name] for entry in history])
        smooth = np.convolve(values, np.ones(window) / window, mode="valid") if len(values) > window else values
        axes.plot([entry["step"] for entry in history][-len(smooth) :], smooth, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
