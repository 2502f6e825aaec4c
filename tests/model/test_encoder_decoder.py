from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForSeq2SeqLM

from conf.defaults import defaults_of
from espalier.adapter.lora import lora
from espalier.core.errors import ConfigError
from espalier.model.encoder_decoder import EncoderDecoder
from espalier.model.encoding.bpe import Bpe
from model.examples import sentences
from model.translated import SMALL, batch, encoder_decoder


def made(**changed: Any) -> tuple[EncoderDecoder, dict[str, Any]]:
    """A model, its weights large enough to matter, and a batch."""
    model, facts = encoder_decoder(**changed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model.eval(), batch(model, facts)


def plain_torch(model: EncoderDecoder) -> nn.Transformer:
    """torch's own Transformer with the same weights."""
    trunk: Any = model.trunk
    other = nn.Transformer(
        model.width, trunk.heads, len(trunk.encoder.layers), len(trunk.decoder.layers), SMALL["hidden"], 0.0,
        batch_first=True, norm_first=True,
    )  # fmt: skip
    weights: dict[str, Tensor] = {}
    for name, value in trunk.state_dict().items():
        for ours, theirs in {
            "self_attn_layer_norm": "norm1", "encoder_attn_layer_norm": "norm2", "fc1": "linear1", "fc2": "linear2",
            "encoder_attn.": "multihead_attn.", "layer_norm": "norm",
        }.items():  # fmt: skip
            if ours != "layer_norm" or ".layers." not in name:
                name = name.replace(ours, theirs)
        name = name.replace("final_layer_norm", "norm2" if name.startswith("encoder") else "norm3")
        if ".q_proj." in name:
            keys = trunk.get_submodule(original(name)).kv_proj
            whole = torch.cat([value, keys.weight if name.endswith("weight") else keys.bias])
            weights[name.replace(".q_proj.", ".in_proj_")] = whole
        elif ".kv_proj." not in name and not name.startswith("shared"):
            weights[name] = value
    other.load_state_dict(weights)
    return other.eval()


def original(name: str) -> str:
    return name.partition(".q_proj.")[0].replace("multihead_attn", "encoder_attn")


def test_states_are_those_of_torch_s_transformer() -> None:
    model, given = made()
    trunk: Any = model.trunk
    other, width, start = plain_torch(model), model.width, model.start
    before = torch.cat([torch.full((4, 1), start), given["target"][:, :-1]], 1)
    read, written = (
        trunk.shared(ids) * width**0.5 + side.positions[: ids.shape[1]]
        for ids, side in ((given["source"], trunk.encoder), (before, trunk.decoder))
    )
    hidden = ~given["source_mask"]
    later = torch.ones(before.shape[1], before.shape[1]).triu(1).bool()
    theirs = other(read, written, tgt_mask=later, src_key_padding_mask=hidden, memory_key_padding_mask=hidden)
    mask = given["target_mask"]
    torch.testing.assert_close(model(given)[mask], theirs[mask], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_what_is_saved_is_a_pegasus_with_the_same_outputs(positions: str, tmp_path: Path) -> None:
    model, given = made(positions=positions)
    model.save(tmp_path)
    other = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    assert type(other).__name__ == "PegasusForConditionalGeneration"
    before = torch.cat([torch.full((4, 1), model.start), given["target"][:, :-1]], 1)
    theirs = other(
        input_ids=given["source"], attention_mask=given["source_mask"].long(), decoder_input_ids=before
    ).logits
    mask = given["target_mask"]
    torch.testing.assert_close(model.logits(model(given))[mask], theirs[mask], atol=1e-4, rtol=1e-4)
    assert theirs[mask].std() > 0.1


def test_padding_and_later_tokens_have_no_influence() -> None:
    model, given = made()
    changed = {**given, "source": given["source"].where(given["source_mask"], 7), "target": given["target"].clone()}
    changed["target"][:, 2:] = 9
    torch.testing.assert_close(model(given)[:, :3], model(changed)[:, :3])
    assert not torch.allclose(model(given)[:, 3:], model(changed)[:, 3:])


def test_beams_are_written_token_by_token() -> None:
    model, given = made()
    whole = model.logits(model(given))
    length = int(given["target_mask"].sum(1).min())
    before = torch.cat([torch.full((4, 1), model.start), given["target"]], 1)
    written = model.begin(given)
    for place in range(length):
        tokens = torch.stack([before[:, place], torch.full((4,), 5)], 1)  # one beam as it was, one that goes astray
        logits = model.next_logits(tokens if place else before[:, :1].expand(4, 2), written)
        torch.testing.assert_close(logits[:, 0], whole[:, place], atol=1e-5, rtol=1e-4)
    assert written.length == length


def test_rows_and_beams_can_be_chosen() -> None:
    model, given = made()
    written = model.begin(given)
    first = torch.tensor([[1, 1]] * 4)
    model.next_logits(first, written)
    model.next_logits(torch.tensor([[11, 12], [13, 14], [15, 16], [17, 18]]), written)
    written.choose(torch.tensor([1, 3]), torch.tensor([[1, 1], [0, 1]]))
    found = model.next_logits(torch.tensor([[20, 21], [22, 23]]), written)
    for row, beam, told in ((1, 14, 20), (3, 17, 22)):
        alone = model.begin({name: given[name][row : row + 1] for name in ("source", "source_mask")})
        for token in (1, beam):
            model.next_logits(torch.tensor([[token]]), alone)
        place = (0, 0) if row == 1 else (1, 0)
        torch.testing.assert_close(
            found[place], model.next_logits(torch.tensor([[told]]), alone)[0, 0], atol=1e-5, rtol=1e-4
        )


def test_weights_begin_as_they_are_said_to() -> None:
    model, _ = encoder_decoder(width=64, hidden=96)
    trunk: Any = model.trunk
    assert float(trunk.shared.weight.std()) == pytest.approx(64**-0.5, rel=0.05)
    layer = trunk.decoder.layers[0]
    bound = (6 / 128) ** 0.5
    for weight in (layer.self_attn.q_proj.weight, layer.encoder_attn.kv_proj.weight):
        assert 0.95 * bound < float(weight.abs().max()) <= bound
    assert not any(float(part.bias.abs().max()) for part in trunk.modules() if isinstance(part, nn.Linear))


def test_positions_are_the_paper_s_or_learned() -> None:
    model, _ = encoder_decoder(width=6, heads=2)
    places: Any = model.trunk.encoder.positions  # type: ignore[union-attr]
    assert float(places[3, 1]) == pytest.approx(torch.sin(torch.tensor(3 / 10000 ** (2 / 6))).item())
    assert float(places[3, 4]) == pytest.approx(torch.cos(torch.tensor(3 / 10000 ** (2 / 6))).item())
    assert not any("positions" in name for name, _ in model.named_parameters())
    learned, _ = encoder_decoder(positions="learned")
    assert sum("positions" in name for name, _ in learned.named_parameters()) == 2


def test_dropout_drops_in_training_only() -> None:
    model, given = made(dropout=0.5, attention_dropout=0.1)
    torch.testing.assert_close(model(given), model(given))
    model.train()
    assert not torch.allclose(model(given), model(given))


def test_trains_in_bf16() -> None:
    model, given = made()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model.logits(model(given))
    logits.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_lora_s_update_is_saved_within_the_weights(tmp_path: Path) -> None:
    model, given = made()
    plain = model(given)
    adapted: Any = lora(model, sentences()[1], target="attention", rank=2, alpha=4.0, dropout=0.0, variant="plain")
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter)
    adapted.eval()
    assert not torch.allclose(adapted(given), plain)
    adapted.save(tmp_path)
    other = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    before = torch.cat([torch.full((4, 1), model.start), given["target"][:, :-1]], 1)
    theirs = other(
        input_ids=given["source"], attention_mask=given["source_mask"].long(), decoder_input_ids=before
    ).logits
    mask = given["target_mask"]
    torch.testing.assert_close(adapted.logits(adapted(given))[mask], theirs[mask], atol=1e-3, rtol=1e-3)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"model.width=10 .*Set model.width=8"):
        encoder_decoder(width=10, heads=4)
    raw, facts = sentences(max_length=8)
    encoding = Bpe(facts, vocab_size=260, min_frequency=1, keep="start")
    encoding.fit(raw)
    encoding.start = encoding.end = 1  # type: ignore[attr-defined]
    values = defaults_of("model/encoder_decoder", encoding=encoding, **SMALL)
    with pytest.raises(ConfigError, match=r"this data has none to learn from: it has text, label"):
        EncoderDecoder(facts.learn(**encoding.facts()), **values)
    with pytest.raises(ConfigError, match=r"data.max_length=null"):
        EncoderDecoder(sentences()[1], **values)
