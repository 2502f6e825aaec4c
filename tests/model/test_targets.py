from __future__ import annotations

import pytest

from espalier.config.signature import class_attribute
from espalier.model.targets import OfTransformers


@pytest.mark.parametrize("part", ["hub.Transformer", "causal_lm.CausalLm"])
def test_they_are_known_before_anything_is_imported(part: str) -> None:
    assert class_attribute(f"espalier.model.{part}", "targets") == OfTransformers.targets
