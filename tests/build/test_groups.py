from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers as hf
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from espalier.build.groups import groups_of
from espalier.core.errors import ConfigError

ADAMW = {"lr": 1.0, "weight_decay": 0.01, "decay_vectors": False, "layer_decay": 1.0, "parts": {}}


class Trunk(nn.Module):
    """Embeddings, three layers, a last norm: as encoders are built."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(7, 4)
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)) for _ in range(3))
        self.norm = nn.LayerNorm(4)


class Learner(nn.Module):
    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk


class Task(nn.Module):
    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.learner, self.head = Learner(trunk), nn.Linear(4, 2)


def by_name(task: nn.Module, **settings: Any) -> dict[str, dict[str, Any]]:
    """Parameter's name -> its group without the parameters."""
    groups: Any = groups_of(task, ADAMW | settings)
    name_of = {parameter: name for name, parameter in task.named_parameters()}
    found = {name_of[p]: {k: v for k, v in group.items() if k != "params"} for group in groups for p in group["params"]}
    assert found.keys() == set(name_of.values())
    return found


def test_vectors_are_spared_weight_decay() -> None:
    groups = by_name(Task(Trunk()))
    spared = {name for name, group in groups.items() if group.get("weight_decay") == 0.0}
    assert spared == {name for name, parameter in Task(Trunk()).named_parameters() if parameter.ndim == 1}
    assert len(spared) == 3 * 3 + 2 + 1
    assert {group["name"] for group in groups.values()} == {"weights", "vectors"}


def test_scales_that_are_stored_with_a_second_axis_are_vectors_and_a_narrow_layer_is_none() -> None:
    trunk = nn.Sequential(nn.Linear(4, 1), nn.Conv2d(1, 1, (1, 3)), nn.Linear(4, 4))
    trunk.scales = nn.ParameterDict({"wide": torch.ones(4, 1), "row": torch.ones(1, 4, 1, 1), "both": torch.ones(4, 2)})
    task = Task(trunk)
    spared = {name for name, group in by_name(task).items() if group.get("weight_decay") == 0.0}
    expected = {name for name, parameter in task.named_parameters() if parameter.ndim == 1}
    assert spared - expected == {"learner.trunk.scales.wide", "learner.trunk.scales.row"}
    groups: Any = groups_of(task, {"lr": 1.0, "matrices": "all"})
    matrices = {id(p) for group in groups if group["matrix"] for p in group["params"]}
    named = {name for name, parameter in task.named_parameters() if id(parameter) in matrices}
    assert named == {"learner.trunk.2.weight", "learner.trunk.scales.both", "head.weight"}


def test_nothing_is_computed_to_tell_vectors() -> None:
    trunk = nn.Sequential(spectral_norm(nn.Linear(4, 1)), nn.Embedding(1, 4))
    before = {name: buffer.clone() for name, buffer in trunk.named_buffers()}
    spared = {name for name, group in by_name(Task(trunk)).items() if group.get("weight_decay") == 0.0}
    assert spared == {"learner.trunk.0.bias", "head.bias"}
    assert before and all(torch.equal(before[name], buffer) for name, buffer in trunk.named_buffers())


@pytest.mark.parametrize("settings", [{"decay_vectors": True}, {"weight_decay": 0.0}])
def test_one_group_is_a_plain_list(settings: dict[str, Any]) -> None:
    task = Task(Trunk())
    assert groups_of(task, ADAMW | settings) == list(task.parameters())


def test_layers_learn_the_more_slowly_the_deeper_they_lie() -> None:
    groups = by_name(Task(Trunk()), layer_decay=0.5, lr=2.0)
    rates = {name: group.get("lr", 2.0) for name, group in groups.items()}
    assert rates["head.weight"] == rates["learner.trunk.norm.weight"] == 2.0
    assert [rates[f"learner.trunk.layers.{i}.0.weight"] for i in (2, 1, 0)] == [1.0, 0.5, 0.25]
    assert rates["learner.trunk.words.weight"] == 0.125
    assert groups["learner.trunk.layers.0.1.bias"] == {"name": "vectors-3-below-head", "lr": 0.25, "weight_decay": 0.0}


def test_a_trunk_that_is_a_chain_has_its_entries_for_layers() -> None:
    task = Task(nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4)))
    rates = {name: group.get("lr", 1.0) for name, group in by_name(task, layer_decay=0.5).items()}
    assert (rates["learner.trunk.0.weight"], rates["learner.trunk.2.weight"]) == (0.25, 0.5)


def test_what_a_transformer_gives_to_all_of_its_layers_learns_as_embeddings_do() -> None:
    """Though DeBERTa registers it behind them, and OPT registers its last norm before them."""
    size = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 3, "num_attention_heads": 2}
    relative = {"relative_attention": True, "pos_att_type": ["p2c"], "norm_rel_ebd": "layer_norm"}
    deberta = hf.DebertaV2Model(hf.DebertaV2Config(**size, **relative, intermediate_size=4))
    rates = {name: group.get("lr", 1.0) for name, group in by_name(Task(deberta), layer_decay=0.5).items()}
    of = "learner.trunk.encoder."
    assert rates[f"{of}rel_embeddings.weight"] == rates[f"{of}LayerNorm.bias"] == 0.5**4
    assert rates["learner.trunk.embeddings.word_embeddings.weight"] == 0.5**4
    assert [rates[f"{of}layer.{i}.output.dense.bias"] for i in range(3)] == [0.5**3, 0.5**2, 0.5]
    opt = hf.OPTModel(hf.OPTConfig(**size, ffn_dim=4))
    rates = {name: group.get("lr", 1.0) for name, group in by_name(Task(opt), layer_decay=0.5).items()}
    assert rates["learner.trunk.decoder.final_layer_norm.weight"] == 1.0
    assert rates["learner.trunk.decoder.embed_positions.weight"] == 0.5**4


def test_what_stands_between_two_stacks_learns_as_the_one_below() -> None:
    trunk = nn.Module()
    trunk.first = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
    trunk.between = nn.LayerNorm(4)
    trunk.second = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
    rates = {name: group.get("lr", 1.0) for name, group in by_name(Task(trunk), layer_decay=0.5).items()}
    assert rates["learner.trunk.between.weight"] == rates["learner.trunk.first.1.weight"] == 0.125
    assert rates["learner.trunk.second.1.weight"] == 0.5


def test_hidden_matrices_are_the_trunks_but_embeddings_and_a_language_models_head() -> None:
    trunk: Any = Trunk()
    trunk.output = nn.Linear(4, 7)
    trunk.get_output_embeddings = lambda: trunk.output
    matrices = {n for n, group in by_name(Task(trunk), matrices="hidden").items() if group["matrix"]}
    assert matrices == {f"learner.trunk.layers.{i}.0.weight" for i in range(3)}
    everywhere = {n for n, group in by_name(Task(trunk), matrices="all").items() if group["matrix"]}
    assert everywhere == matrices | {"head.weight", "learner.trunk.output.weight"}


def test_what_is_added_to_states_is_no_matrix() -> None:
    trunk: Any = nn.ModuleList([spectral_norm(nn.Linear(4, 3)), nn.LSTM(4, 3), nn.MultiheadAttention(4, 2)])
    trunk.positions = nn.Parameter(torch.ones(5, 4))
    matrices = {n for n, group in by_name(Task(trunk), matrices="hidden").items() if group["matrix"]}
    assert {name.removeprefix("learner.trunk.") for name in matrices} == {
        *("0.parametrizations.weight.original", "1.weight_ih_l0", "1.weight_hh_l0"),
        *("2.in_proj_weight", "2.out_proj.weight"),
    }


def test_an_optimizer_without_these_settings_gets_a_list_of_what_learns() -> None:
    task = Task(Trunk())
    task.learner.requires_grad_(False)
    assert groups_of(task, {"lr": 0.1}) == [task.head.weight, task.head.bias]


def test_bare_parameters_are_grouped_by_their_shape() -> None:
    layer = nn.Linear(2, 2)
    groups: Any = groups_of(iter(layer.parameters()), ADAMW)
    assert [group["params"] for group in groups] == [[layer.weight], [layer.bias]]


@pytest.mark.parametrize(
    ("module", "settings", "said"),
    [
        (nn.Linear(2, 2).requires_grad_(False), {}, r"leaves nothing to train.*adapter=full"),
        (Task(nn.Linear(4, 4)), {"layer_decay": 0.5}, r"finds no layers.*layer_decay=1\.0"),
        ([nn.Parameter(torch.ones(2))], {"layer_decay": 0.5}, "finds no layers"),
        (Task(nn.LayerNorm(4)), {"matrices": "hidden"}, "finds no matrix.*optimizer=adamw"),
    ],
    ids=["nothing learns", "no layers", "bare parameters", "no matrices"],
)
def test_what_cannot_be_told_is_answered(module: Any, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        groups_of(module, ADAMW | settings)


def test_a_trunk_that_is_no_module_is_passed_over() -> None:
    part = nn.Linear(2, 2)
    part.learner = SimpleNamespace(trunk=None)  # type: ignore[assignment]
    assert [group["name"] for group in groups_of(part, ADAMW | {"matrices": "hidden"})] == ["matrices", "vectors"]  # type: ignore[index]
