from __future__ import annotations

from typing import Any

import pytest
import transformers as hf
from peft import LoraConfig, get_peft_model

from espalier.model.recipe import image_recipe, text_recipe
from model.checkpoints import SIZE

TEXT: dict[str, Any] = {"pooling": "cls", "max_length": 9, "joint": None, "types": False}


def bert() -> Any:
    return hf.BertModel(hf.BertConfig(vocab_size=9, **SIZE), add_pooling_layer=False)


def test_a_whole_model_is_read_from_its_folder() -> None:
    code = text_recipe(bert(), "org/net", "abc", **TEXT)
    assert 'model = AutoModel.from_pretrained(".")' in code and "org/net" not in code
    assert "truncation=True, max_length=9" in code
    assert "truncation=False, max_length=None" in text_recipe(bert(), "org/net", "abc", **{**TEXT, "max_length": None})


def test_an_adapter_names_its_base_and_commit() -> None:
    code = text_recipe(get_peft_model(bert(), LoraConfig(target_modules="all-linear")), "org/net", "abc", **TEXT)
    assert 'base = "org/net"' in code and 'from_pretrained(base, revision="abc")' in code and "PeftModel" in code


def test_an_encoder_out_of_two_is_named_by_its_class() -> None:
    encoder = hf.T5EncoderModel(hf.T5Config(vocab_size=9, num_layers=1, d_model=8, num_heads=2, d_ff=8))
    assert 'model = T5EncoderModel.from_pretrained(".")' in text_recipe(encoder, "t5", "abc", **TEXT)


@pytest.mark.parametrize("joint", [None, "", "\n"])
def test_every_recipe_is_python(joint: str | None) -> None:
    for pooling in ("mean", "cls", "last"):
        text = text_recipe(bert(), "org/net", "abc", **{**TEXT, "joint": joint, "pooling": pooling})
        compile(text, "text", "exec")
        assert ("for first, _ in rows" in text) is (joint is not None)
        image = image_recipe(bert(), "org/net", "abc", pooling=pooling, pixels="pixels = rows", shape=(1, 8, 8))
        compile(image, "image", "exec")
        assert "rows = torch.zeros(2, 1, 8, 8)" in image
