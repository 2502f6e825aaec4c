from __future__ import annotations

import pytest

from espalier.adapter.prefix import prefix
from espalier.core.errors import ConfigError
from task.toy import facts_of, minilm


def test_a_key_and_a_value_in_each_layer() -> None:
    backbone = prefix(minilm(), facts_of("text"), tokens=7)
    assert [tuple(p.shape) for p in backbone.parameters() if p.requires_grad] == [(7, 6 * 2 * 384)]


def test_attention_that_takes_no_earlier_keys_is_answered() -> None:
    backbone = minilm()
    backbone.trunk.config.is_encoder_decoder = True  # as T5's encoder says
    with pytest.raises(ConfigError, match=r"a BertModel takes none\. Try adapter=prompt"):
        prefix(backbone, facts_of("text"), tokens=2)
