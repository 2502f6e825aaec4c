from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import GenerationConfig, PegasusForConditionalGeneration

from espalier.model.encoder_decoder import EncoderDecoder
from espalier.model.pegasus_files import _config, _weights
from espalier.task.beam import Search, beam_search
from model.translated import batch, encoder_decoder

VOCABULARY, END = 4, 3


class Memory:
    """Beginnings, each with the row it is of."""

    def __init__(self, rows: int) -> None:
        self.rows, self.seen = torch.arange(rows), torch.zeros(rows, 1, 0).long()

    def choose(self, rows: Tensor, beams: Tensor) -> None:
        self.rows, self.seen = self.rows[rows], self.seen[rows.unsqueeze(1), beams]


class Table:
    """A model whose scores are drawn, for each row and each beginning its own."""

    def __init__(self, ends: float = 0.0) -> None:
        self.ends = ends

    def __call__(self, tokens: Tensor, written: Any) -> Tensor:
        seen = written.seen.expand(-1, tokens.shape[1], -1)
        written.seen = torch.cat([seen, tokens.unsqueeze(-1)], -1)
        return torch.stack([
            torch.stack([self.scores(int(row), beginning.tolist()) for beginning in beams])
            for row, beams in zip(written.rows, written.seen, strict=True)
        ])  # fmt: skip

    def scores(self, row: int, beginning: list[int]) -> Tensor:
        generator = torch.Generator().manual_seed(hash((row, *beginning)) % 2**31)
        drawn = 2 * torch.randn(VOCABULARY, generator=generator)
        drawn[END] += self.ends
        return drawn

    def log_probability(self, row: int, text: list[int]) -> float:
        steps = [self.scores(row, [0, *text[:i]]).log_softmax(-1)[token] for i, token in enumerate(text)]
        return float(torch.stack(steps).sum())


def best(model: Table, row: int, length: int, search: Search) -> list[int]:
    """Of all texts there are."""
    texts = [[*text, END] for n in range(length) for text in product(range(END), repeat=n)]
    texts += [list(text) for text in product(range(END), repeat=length)]
    return max(texts, key=lambda text: search.score(model.log_probability(row, text), len(text)))


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_beams_that_hold_everything_find_the_best_text(penalty: float) -> None:
    model, search = Table(), Search(3**4, penalty)
    found = beam_search(model, Memory(6), search, start=0, end=END, limits=torch.tensor([4] * 5 + [2]))
    for row, text in enumerate(found):
        wanted = best(model, row, 4 if row < 5 else 2, search)
        told = [*text.ids, END] if len(text.ids) < len(wanted) else list(text.ids)
        assert told == wanted
        assert text.log_probability == pytest.approx(model.log_probability(row, told), rel=1e-5)
        assert text.score == pytest.approx(search.score(text.log_probability, len(told)))


def test_one_beam_takes_the_likeliest_token_each_time() -> None:
    model = Table()
    found = beam_search(model, Memory(8), Search(1, 1.0), start=0, end=END, limits=torch.full((8,), 6))
    for row, text in enumerate(found):
        told: list[int] = []
        while len(told) < 6 and END not in told:
            told.append(int(model.scores(row, [0, *told]).argmax()))
        assert list(text.ids) == [token for token in told if token != END]


def test_a_row_does_not_depend_on_those_beside_it() -> None:
    model, search = Table(ends=1.0), Search(3, 1.0)
    together = beam_search(model, Memory(12), search, start=0, end=END, limits=torch.arange(1, 13))
    for row, text in enumerate(together):
        alone = Memory(1)
        alone.rows = torch.tensor([row])
        assert beam_search(model, alone, search, start=0, end=END, limits=torch.tensor([row + 1])) == [text]
        assert len(text.ids) <= row + 1


def test_a_penalty_makes_texts_longer() -> None:
    model, lengths = Table(ends=1.5), []
    for penalty in (0.0, 1.0, 2.0):
        found = beam_search(model, Memory(40), Search(4, penalty), start=0, end=END, limits=torch.full((40,), 8))
        lengths.append(sum(len(text.ids) for text in found))
    assert lengths == sorted(lengths) and lengths[0] < lengths[-1]


def sharpened() -> tuple[EncoderDecoder, dict[str, Any]]:
    """A model that ends its texts at some length."""
    model, facts = encoder_decoder()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.35)
    return model.eval(), batch(model, facts)


@pytest.mark.parametrize(("beams", "penalty"), [(1, 1.0), (2, 0.5), (5, 1.0), (5, 0.0)])
def test_texts_are_those_of_transformers_generate(beams: int, penalty: float) -> None:
    model, given = sharpened()
    twin = PegasusForConditionalGeneration(_config(model, model.trunk)).eval()
    twin.load_state_dict(_weights(model.trunk), strict=False)
    limits = torch.full((4,), 12)
    found = beam_search(
        model.next_logits,
        model.begin(given),
        Search(beams, penalty),
        start=1,
        end=2,
        limits=limits,  # type: ignore[arg-type]
    )
    told = twin.generate(
        input_ids=given["source"], attention_mask=given["source_mask"].long(),
        generation_config=GenerationConfig(
            num_beams=beams, length_penalty=penalty, max_new_tokens=12, do_sample=False, decoder_start_token_id=1,
            eos_token_id=2, pad_token_id=0, early_stopping=False,
        ),
    )  # fmt: skip
    theirs = [[token for token in row if token not in (0, 1, 2)] for row in told.tolist()]
    assert [[token for token in text.ids if token not in (0, 1, 2)] for text in found] == theirs
