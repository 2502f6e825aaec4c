"""``model=gpt``: a decoder learned from scratch, that tells each token from those before it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.gpt2_files import save_as_gpt2
from espalier.model.reading import text_role
from espalier.state.frozen import SCRATCH

_DEVIATION = 0.02
_RECIPE = """
import torch
from transformers import AutoModel, AutoTokenizer

model = AutoModel.from_pretrained(".").eval().float()
tokenizer = AutoTokenizer.from_pretrained(".")


def features(rows):
    batch = tokenizer({texts}, padding=True, return_tensors="pt", truncation=True, max_length={positions})
    mask = batch["attention_mask"]
    with torch.inference_mode():
        states = model(input_ids=batch["input_ids"], attention_mask=mask).last_hidden_state
    return states[torch.arange(len(states)), mask.sum(1) - 1]


rows = {rows}  # yours
"""


class Gpt(nn.Module):
    """A decoder as GPT-2 is one (Radford et al. 2019): learned positions, norms before each part, tanh-GELU.

    ``espalier train data=text_file data.path=book.txt model=gpt adapter=full``

    Weights begin as GPT-2's: normal, of deviation 0.02, divided by sqrt(2 layers) where a layer adds to the states.
    It has ``data.max_length`` positions.

    Args:
        layers: blocks of attention and two dense layers.
        heads: of attention; they share the width.
        width: features of a token.
        dropout: of embeddings and of what each part of a layer adds, in training.
        attention_dropout: of attention weights, in training.
        tied: whether a token is told by its own embedding (Press & Wolf 2017, arXiv:1608.05859), or by another matrix.

    Shapes: ``batch["text"]`` (B, L) ids and ``batch["text_mask"]`` (B, L) bool, padded on the right -> (B, width), the
    state of each row's last token.

    Raises:
        ConfigError: the heads do not divide the width, or there is no ``data.max_length``.
    """

    merges: ClassVar[bool] = True
    targets: ClassVar[Mapping[str, str]] = {
        "attention": r".*\.attn\.(c_attn|c_proj)",
        "mlp": r".*\.mlp\.(c_fc|c_proj)",
        "all_linear": "all-linear",
        "outputs": r".*\.(attn|mlp)\.c_proj",
        "mlp_outputs": r".*\.mlp\.c_proj",
    }

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        layers: Annotated[int, Ge(1)],
        heads: Annotated[int, Ge(1)],
        width: Annotated[int, Ge(1)],
        dropout: Annotated[float, Ge(0), Lt(1)],
        attention_dropout: Annotated[float, Ge(0), Lt(1)],
        tied: bool,
    ) -> None:
        super().__init__()
        if width % heads:
            truth, near = f"does not divide into {heads} heads.", width - width % heads or heads
            raise ConfigError(Fault(f"model.width={width}", truth, f"Set model.width={near}"))
        if facts.max_length is None:
            raise ConfigError(Fault("data.max_length=null", "leaves open how many positions a text has.", "Set it."))
        self.origin, self.encoding, self.width, self.context = SCRATCH, encoding, width, facts.max_length
        self.role = text_role(facts)
        self.trunk: nn.Module = Decoder(
            facts.vocab_size, self.context, layers, heads, width, dropout, attention_dropout
        )
        self.head = None if tied else nn.Linear(width, facts.vocab_size, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                added = name.endswith("c_proj.weight")
                nn.init.normal_(parameter, std=_DEVIATION / (2 * layers) ** 0.5 if added else _DEVIATION)

    @property
    def tied(self) -> tuple[Any, ...]:
        """The token embedding, where tokens are told by it."""
        trunk: Any = self.trunk
        return () if self.head else (trunk.wte,)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """One vector for each text."""
        states, mask = self.states(batch, self.role), batch[f"{self.role}_mask"]
        last: Tensor = states[torch.arange(len(states), device=states.device), mask.sum(1) - 1]
        return last

    def states(self, batch: Mapping[str, Tensor], role: str) -> Tensor:
        """The state of each token, (B, L, width), after the last norm; padding behind a token has no influence."""
        states: Tensor = self.trunk(batch[role])
        return states

    def logits(self, states: Tensor) -> Tensor:
        """States (…, width) -> a score for each token that may come next, (…, vocabulary)."""
        return self.head(states) if self.head else functional.linear(states, self.trunk.wte.weight)  # type: ignore[arg-type, union-attr]

    def next_logits(self, ids: Tensor, past: Past | None = None) -> tuple[Tensor, Past]:
        """Scores of what comes next, (B, vocabulary).

        Args:
            ids: (B, L), what stands behind all that ``past`` has seen; one token, where it has seen some. With it,
                there are at most ``context``.
            past: what an earlier call gave.
        """
        past = past or Past()
        states: Tensor = self.trunk(ids, past)
        return self.logits(states[:, -1]), past

    def save(self, folder: Path, /) -> None:
        """A GPT-2 checkpoint that ``AutoModelForCausalLM`` loads; what an adapter learned is added in."""
        save_as_gpt2(self, folder)

    def recipe(self) -> str:
        """Lines of transformers that load what ``save`` wrote."""
        if getattr(self.encoding, "pair", None):
            texts, rows = "*map(list, zip(*rows))", '[("a text", "its other"), ("one more", "and its")]'
        else:
            texts, rows = "rows", '["a text", "another one"]'
        return _RECIPE.format(positions=self.context, texts=texts, rows=rows)


class Past:
    """Keys and values of the tokens that were seen, a pair for each layer, each (B, heads, L, width / heads)."""

    def __init__(self) -> None:
        self._kept: list[tuple[Tensor, Tensor]] = []

    def __len__(self) -> int:
        return self._kept[0][0].shape[2] if self._kept else 0

    def __bool__(self) -> bool:
        return True

    def extended(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Those of a layer with new ones behind them; they are kept."""
        if layer < len(self._kept):
            before, seen = self._kept[layer]
            self._kept[layer] = torch.cat([before, keys], 2), torch.cat([seen, values], 2)
        else:
            self._kept.append((keys, values))
        return self._kept[layer]


class Decoder(nn.Module):
    """Embeddings, layers, a norm. Names are those of transformers' GPT2Model."""

    def __init__(
        self, vocabulary: int, positions: int, layers: int, heads: int, width: int, dropout: float, of_attention: float
    ) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
        self.drop = nn.Dropout(dropout)
        self.h = nn.ModuleList(Layer(i, heads, width, dropout, of_attention) for i in range(layers))
        self.ln_f = nn.LayerNorm(width)

    def forward(self, ids: Tensor, past: Past | None = None) -> Tensor:
        """Ids (B, L) -> states (B, L, width)."""
        begin = len(past) if past else 0
        positions = torch.arange(begin, begin + ids.shape[1], device=ids.device)
        states = self.drop(self.wte(ids) + self.wpe(positions))
        for layer in self.h:
            states = layer(states, past)
        normed: Tensor = self.ln_f(states)
        return normed


class Layer(nn.Module):
    """x + attention(norm(x)), then x + dense(norm(x)) (Xiong et al. 2020, arXiv:2002.04745, on norms before)."""

    def __init__(self, number: int, heads: int, width: int, dropout: float, of_attention: float) -> None:
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(width), Attention(number, heads, width, of_attention)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})
        self.drop = nn.Dropout(dropout)

    def forward(self, states: Tensor, past: Past | None) -> Tensor:
        """(B, L, width) -> the same shape."""
        states = states + self.drop(self.attn(self.ln_1(states), past))
        inner = functional.gelu(self.mlp.c_fc(self.ln_2(states)), approximate="tanh")  # type: ignore[operator]
        added: Tensor = states + self.drop(self.mlp.c_proj(inner))  # type: ignore[operator]
        return added


class Attention(nn.Module):
    """Self-attention of h heads (Vaswani et al. 2017, arXiv:1706.03762, eq. 1 and section 3.2.2).

    With queries Q, keys K and values V, each x W for a W of its own, cut into heads of d = width / h features:

        head_i = softmax(Q_i K_i^T / sqrt(d) + M) V_i        M_jk = 0 if k <= j, else -inf
        attention(x) = [head_1; …; head_h] W_out

    M lets a token see itself and those before it.
    """

    def __init__(self, number: int, heads: int, width: int, dropout: float) -> None:
        super().__init__()
        self.number, self.heads, self.dropout = number, heads, dropout
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, states: Tensor, past: Past | None) -> Tensor:
        """(B, L, width) -> the same shape."""
        queries, keys, values = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.c_attn(states).chunk(3, -1)
        )
        alone = states.shape[1] == 1  # it sees all there is
        if past is not None:
            keys, values = past.extended(self.number, keys, values)
        mixed = functional.scaled_dot_product_attention(
            queries, keys, values, dropout_p=self.dropout if self.training else 0.0, is_causal=not alone
        )
        given: Tensor = self.c_proj(mixed.transpose(1, 2).flatten(2))
        return given
