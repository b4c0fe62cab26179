"""Adapter files read back: to go on training from what was shipped, and to average what came from one another."""

import json
import pathlib

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .backbone import ROTATED, half_rotation_order, ordered_heads
from .checkpoint import Checkpoint
from .router import Router
from .student import Student

FOR_ANSWERS = "answer."  # Tensors that begin so change the model that writes answers, and no memory.


def write(path: pathlib.Path, settings: dict, tensors: dict[str, torch.Tensor]) -> None:
    """An adapter file, whole or not at all, readable by everyone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, metadata={"kvasir_adapter": json.dumps(settings, sort_keys=True)})
    temporary.chmod(0o644)
    temporary.rename(path)


class AdapterFile:
    """An open adapter file of `export`. Tensors are read when asked for."""

    def __init__(self, path: pathlib.Path):
        self.file = safe_open(path, "pt")
        self.settings = json.loads(self.file.metadata()["kvasir_adapter"])
        self.names = set(self.file.keys())

    def tensor(self, name: str) -> torch.Tensor:
        return self.file.get_tensor(name).float()

    def shapes(self) -> list[list[int]]:
        return [self.file.get_slice(name).get_shape() for name in sorted(self.names)]

    def router(self, hidden: int) -> Router:
        """Routers whose centres and scales are folded into their maps, as the file has them."""
        settings = self.settings
        router = Router(settings["routed_layers"], hidden, settings["dim"], settings["heads"])
        with torch.no_grad():
            router.raw_weights.copy_(torch.tensor(settings["layer_weights"]).log())
            for layer in router.layers:
                one = router.routers[str(layer)]
                for side, linear in (("q", one.query), ("k", one.key)):
                    linear.weight.copy_(self.tensor(f"layers.{layer}.router_{side}.weight"))
                    linear.bias.copy_(self.tensor(f"layers.{layer}.router_{side}.bias"))
        return router

    def rank(self) -> int:
        return next(len(self.tensor(n)) for n in self.names if n.endswith("lora_a") and not n.startswith(FOR_ANSWERS))

    def student(self, checkpoint: Checkpoint, precision=torch.float32) -> Student:
        shape = checkpoint.settings
        student = Student(checkpoint, self.router(shape.hidden), self.rank(), 0, precision)
        order = half_rotation_order(shape.head_dim)
        with torch.no_grad():
            for key, lora in student.backbone.lora.items():
                layer, name = key.split("_", 1)
                lora.a.copy_(self.tensor(f"layers.{layer}.{name}.lora_a"))
                b = self.tensor(f"layers.{layer}.{name}.lora_b") / lora.scale
                if name in ROTATED:
                    b = ordered_heads(b, shape.head_dim, order)
                lora.b.copy_(b)
        return student


def attach(path: pathlib.Path, answers: dict[str, torch.Tensor], out: pathlib.Path) -> None:
    """Writes the file again with these changes for answers, `layers.…`, in place of those it has. The rest stays as it
    is, bit for bit: what was remembered with the one file is read with the other."""
    adapter = AdapterFile(path)
    kept = {name: adapter.file.get_tensor(name) for name in adapter.names if not name.startswith(FOR_ANSWERS)}
    write(out, adapter.settings, kept | {FOR_ANSWERS + name: tensor for name, tensor in answers.items()})


def average(paths: list[pathlib.Path], out: pathlib.Path) -> None:
    """Writes the mean of all tensors and layer weights; whatever else is said is the first file's.

    Makes sense for files of which one was trained on from another: their low-rank factors still point the same way.
    """
    files = [AdapterFile(path) for path in paths]
    if any(file.names != files[0].names or file.shapes() != files[0].shapes() for file in files):
        raise SystemExit("average: the files have different tensors; average only what was trained from one another")
    tensors = {}
    for name in sorted(files[0].names):
        mean = torch.stack([file.tensor(name) for file in files]).mean(0)
        tensors[name] = mean.to(files[0].file.get_tensor(name).dtype)
    weights = torch.tensor([file.settings["layer_weights"] for file in files]).mean(0)
    settings = files[0].settings | {"layer_weights": [round(weight, 6) for weight in weights.tolist()]}
    write(out, settings, tensors)
