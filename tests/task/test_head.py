from __future__ import annotations

from typing import Any

import pytest
import torch

from espalier.core.errors import RunFailedError
from task.test_classification import Features
from task.toy import classification, multilabel


@pytest.mark.parametrize("of", [classification, multilabel], ids=["classification", "multilabel"])
def test_features_of_another_width_are_answered(of: Any) -> None:
    backbone = Features()
    task = of(backbone)
    backbone.trunk = torch.nn.Linear(4, 5)
    with pytest.raises(RunFailedError, match=r"Features.forward gave \(2, 5\); features must be \(2, 4\)"):
        task({"vector": torch.zeros(2, 4), "label": torch.zeros(2, dtype=torch.int64)})


def test_one_label_and_many_keep_their_weights_by_the_same_names() -> None:
    names = {"learner.trunk.weight", "learner.trunk.bias", "head.weight", "head.bias"}
    assert set(classification(Features()).state_dict()) == set(multilabel(Features()).state_dict()) == names
