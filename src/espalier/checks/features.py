"""Rows as numbers by which a linear classifier judges labels: a pretrained model's states, words, or raw values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from lightning_fabric import Fabric
from scipy.sparse import csr_matrix, hstack
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_union
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from espalier.batch.batches import batches_of
from espalier.build.encode import encode
from espalier.build.instantiate import instantiate
from espalier.config.compose import Experiment
from espalier.core.arrays import numbers
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts, Raw
from espalier.core.parts import Data, Placement
from espalier.state.frozen import SCRATCH

_LAYERS = 4  # from the last: that one alone knows a text's topic better than its tone
_COMPONENTS = 512
_TERMS = 50_000  # of words, and of parts of words
_MANY = 1_000  # texts, from which a term that stands in one of them alone is not looked at
_SHARE = 0.5  # weight of a model's states beside words; found on SST-2 with flipped labels

Dense = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """The rows of all splits, one after the other, as numbers.

    Attributes:
        values: (rows, features), sparse where words are among them; the mean square norm of a row is about 1.
        name: for people.
    """

    values: Any
    name: str


def features(experiment: Experiment, source: Data, raw: Raw) -> Features:
    """What there is to judge labels by; rows stand in the order of the splits in ``raw``.

    The states of the experiment's model, where that is a pretrained one, reads such rows and is at hand; and beside
    them a text's words and parts of words. Images and vectors that no model knows are seen as they are.
    """
    states = _states(experiment, source, raw)
    name = f"states of {experiment.choices['model']}"
    if not any(kind == "text" for kind in raw.kinds.values()):
        return Features(_compressed(_values(raw)), "raw values") if states is None else Features(states, name)
    words = _words(raw)
    if states is None:
        return Features(words, "words")
    return Features(hstack([csr_matrix(_SHARE * states), words]).tocsr(), f"{name} and words")


def _words(raw: Raw) -> Any:
    """(rows, terms) of words, pairs of words, and parts of words for languages that put no blanks between them."""
    texts = ["\n".join(row) for table in raw.splits.values() for row in zip(*_texts(raw, table), strict=True)]
    least = 2 if len(texts) >= _MANY else 1
    common = {"sublinear_tf": True, "max_features": _TERMS, "min_df": least, "dtype": np.float32}
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+", **common)
    parts = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **common)
    return make_union(words, parts).fit_transform(texts).tocsr() / np.sqrt(2)


def _texts(raw: Raw, table: pa.Table) -> list[list[str]]:
    return [table[role].to_pylist() for role, kind in raw.kinds.items() if kind == "text"]


def _values(raw: Raw) -> Dense:
    roles = [role for role, kind in raw.kinds.items() if kind in ("image", "vector")]
    columns = [[numbers(table[role]) for role in roles] for table in raw.splits.values()]
    return np.concatenate([np.hstack(split) for split in columns]).astype(np.float32)


def _compressed(values: Dense) -> Dense:
    scaled = StandardScaler(copy=False).fit_transform(values)
    if min(scaled.shape) > _COMPONENTS:
        scaled = PCA(_COMPONENTS, svd_solver="randomized", random_state=0).fit_transform(scaled)
    compressed: Dense = scaled / np.sqrt((scaled**2).sum(1).mean() or 1.0)
    return compressed


def _states(experiment: Experiment, source: Data, raw: Raw) -> Dense | None:
    """Mean states of each row in the model's last layers; None where the model knows nothing of such rows."""
    config = experiment.config
    facts = DataFacts.of(raw, max_length=source.batching.max_length)
    try:
        encoding = instantiate(config.model.encoding, facts)
        encoding.fit(raw)
        encoded = encode(raw, encoding).splits
        facts = facts.learn(**encoding.facts())
        backbone = instantiate(config.model, facts, encoding=encoding)
    except ConfigError:  # it reads other data, or its weights are not at hand
        return None
    if getattr(backbone, "origin", SCRATCH) == SCRATCH:
        return None
    placement: Placement = instantiate(config.hardware)
    torch.set_num_threads(placement.threads)
    fabric = Fabric(accelerator=placement.accelerator, devices=1, precision=placement.precision)  # type: ignore[arg-type]
    reader = _Reader(fabric, backbone)
    parts = []
    for split, table in raw.splits.items():
        batches = batches_of(source, {"test": encoded[split]}, facts).test_dataloader()
        read = [(batch["row"].numpy(), reader(fabric.to_device(batch))) for batch in batches]
        rows, states = (np.concatenate(part) for part in zip(*read, strict=True))
        place = {row: position for position, row in enumerate(rows.tolist())}
        parts.append(states[[place[row] for row in table["row"].to_pylist()]])
    return _compressed(np.concatenate(parts))


class _Reader:
    """A frozen model: batch -> (B, width) float32: the mean states of its last layers where its trunk tells them."""

    def __init__(self, fabric: Fabric, backbone: Any) -> None:
        self.pooled: Tensor | None = None
        if hasattr(getattr(backbone.trunk, "config", None), "output_hidden_states"):
            backbone.trunk.config.output_hidden_states = True
            backbone.trunk.register_forward_hook(self._pool, with_kwargs=True)
        self.model = fabric.setup_module(backbone.eval())

    @torch.inference_mode()
    def __call__(self, batch: Mapping[str, Tensor]) -> Dense:
        own: Tensor = self.model(batch)
        features = own if self.pooled is None else self.pooled
        values: Dense = features.float().cpu().numpy()
        return values

    def _pool(self, _module: nn.Module, _given: Any, named: Mapping[str, Any], output: Any) -> None:
        states = [state.float() for state in output.hidden_states[-_LAYERS:]]
        mask = named.get("attention_mask")
        mask = torch.ones(states[0].shape[:2], device=states[0].device) if mask is None else mask
        weights = (mask / mask.sum(1, keepdim=True)).unsqueeze(-1)
        self.pooled = torch.cat([(state * weights).sum(1) for state in states], 1)
