from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
import yaml
from peft import LoraConfig, get_peft_model
from transformers import AutoModel, AutoTokenizer

from conf.defaults import CONF, defaults_of
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.image import Image
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.hub import Transformer
from espalier.model.quantized import as_code
from espalier.model.source import locate
from model import checkpoints
from model.examples import SENTENCES, batch_of, of, run_recipe, sentences, vectors

MINILM = defaults_of("model/minilm")
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 1, 8, 8), np.uint8)
PAIRS = {"text": SENTENCES, "text_pair": SENTENCES[::-1], "label": [0, 1, 0, 1]}
each_family = pytest.mark.parametrize("family", checkpoints.FAMILIES)


@pytest.fixture(scope="module", autouse=True)
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of tiny checkpoints, where the presets look for theirs."""
    root = tmp_path_factory.mktemp("models")
    for family in checkpoints.FAMILIES:
        checkpoints.write(root, family)
    locate.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ESPALIER_MODELS", str(root))
        yield root
    locate.cache_clear()


def build(option: str, *, pairs: bool = False, max_length: int | None = 24, **changed: Any) -> tuple[Transformer, Raw]:
    """The option's model over a few rows, dropout off."""
    settings = defaults_of(f"model/{option}", **{"dropout": 0.0, **changed})
    given = {key: settings[key] for key in ("source", "revision")}
    if option == "vit":
        raw, facts = vectors(IMAGES, "image", (1, 8, 8))
        return Transformer(facts, encoding=Image(facts, **given), **settings).eval(), raw
    raw = of(PAIRS, {"text": "text", "text_pair": "text"}) if pairs else sentences()[0]
    facts = DataFacts.of(raw, max_length=max_length)
    return Transformer(facts, encoding=Pretrained(facts, **given), **settings).eval(), raw


def batch(model: Transformer, raw: Raw, rows: list[int]) -> dict[str, Any]:
    return batch_of(model.encoding.apply(raw.splits["train"]), model.encoding.facts().get("pad", {}), rows)


def features(model: Transformer, raw: Raw, rows: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model(batch(model, raw, rows))  # type: ignore[no-any-return]


@each_family
@pytest.mark.parametrize("pairs", [False, True])
def test_padding_has_no_influence(family: str, pairs: bool) -> None:
    model, raw = build(family, pairs=pairs)
    together = features(model, raw, [0, 1, 2, 3])
    assert together.shape == (4, model.width) == (4, 16)
    torch.testing.assert_close(torch.cat([features(model, raw, [row]) for row in range(4)]), together)


@each_family
@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_poolings_are_what_they_say(family: str, pooling: str) -> None:
    model, raw = build(family, pooling=pooling)
    given = batch(model, raw, [1])
    inputs = {"pixel_values": model.transform(given["image"])} if model.transform else {"input_ids": given["text"]}
    states = model.trunk(**inputs).last_hidden_state
    expected = {"mean": states.mean(1), "cls": states[:, 0], "last": states[:, -1]}[pooling]
    torch.testing.assert_close(features(model, raw, [1]), expected)


@pytest.mark.parametrize(
    ("family", "pooling"),
    {
        "bert": "cls",
        "distilbert": "cls",
        "roberta": "cls",
        "vit": "cls",
        "t5": "mean",
        "gpt2": "last",
        "qwen": "last",
    }.items(),
)
def test_pooling_follows_the_architecture(family: str, pooling: str) -> None:
    assert build(family)[0].pooling == pooling


@each_family
def test_targets_are_the_linear_layers_and_peft_takes_them(family: str) -> None:
    model, raw = build(family)
    linear = {n for n, module in model.trunk.named_modules() if type(module).__name__ in ("Linear", "Conv1D")}
    names = [name for name, _ in model.trunk.named_modules()]
    attention, mlp = (
        {name for name in names if re.fullmatch(Transformer.targets[target], name)} for target in ("attention", "mlp")
    )
    assert attention and mlp and not attention & mlp
    assert attention | mlp == linear
    for target, expected in {"attention": attention, "mlp": mlp, "all_linear": linear}.items():
        model, raw = build(family)
        model.trunk = get_peft_model(model.trunk, LoraConfig(r=2, target_modules=Transformer.targets[target]))  # type: ignore[arg-type]
        trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
        assert len(trained) == 2 * len(expected), "A and B of each"
    model(batch(model, raw, [0, 1])).sum().backward()


@each_family
def test_weights_are_fp32_and_dropout_is_settable_and_on(family: str) -> None:
    model, raw = build(family, dropout=0.5)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert torch.equal(features(model, raw, [0, 1]), features(model, raw, [0, 1]))
    assert model.trunk.config.attention_dropout == 0.5 if family in ("llama", "qwen") else True  # type: ignore[union-attr]
    model.train()
    assert not torch.equal(features(model, raw, [0, 1]), features(model, raw, [0, 1]))


def test_a_new_model_is_in_training_mode() -> None:
    """from_pretrained leaves modules in evaluation mode, and Lightning keeps the modes it finds."""
    settings = defaults_of("model/bert")
    facts = sentences()[1]
    given = {key: settings[key] for key in ("source", "revision")}
    assert all(m.training for m in Transformer(facts, encoding=Pretrained(facts, **given), **settings).modules())


def test_a_pair_has_the_tokenizers_own_ids_and_token_types() -> None:
    model, raw = build("bert", pairs=True)
    seen: list[Mapping[str, Any]] = []
    model.trunk.register_forward_pre_hook(lambda _module, _args, given: seen.append(given), with_kwargs=True)
    features(model, raw, [0, 1, 2, 3])
    tokenizer = model.encoding.tokenizer  # type: ignore[attr-defined]
    own = tokenizer(
        PAIRS["text"], PAIRS["text_pair"], truncation=True, max_length=24, padding=True, return_tensors="pt",
        return_token_type_ids=True,
    )  # fmt: skip
    assert torch.equal(seen[0]["input_ids"], own["input_ids"])
    assert torch.equal(seen[0]["token_type_ids"], own["token_type_ids"]) and own["token_type_ids"].any()
    assert torch.equal(seen[0]["attention_mask"], own["attention_mask"])


@pytest.mark.parametrize("family", ["distilbert", "roberta", "gpt2", "t5"])
def test_no_token_types_where_the_architecture_has_none(family: str) -> None:
    assert build(family, pairs=True)[0].separator is None
    assert build("bert")[0].separator is None, "nor for single texts"


def test_longer_texts_than_it_has_positions_for_are_refused() -> None:
    for family in ("bert", "roberta", "gpt2"):
        build(family, max_length=checkpoints.PLACES)
        with pytest.raises(ConfigError, match=rf"data.max_length=161  is more than the {checkpoints.PLACES} tokens"):
            build(family, max_length=checkpoints.PLACES + 1)
    build("llama", max_length=10_000)


def test_data_of_another_kind_is_refused_with_the_encoding_to_set() -> None:
    _, facts = vectors(IMAGES, "image", (1, 8, 8))
    given = {key: defaults_of("model/vit")[key] for key in ("source", "revision")}
    with pytest.raises(ConfigError, match="reads texts, and model/encoding=image makes images"):
        Transformer(facts, encoding=Image(facts, **given), **defaults_of("model/bert"))


@pytest.mark.parametrize("family", ["bert", "gpt2", "t5", "vit"])
@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("adapted", [False, True])
def test_the_recipe_loads_what_was_saved(
    family: str, pairs: bool, adapted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, raw = build(family, pairs=pairs)
    if adapted:
        config = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False)
        model.trunk = get_peft_model(model.trunk, config)  # type: ignore[arg-type]
        model.eval()
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(model.recipe(), "recipe", "exec"), names)
    rows = list(zip(PAIRS["text"], PAIRS["text_pair"], strict=True)) if pairs else SENTENCES
    if family == "vit":
        rows = torch.from_numpy(IMAGES)  # type: ignore[assignment]
    torch.testing.assert_close(names["features"](rows), features(model, raw, [0, 1, 2, 3]), atol=5e-5, rtol=0)
    assert len(names["features"](names["rows"])) == 2


def test_a_quantised_base_s_recipe_reads_the_rest_in_fp32(tmp_path: Path) -> None:
    """As it runs here: without quantising."""
    base = checkpoints.write(tmp_path, "bert")
    AutoModel.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(base)
    model, raw = build("hub", source=str(base))
    config = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False)
    model.trunk = get_peft_model(model.trunk, config)  # type: ignore[arg-type]
    model.trunk.get_base_model().is_loaded_in_4bit = True
    model.eval().encoding.save(tmp_path)
    model.save(tmp_path)
    lines = model.recipe()
    assert ").to(model.device)" in lines and f", {as_code('4bit')})" in lines and "model.eval().float()" not in lines
    found = run_recipe(lines.replace(f", {as_code('4bit')}", ""), tmp_path)["features"](SENTENCES)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, features(model, raw, [0, 1, 2, 3]), atol=5e-5, rtol=0)


def test_a_saved_model_pools_its_own_last_token_though_its_tokenizer_s_class_pads_on_the_left(tmp_path: Path) -> None:
    base = checkpoints.write(tmp_path, "llama")
    checkpoints.gemma(base)
    model, raw = build("hub", source=str(base))
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    found = run_recipe(model.recipe(), tmp_path)["features"](SENTENCES)
    torch.testing.assert_close(found, features(model, raw, [0, 1, 2, 3]), atol=5e-5, rtol=0)


def test_minilm_is_the_mean_over_tokens_and_alike_sentences_are_near() -> None:
    model, raw = build("minilm", max_length=None)
    vectors = torch.nn.functional.normalize(features(model, raw, [0, 1, 2, 3]))
    assert vectors.shape == (4, model.width) == (4, 384)
    similar = vectors @ vectors.T
    assert similar[0, 3] > similar[1, 3] + 0.2, "cat with cat, not with dog"


def test_minilm_drops_only_what_it_says() -> None:
    config: Any = build("minilm", dropout=0.25)[0].trunk.config
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob, config.classifier_dropout) == (
        0.25,
        0.25,
        None,
    )


def test_minilms_saved_folder_loads_in_transformers(tmp_path: Path) -> None:
    model, raw = build("minilm", max_length=None)
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    loaded, tokenizer = AutoModel.from_pretrained(tmp_path).eval(), AutoTokenizer.from_pretrained(tmp_path)
    inputs = tokenizer(SENTENCES, return_tensors="pt", padding=True)
    with torch.no_grad():
        states, mask = loaded(**inputs).last_hidden_state, inputs["attention_mask"].unsqueeze(-1)
        torch.testing.assert_close((states * mask).sum(1) / mask.sum(1), features(model, raw, [0, 1, 2, 3]))


def test_every_preset_names_a_commit() -> None:
    """A branch would give another model tomorrow."""
    for file in (CONF / "model").glob("*.yaml"):
        content = yaml.safe_load(file.read_text())
        if "hub" in content.get("defaults", []):
            assert re.fullmatch("[0-9a-f]{40}", content["revision"]), file.name


def test_the_width_is_that_of_projected_states(tmp_path: Path) -> None:
    """facebook/opt-350m ends with a projection to the size of its embeddings."""
    tokenizer = checkpoints.bytes_of(["<pad>", "</s>"], eos_token="</s>", pad_token="<pad>")
    config = {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 2, "ffn_dim": 24}
    made = {**config, "word_embed_proj_dim": 8, "pad_token_id": 0, "do_layer_norm_before": False}
    checkpoints.both(tmp_path, tokenizer, lambda size: hf.OPTModel(hf.OPTConfig(vocab_size=size, **made)))
    model, raw = build("hub", source=str(tmp_path))
    assert features(model, raw, [0, 1]).shape == (2, model.width) == (2, 8)
