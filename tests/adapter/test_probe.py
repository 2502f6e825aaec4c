from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader

from conf.defaults import defaults_of
from espalier.adapter.probe import probe
from task.toy import classification, facts_of, lstm, trainer


class Normalised(nn.Module):
    """A backbone whose statistics would drift, and whose dropout would tell, if it were in training mode."""

    width = 4

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        features: torch.Tensor = self.trunk(batch["vector"])
        return features


def rows(batch: list[int]) -> dict[str, object]:
    index = torch.tensor(batch)
    return {"vector": torch.randn(len(batch), 4), "label": index % 3, "row": index, "scale": 1.0}


def test_training_leaves_the_backbone_as_it_was(tmp_path: Path) -> None:
    backbone = probe(Normalised(), facts_of("text"), **defaults_of("adapter/probe"))
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    task = classification(backbone, bootstrap=0)
    head = task.head.weight.detach().clone()
    loader = DataLoader(range(12), batch_size=4, collate_fn=rows)
    trainer(tmp_path, max_epochs=2).fit(task, loader, loader)
    assert not backbone.training and not any(module.training for module in backbone.modules())
    assert all(torch.equal(before[name], value) for name, value in backbone.state_dict().items())
    assert not torch.equal(head, task.head.weight)


def test_only_the_head_learns() -> None:
    task = classification(probe(lstm(), facts_of("text")))
    assert [name for name, p in task.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]
