"""The layers of an encoder-decoder: attention, blocks, and what is kept of a text while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Pair = tuple[Tensor, Tensor]
"""Keys and values, each (B, heads, L, width / heads)."""


class Attention(nn.Module):
    """Attention of h heads (Vaswani et al. 2017, arXiv:1706.03762, eq. 1 and section 3.2.2).

    With queries Q = x W_q, keys K = y W_k and values V = y W_v, cut into heads of d = width / h features:

        head_i = softmax(Q_i K_i^T / sqrt(d) + M) V_i
        attention(x, y) = [head_1; …; head_h] W_out

    M is 0 where a place may be seen, -inf elsewhere. In self-attention y is x; else y is the encoder's states.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.q_proj, self.kv_proj = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out_proj = nn.Linear(width, width)

    def project(self, states: Tensor) -> Pair:
        """(B, L, width) -> keys and values."""
        keys, values = self.kv_proj(states).unflatten(-1, (2 * self.heads, -1)).transpose(1, 2).chunk(2, 1)
        return keys, values

    def forward(self, states: Tensor, seen: Pair, mask: Tensor | None = None, *, causal: bool = False) -> Tensor:
        """(B, L, width) -> the same shape; ``mask`` broadcasts to (B, heads, L, S), True where S may be seen."""
        queries = self.q_proj(states).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(
            queries, *seen, attn_mask=mask, is_causal=causal, dropout_p=self.dropout if self.training else 0.0
        )
        return cast(Tensor, self.out_proj(mixed.transpose(1, 2).flatten(2)))


class Block(nn.Module):
    """What layers of both sides have: self-attention, two dense layers, a norm before either."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float, of_attention: float) -> None:
        super().__init__()
        self.self_attn_layer_norm, self.self_attn = nn.LayerNorm(width), Attention(width, heads, of_attention)
        self.final_layer_norm = nn.LayerNorm(width)
        self.fc1, self.fc2, self.drop = nn.Linear(width, hidden), nn.Linear(hidden, width), nn.Dropout(dropout)

    def dense(self, states: Tensor) -> Tensor:
        """What the two dense layers add."""
        inner = functional.relu(self.fc1(self.final_layer_norm(states)))
        return cast(Tensor, self.drop(self.fc2(inner)))


class EncoderLayer(Block):
    """x + attention(norm(x)), then x + dense(norm(x))."""

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(B, S, width) -> the same shape."""
        normed = self.self_attn_layer_norm(states)
        states = states + self.drop(self.self_attn(normed, self.self_attn.project(normed), mask))
        return states + self.dense(states)


class DecoderLayer(Block):
    """x + attention(norm(x)) to what was written before, then to the source, then x + dense(norm(x))."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float, of_attention: float) -> None:
        super().__init__(width, heads, hidden, dropout, of_attention)
        self.encoder_attn_layer_norm, self.encoder_attn = nn.LayerNorm(width), Attention(width, heads, of_attention)

    def forward(self, states: Tensor, read: Pair, mask: Tensor, before: Before | None = None) -> Tensor:
        """(B, T, width) -> the same shape; with ``before``, T are beams, each with what it wrote itself.

        Args:
            read, mask: keys and values of the source, and which of them are none of padding.
        """
        normed = self.self_attn_layer_norm(states)
        if before is None:
            mixed = self.self_attn(normed, self.self_attn.project(normed), causal=True)
        else:
            each = normed.flatten(0, 1).unsqueeze(1)  # (B * beams, 1, width)
            mixed = self.self_attn(each, before.extended(self.self_attn.project(each))).view_as(normed)
        states = states + self.drop(mixed)
        states = states + self.drop(self.encoder_attn(self.encoder_attn_layer_norm(states), read, mask))
        return states + self.dense(states)


class Before:
    """Keys and values of what was written so far, (B * beams, heads, t, width / heads) each; nothing at first."""

    def __init__(self) -> None:
        self.pair: Pair | None = None

    def extended(self, new: Pair) -> Pair:
        """With those of one more token; they are kept."""
        if self.pair is None:
            self.pair = new
        else:
            self.pair = torch.cat([self.pair[0], new[0]], 2), torch.cat([self.pair[1], new[1]], 2)
        return self.pair

    def choose(self, places: Tensor) -> None:
        """Go on from some of the B * beams, in their order."""
        if self.pair is not None:
            self.pair = self.pair[0][places], self.pair[1][places]


class Written:
    """The sources of B rows, and what the beams of each have written so far.

    Attributes:
        read: keys and values of the sources, a pair for each layer.
        mask: of the sources, (B, 1, 1, S).
        before: of each layer.
        length: tokens that each beam has.
    """

    def __init__(self, read: list[Pair], mask: Tensor) -> None:
        self.read, self.mask, self.length = read, mask, 0
        self.before = [Before() for _ in read]

    def choose(self, rows: Tensor, beams: Tensor) -> None:
        """Go on with some rows (R,), and in each of them from some of its beams (R, beams)."""
        if len(rows) < len(self.mask):
            self.read = [(keys[rows], values[rows]) for keys, values in self.read]
            self.mask = self.mask[rows]
        places = (rows.unsqueeze(1) * beams.shape[1] + beams).flatten()
        for before in self.before:
            before.choose(places)


class Side(nn.Module):
    """Positions, layers and the last norm of one side."""

    def __init__(self, layers: Sequence[Block], positions: Tensor, dropout: float, *, learned: bool) -> None:
        super().__init__()
        self.drop, self.layers = nn.Dropout(dropout), nn.ModuleList(layers)
        self.layer_norm = nn.LayerNorm(positions.shape[1])
        if learned:
            self.positions = nn.Parameter(positions)
        else:
            self.register_buffer("positions", positions, persistent=False)

    def placed(self, embedded: Tensor, begin: int, length: int) -> Tensor:
        """With the positions begin, …, begin + length - 1 added along the second axis, or the one along all of it."""
        return cast(Tensor, self.drop(embedded + self.positions[begin : begin + length]))


class Seq2Seq(nn.Module):
    """An encoder, a decoder, and the embeddings that they share. Names of layers are those of transformers' Pegasus."""

    def __init__(
        self, vocabulary: int, positions: int, encoder_layers: int, decoder_layers: int, heads: int, width: int,
        hidden: int, dropout: float, of_attention: float, *, learned: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes = (width, heads, hidden, dropout, of_attention)
        self.scale, self.heads = width**0.5, heads
        self.shared = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.shared.weight, std=width**-0.5)
        reading = [EncoderLayer(*sizes) for _ in range(encoder_layers)]
        writing = [DecoderLayer(*sizes) for _ in range(decoder_layers)]
        places = [torch.randn(positions, width) * width**-0.5 if learned else sinusoids(positions, width) for _ in "ab"]
        self.encoder = Side(reading, places[0], dropout, learned=learned)
        self.decoder = Side(writing, places[1], dropout, learned=learned)
        for name, part in self.named_modules():
            if isinstance(part, nn.Linear):
                for square in part.weight.chunk(2 if name.endswith("kv_proj") else 1):
                    nn.init.xavier_uniform_(square)
                nn.init.zeros_(part.bias)

    def forward(self, source: Tensor, mask: Tensor, before: Tensor) -> Tensor:
        """Source (B, S) with its mask, and tokens (B, T) -> the state behind each token, (B, T, width)."""
        states, seen = self.encode(source, mask), mask[:, None, None]
        written = self.decoder.placed(self._embedded(before), 0, before.shape[1])
        for layer in self.decoder.layers:
            decode = cast(DecoderLayer, layer)
            written = decode(written, decode.encoder_attn.project(states), seen)
        return cast(Tensor, self.decoder.layer_norm(written))

    def encode(self, source: Tensor, mask: Tensor) -> Tensor:
        """(B, S) -> (B, S, width)."""
        states, seen = self.encoder.placed(self._embedded(source), 0, source.shape[1]), mask[:, None, None]
        for layer in self.encoder.layers:
            states = layer(states, seen)
        return cast(Tensor, self.encoder.layer_norm(states))

    def begin(self, states: Tensor, mask: Tensor) -> Written:
        """The encoder's states, as the decoder's layers look at them."""
        read = [cast(DecoderLayer, layer).encoder_attn.project(states) for layer in self.decoder.layers]
        return Written(read, mask[:, None, None])

    def write(self, tokens: Tensor, written: Written) -> Tensor:
        """The beams' newest tokens (B, beams) -> the state behind each, (B, beams, width)."""
        states = self.decoder.placed(self._embedded(tokens), written.length, 1)
        for layer, read, before in zip(self.decoder.layers, written.read, written.before, strict=True):
            states = layer(states, read, written.mask, before)
        written.length += 1
        return cast(Tensor, self.decoder.layer_norm(states))

    def _embedded(self, ids: Tensor) -> Tensor:
        return cast(Tensor, self.shared(ids) * self.scale)


def sinusoids(positions: int, width: int) -> Tensor:
    """(positions, width): sin(p / 10000^(2i / width)) for i < width / 2, then their cosines.

    Vaswani et al. 2017, section 3.5, with the sines in one half and the cosines in the other.
    """
    frequency = 10000 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(positions, dtype=torch.float64).unsqueeze(1) * frequency
    return torch.cat([angles.sin(), angles.cos()], 1).float()
