from __future__ import annotations

import pytest
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.core.errors import ConfigError
from espalier.optimizer.sgd import sgd


@pytest.mark.parametrize("nesterov", [False, True])
def test_steps_are_those_of_the_unfused_form(nesterov: bool) -> None:
    weights = [nn.Parameter(torch.linspace(-1, 1, 40).reshape(8, 5)) for _ in range(2)]
    values = defaults_of("optimizer/sgd", nesterov=nesterov, weight_decay=0.01)
    ours = sgd([weights[0]], **values)
    plain = torch.optim.SGD([weights[1]], lr=0.1, momentum=0.9, nesterov=nesterov, weight_decay=0.01, foreach=False)
    for step in range(20):
        for weight, optimizer in zip(weights, (ours, plain), strict=True):
            weight.grad = torch.sin(weight.detach() * (step + 1))
            optimizer.step()
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=1e-6)


def test_nesterov_without_momentum_is_answered() -> None:
    with pytest.raises(ConfigError, match=r"needs momentum.*optimizer\.momentum=0\.9"):
        sgd(nn.Linear(2, 2).parameters(), **defaults_of("optimizer/sgd", nesterov=True, momentum=0.0))
