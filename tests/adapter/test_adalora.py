from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from conf.defaults import defaults_of
from espalier.adapter.adalora import adalora
from espalier.build.placed import require_dividing
from espalier.core.errors import ConfigError
from espalier.core.learner_parts import Penalised, Settles, Steps
from espalier.core.parts import Placement
from task.toy import facts_of, minilm, mlp

STEPS = 20
FACTS = dataclasses.replace(facts_of("image"), total_steps=STEPS)


def adapted(**values: Any) -> Any:
    torch.manual_seed(0)
    given = {"target": "mlp", "rank": 2, "first_rank": 4, **values}
    return adalora(mlp(hidden=[7, 6]), FACTS, **defaults_of("adapter/adalora", **given))


def train(module: Any, steps: range) -> None:
    """By plain gradient descent; each step's data follow from its number."""
    learning = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(learning, lr=0.05)
    for step in steps:
        torch.manual_seed(step)
        optimizer.zero_grad()
        loss = module.trunk(torch.randn(8, 16)).pow(2).sum() + module.ranks.penalty()
        loss.backward()
        optimizer.step()
        module.ranks.after_step(step)


def ranks(module: Any) -> list[int]:
    return [int((p != 0).sum()) for name, p in module.named_parameters() if "lora_E" in name]


def test_ranks_fall_to_the_budget_of_all_layers_and_stay() -> None:
    module = adapted()
    assert all(isinstance(module.ranks, promised) for promised in (Penalised, Settles, Steps))
    train(module, range(1, 15))
    assert sum(ranks(module)) == 2 * 2
    settled = ranks(module)
    train(module, range(15, STEPS + 1))
    assert ranks(module) == settled


def test_a_module_that_goes_on_from_its_state_ends_as_one_never_stopped() -> None:
    whole = adapted()
    train(whole, range(1, STEPS + 1))
    for stop in (1, 6, 14, 17):
        before, after = adapted(), adapted()
        train(before, range(1, stop + 1))
        after.load_state_dict(before.state_dict())
        train(after, range(stop + 1, STEPS + 1))
        for name, value in whole.state_dict().items():
            assert torch.equal(value, after.state_dict()[name]), (stop, name)


def test_the_penalty_is_the_mean_distance_from_orthonormal() -> None:
    module = adapted(orthogonality=0.5)
    matrices = {n: p for n, p in module.named_parameters() if "lora_A" in n or "lora_B" in n}
    expected = [
        (p @ p.T - torch.eye(4)).norm() if "lora_A" in n else (p.T @ p - torch.eye(4)).norm()
        for n, p in matrices.items()
    ]
    torch.testing.assert_close(module.ranks.penalty(), 0.5 * torch.stack(expected).mean())


def test_its_parameters_are_not_divided_over_processes() -> None:
    task = SimpleNamespace(learner=adapted())
    require_dividing(task, Placement("cpu", 2, "32-true", "ddp", 1, ""))
    with pytest.raises(ConfigError, match=r"hardware=fsdp_cpu .*RankAllocation needs whole ones. Set hardware=ddp_cpu"):
        require_dividing(task, Placement("cpu", 2, "32-true", "sharded", 1, ""))


def test_weights_from_elsewhere_keep_no_entry_that_was_removed() -> None:
    module, other = adapted(), adapted()
    train(module, range(1, STEPS + 1))
    kept = ranks(module)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "lora_E" in name:
                parameter.fill_(0.5)  # as an average has entries of all ranks
    other.load_state_dict(module.state_dict())
    module.ranks.settle()
    assert ranks(module) == ranks(other) == kept


def test_a_step_without_gradients_changes_nothing() -> None:
    module = adapted()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    module.ranks.after_step(10)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    for parameter in module.parameters():
        parameter.grad = torch.full_like(parameter, float("inf"))  # of fp16, where the loss was scaled too far
    module.ranks.after_step(10)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_its_folder_has_the_ranks_that_are_left_and_says_the_same(tmp_path: Path) -> None:
    from peft import PeftModel

    module = adapted()
    train(module, range(1, STEPS + 1))
    module.save(tmp_path)
    pattern = json.loads((tmp_path / "adapter_config.json").read_text())["rank_pattern"]
    assert sum(map(sum, pattern.values())) == 4
    plain = mlp(hidden=[7, 6]).trunk
    weights = load_file(tmp_path / "model.safetensors")
    plain.load_state_dict({name.removeprefix("trunk."): value for name, value in weights.items()})
    loaded = PeftModel.from_pretrained(plain, str(tmp_path)).eval()
    inputs = torch.randn(3, 16)
    torch.testing.assert_close(loaded(inputs), module.eval().trunk(inputs), atol=1e-5, rtol=0)
    assert isinstance(loaded, nn.Module)


def test_merged_it_says_the_same() -> None:
    module = adapted()
    train(module, range(1, STEPS + 1))
    inputs = torch.randn(3, 16)
    before = module.eval().trunk(inputs)
    merged = module.trunk.merge_and_unload()
    assert not any("lora" in name for name, _ in merged.named_parameters())
    torch.testing.assert_close(merged(inputs), before, atol=1e-5, rtol=0)


def test_the_ranks_that_are_left_are_shown_with_the_test() -> None:
    module = adapted()
    train(module, range(1, STEPS + 1))
    assert module.ranks.exhibits("validation") == ()
    (table,) = module.ranks.exhibits("test")
    assert table.header == ("layer", "rank") and table.note == "4 of 8 are left, 2.0 a layer."
    assert table.rows == tuple((place, str(rank)) for place, rank in zip(("0", "2"), ranks(module), strict=True))


def test_kinds_of_layers_are_columns() -> None:
    model = adalora(minilm(), FACTS, **defaults_of("adapter/adalora", first_rank=3, rank=2))
    (table,) = model.ranks.exhibits("test")  # type: ignore[operator, union-attr]
    assert table.header[:3] == ("layer", "attention.self.query", "attention.self.key")
    assert [row[0] for row in table.rows] == [f"encoder.layer.{i}" for i in range(6)]
    assert {cell for row in table.rows for cell in row[1:]} == {"3"}
    assert table.note == "108 of 108 are left, 3.0 a layer."


def test_shares_that_leave_no_step_are_answered() -> None:
    with pytest.raises(ConfigError, match=r"adapter\.settled=0\.6 leave none of 20 steps"):
        adapted(warmup=0.5, settled=0.6)
    with pytest.raises(ConfigError, match=r"leaves nothing to take away.*Set adapter\.first_rank=8"):
        adapted(rank=4)
    with pytest.raises(ConfigError, match=r"training has no end\. *Set trainer\.max_epochs"):
        adalora(mlp(), facts_of("image"), **defaults_of("adapter/adalora", target="mlp"))
