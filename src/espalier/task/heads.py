"""What heads over several sources count, each and together; and what is shown of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from espalier.core.counted import Counted, Floats, divided, f1, mean
from espalier.core.exhibits import Exhibit, Table, Texts

Labels = Mapping[str, Sequence[str]]
_SHOWN = 8
_COUNTS = 3  # of a class: true positives, false positives, false negatives


def metrics_of_heads(labels: Labels) -> dict[str, Counted]:
    """``<metric>_<source>`` of each head, ``<metric>`` the mean over heads; see ``counts_of_head`` for their counts."""
    pairs = [2] * len(labels)
    widths = {"accuracy": pairs, "f1_macro": [_COUNTS * len(names) for names in labels.values()], "loss": pairs}
    kinds: Mapping[str, tuple[Callable[[Floats], Floats], str]] = {
        "accuracy": (mean, "max"), "f1_macro": (macro_f1, "max"), "loss": (mean, "min"),
    }  # fmt: skip
    found = {name: Counted(partial(_mean_of, of, widths[name]), to) for name, (of, to) in kinds.items()}
    own = {name: Counted(of, to, partial=True) for name, (of, to) in kinds.items()}
    return found | {f"{name}_{source}": metric for source in labels for name, metric in own.items()}


def macro_f1(sums: Floats) -> Floats:
    """Of counts (tp, fp, fn) of each class, one after the other: the mean F1 of classes that occur or are predicted."""
    each = sums.reshape(*sums.shape[:-1], -1, _COUNTS)
    return divided(f1(each).sum(-1), (each.sum(-1) > 0).sum(-1).astype(np.float64))


def _mean_of(of: Callable[[Floats], Floats], widths: Sequence[int], sums: Floats) -> Floats:
    """The mean of a metric over heads whose counts stand one after the other; of those that rows were asked of."""
    parts = np.split(sums, np.cumsum(widths)[:-1], axis=-1)
    asked = np.stack([(part > 0).any(-1) for part in parts])
    found = np.stack([of(part) for part in parts])
    return divided(np.where(asked, found, 0.0).sum(0), asked.sum(0).astype(np.float64))


def counts_of_head(labels: Labels, source: Tensor, target: Tensor, called: Tensor, losses: Tensor) -> dict[str, Tensor]:
    """What each row counts: of its own source's head something, of the others' nothing.

    Args:
        source, target, called, losses: number of each row's source, of its label, of the label that it was given; its
            loss; all (B,).

    Returns:
        metric -> (B, K) counts.
    """
    counts: dict[str, Tensor] = {}
    for number, (name, names) in enumerate(labels.items()):
        mine = (source == number).long()
        right = (target == called).long() * mine
        there, said = (_one_hot(of, len(names)) * mine.unsqueeze(1) for of in (target, called))
        by_class = torch.stack([there * said, said * (1 - there), there * (1 - said)], -1)
        counts[f"accuracy_{name}"] = torch.stack([right, mine], 1)
        counts[f"f1_macro_{name}"] = by_class.flatten(1)
        counts[f"loss_{name}"] = torch.stack([losses * mine, mine.to(losses.dtype)], 1)
    whole = {n: torch.cat([counts[f"{n}_{name}"] for name in labels], 1) for n in ("accuracy", "f1_macro", "loss")}
    return whole | counts


def _one_hot(numbers: Tensor, classes: int) -> Tensor:
    """(B, classes) of 0 and 1; numbers of another source's label may be beyond them."""
    return (numbers.unsqueeze(1) == torch.arange(classes, device=numbers.device)).long()


def figures_of_heads(labels: Labels, kept: Mapping[str, Any]) -> list[Table]:
    """Precision, recall and F1 of each class of each head."""
    shown = []
    for name, names in labels.items():
        tp, fp, fn = np.asarray(kept[f"counts:f1_macro_{name}"], np.float64).sum(0).reshape(-1, _COUNTS).T
        figures = zip(divided(tp, tp + fp), divided(tp, tp + fn), divided(2 * tp, 2 * tp + fp + fn), strict=True)
        rows = [(label, *(f"{x:.3f}" for x in row)) for label, row in zip(names, figures, strict=True)]
        counts = [(f"{there:,.0f}", f"{said:,.0f}") for there, said in zip(tp + fn, tp + fp, strict=True)]
        header = ("class", "precision", "recall", "F1", "rows", "predicted")
        shown.append(Table(f"Classes of {name}", header, tuple((*a, *b) for a, b in zip(rows, counts, strict=True))))
    return shown


def worst_of_heads(labels: Labels, kept: Mapping[str, Any], texts: Mapping[int, str]) -> list[Exhibit]:
    """The most confident errors of each head; nothing of one that makes none."""
    shown: list[Exhibit] = []
    for number, (name, names) in enumerate(labels.items()):
        wrong = np.flatnonzero((kept["source"] == number) & (kept["target"] != kept["prediction"]))
        order = wrong[np.argsort(-kept["score"][wrong], kind="stable")][:_SHOWN]
        items = []
        for i in order:
            row, told = int(kept["row"][i]), f"{names[kept['prediction'][i]]} ({kept['score'][i]:.3f})"
            items.append((f"row {row}   is {names[kept['target'][i]]}, called {told}", texts.get(row, "")))
        if items:
            shown.append(Texts(f"Most confident errors of {name}", tuple(items)))
    return shown
