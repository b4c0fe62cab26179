"""Reads an adapter file back into a student, so that training can go on from what was shipped."""

import json
import pathlib

import torch
from safetensors import safe_open

from .backbone import ROTATED, half_rotation_order
from .checkpoint import Checkpoint
from .router import Router
from .student import Student


class AdapterFile:
    """An open adapter file of `export`. Tensors are read when asked for."""

    def __init__(self, path: pathlib.Path):
        self.file = safe_open(path, "pt")
        self.settings = json.loads(self.file.metadata()["kvasir_adapter"])
        self.names = set(self.file.keys())

    def tensor(self, name: str) -> torch.Tensor:
        return self.file.get_tensor(name).float()

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
        return next(len(self.tensor(name)) for name in self.names if name.endswith("lora_a"))

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
                    b = b.unflatten(0, (-1, shape.head_dim))[:, order].flatten(0, 1)
                lora.b.copy_(b)
        return student
