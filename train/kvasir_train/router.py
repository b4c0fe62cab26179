"""Routers over frozen features: one pair of affine maps per routed layer, trained jointly by InfoNCE."""

import dataclasses
import pathlib

import torch
import torch.nn.functional as F

from .store import FeatureStore


@dataclasses.dataclass
class Moments:
    """Mean and deviation of each hidden dimension: what centres and scales a state."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @staticmethod
    def of(states: torch.Tensor) -> "Moments":
        wide = states.float()
        return Moments(wide.mean(0), wide.std(0).clamp_min(1e-6))

    def apply(self, states: torch.Tensor) -> torch.Tensor:
        return (states.float() - self.mean) / self.deviation


class LayerRouter(torch.nn.Module):
    """Maps a layer's states to unit router vectors. Centre and scale are buffers, folded in at export."""

    def __init__(self, hidden: int, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = torch.nn.Linear(hidden, dim)
        self.key = torch.nn.Linear(hidden, dim)
        for side in ("query", "key"):
            self.register_buffer(f"{side}_mean", torch.zeros(hidden))
            self.register_buffer(f"{side}_deviation", torch.ones(hidden))

    @torch.no_grad()
    def start(self, queries: torch.Tensor, chunks: torch.Tensor) -> None:
        """Centres both sides and starts both maps at the chunks' main directions, partly whitened."""
        for side, states in (("query", queries), ("key", chunks)):
            moments = Moments.of(states)
            getattr(self, f"{side}_mean").copy_(moments.mean)
            getattr(self, f"{side}_deviation").copy_(moments.deviation)
        scaled = (chunks.float() - self.key_mean) / self.key_deviation
        values, vectors = torch.linalg.eigh(scaled.T @ scaled / len(scaled))
        dim = self.key.weight.shape[0]
        basis = (vectors[:, -dim:] / values[-dim:].clamp_min(1e-6).sqrt()).T
        generator = torch.Generator().manual_seed(dim)
        # A random rotation spreads the directions evenly over the heads.
        rotation = torch.linalg.qr(torch.randn(dim, dim, generator=generator))[0]
        for linear in (self.query, self.key):
            linear.weight.copy_(rotation @ basis)
            linear.bias.zero_()

    @torch.no_grad()
    def recentre(self, queries: torch.Tensor, chunks: torch.Tensor) -> None:
        """Takes centre and scale out of folded maps again: the same function, but one that gradients shape evenly."""
        for side, states in (("query", queries), ("key", chunks)):
            linear, moments = getattr(self, side), Moments.of(states)
            linear.bias.add_(linear.weight @ moments.mean)
            linear.weight.mul_(moments.deviation)
            getattr(self, f"{side}_mean").copy_(moments.mean)
            getattr(self, f"{side}_deviation").copy_(moments.deviation)

    def _unit(self, vectors: torch.Tensor) -> torch.Tensor:
        """Each head a unit vector, all of them scaled so that a dot product is the mean cosine over heads."""
        cut = F.normalize(vectors.unflatten(-1, (self.heads, -1)), dim=-1)
        return cut.flatten(-2) / self.heads**0.5

    def queries(self, states: torch.Tensor) -> torch.Tensor:
        return self._unit(self.query((states.float() - self.query_mean) / self.query_deviation))

    def keys(self, states: torch.Tensor) -> torch.Tensor:
        return self._unit(self.key((states.float() - self.key_mean) / self.key_deviation))

    @torch.no_grad()
    def folded(self, side: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias that act on the raw state h: W / deviation and b - W (mean / deviation)."""
        linear = getattr(self, side)
        weight = linear.weight / getattr(self, f"{side}_deviation")
        return weight, linear.bias - weight @ getattr(self, f"{side}_mean")


class Router(torch.nn.Module):
    """All routed layers: a document's score is sum over layers of w_l * max over chunks of cos_l."""

    def __init__(self, layers: list[int], hidden: int, dim: int, heads: int):
        super().__init__()
        self.layers = layers
        self.routers = torch.nn.ModuleDict({str(layer): LayerRouter(hidden, dim, heads) for layer in layers})
        self.raw_weights = torch.nn.Parameter(torch.zeros(len(layers)))

    @property
    def weights(self) -> torch.Tensor:
        """Positive layer weights with sum 1."""
        return torch.softmax(self.raw_weights, 0)

    def start(self, store: FeatureStore, sample: int = 20000) -> None:
        generator = torch.Generator().manual_seed(0)
        for layer in self.layers:
            questions, chunks = store.questions[layer], store.chunks[layer]
            some = torch.randperm(len(chunks), generator=generator)[:sample]
            self.routers[str(layer)].start(questions, chunks[some])

    def layer_scores(
        self, store: FeatureStore, layer: int, questions: torch.Tensor, passages: torch.Tensor
    ) -> torch.Tensor:
        """[questions, passages]: best cosine over a passage's chunks."""
        router = self.routers[str(layer)]
        rows, real = store.chunk_rows(passages)
        keys = router.keys(store.chunks[layer][rows.flatten()])
        cosines = router.queries(store.questions[layer][questions]) @ keys.T
        return cosines.unflatten(1, rows.shape).masked_fill(~real, -2).amax(2)

    def forward(self, store: FeatureStore, questions: torch.Tensor, passages: torch.Tensor) -> torch.Tensor:
        parts = [self.layer_scores(store, layer, questions, passages) for layer in self.layers]
        return torch.einsum("l,lqp->qp", self.weights, torch.stack(parts))

    @torch.no_grad()
    def all_scores(self, store: FeatureStore, questions: torch.Tensor, block: int = 4096) -> torch.Tensor:
        everything = torch.arange(len(store.count))
        return torch.cat([self(store, questions, part) for part in everything.split(block)], dim=1)


def info_nce(scores: torch.Tensor, positive: torch.Tensor, ignored: torch.Tensor, tau: float) -> torch.Tensor:
    """Softmax over all candidates (msa.md section 8, INFONCE). `ignored` marks other positives and unknowns."""
    return F.cross_entropy(scores.masked_fill(ignored, -1e4) / tau, positive)


def teacher_loss(scores: torch.Tensor, wanted: torch.Tensor, tau: float, teacher_tau: float) -> torch.Tensor:
    """Divergence of the router's softmax from the teacher's, over candidates that the teacher knows.

    scores, wanted [questions, candidates]; a wanted score of exactly 0 means that the teacher has not seen the pair.
    """
    unknown = wanted == 0
    asked = ~unknown.all(1)
    target = F.log_softmax(wanted.masked_fill(unknown, -1e4)[asked] / teacher_tau, dim=1)
    got = F.log_softmax(scores.masked_fill(unknown, -1e4)[asked] / tau, dim=1)
    return F.kl_div(got, target, reduction="sum", log_target=True) / max(len(scores), 1)


def save(router: Router, path: pathlib.Path, **more) -> None:
    first = next(iter(router.routers.values()))
    shape = {
        "layers": router.layers,
        "hidden": first.key.in_features,
        "dim": first.key.out_features,
        "heads": first.heads,
    }
    temporary = path.with_suffix(".tmp")
    torch.save({"shape": shape, "state": router.state_dict(), **more}, temporary)
    temporary.rename(path)


def load(path: pathlib.Path) -> tuple[Router, dict]:
    saved = torch.load(path, weights_only=False)
    router = Router(**saved["shape"])
    router.load_state_dict(saved["state"])
    return router, saved
