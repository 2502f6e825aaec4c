"""``model=causal_lm``: a causal language model of transformers: it tells each token from those before it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

from espalier.core.bounds import HubOrFolder, Needs
from espalier.core.columns import PLACE
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.causal_files import loading, save_causal
from espalier.model.encoding.chat import Chat
from espalier.model.places import BY_PLACES, goes_by_places
from espalier.model.scoring import scoring
from espalier.model.source import locate
from espalier.model.targets import OfTransformers
from espalier.model.transformer import family_of, load_trunk, read_config

_TRIED = 6  # tokens of which it is looked at what sees what
_TEXT = "Once there was a small dog, and it ran home."
_MOVED = 0.1  # by how much an adapter's weights are moved for that


class CausalLm(OfTransformers, nn.Module):
    """A pretrained decoder with its own head: texts -> what comes next, for each of their tokens.

    ``espalier train data=instructions data.path=my.jsonl model=causal_lm model.source=Qwen/Qwen2.5-0.5B adapter=lora``

    An adapter changes the decoder (``trunk``); the head stays what it was, but for ``adapter=full``.

    Args:
        source: hub id, or a folder; ``$ESPALIER_MODELS`` is asked before the hub.
        revision: the hub's commit, branch or tag.
        dropout: share of states and attention weights dropped in training, wherever the architecture drops; None: the
            checkpoint's own.
        quantize: keep the weights of dense layers in 4 or 8 bits, frozen: for an adapter beside them; None: in fp32.

    Attributes:
        role: the column of ids that it reads.
        context: tokens that it has positions for, together with an adapter's own.

    Shapes: ``batch[role]`` (B, L) ids, padded on the right, with ``batch[<role>_mask]`` (B, L) bool; or several texts
    in a row, with ``batch[<role>:place]`` (B, L), each token's place in its own text: positions begin anew with each
    text, and no token sees those of another (transformers makes the block-diagonal mask of such positions).

    Raises:
        ConfigError: the weights are not at hand, are no safetensors, or not those of a causal language model; the
            encoding is not of this kind; the model has fewer positions than ``data.max_length``.
    """

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        source: Annotated[str, HubOrFolder()],
        revision: str,
        dropout: Annotated[float, Ge(0), Lt(1)] | None,
        quantize: Annotated[Literal["4bit", "8bit"], Needs("bitsandbytes")] | None,
    ) -> None:
        super().__init__()
        if not isinstance(encoding, Chat):
            truth = f"reads what model/encoding=chat makes, not {type(encoding).__name__}'s columns."
            raise ConfigError(Fault("model=causal_lm", truth, "Set  model/encoding=chat"))
        located = locate(source, revision)
        config = read_config(located.folder, source)
        family = family_of(config, source)
        if family.pooling != "last":
            truth = f"is a {config.model_type}, which does not tell a token from those before it."
            remedy = "Choose a decoder (gpt2, llama, qwen …); for a vector of each text, model=hub."
            raise ConfigError(Fault(f"model.source={source}", truth, remedy))
        self.origin, self.encoding, self.role = located.origin, encoding, encoding.role
        self.source, self.quantize = located.name, quantize
        self._given: dict[str, Any] = {"source": source, "revision": revision, "dropout": dropout, "quantize": quantize}
        self._facts = facts
        family = replace(family, model=MODEL_FOR_CAUSAL_LM_MAPPING[type(config)])
        whole: Any = load_trunk(family, config, located.folder, source, dropout=dropout, quantize=quantize)
        trunk = whole.base_model
        self.trunk: nn.Module = trunk
        self.head: nn.Module = whole.get_output_embeddings()
        named = inspect.signature(trunk.forward).parameters
        self._cache = (
            "cache" if "cache" in named else "past_key_values"
        )  # its name from transformers 5.24 on, and before
        self._whole, self._scoring = (whole,), (scoring(whole),)  # in tuples: their parts are modules of this one
        self.name_base(located.name, revision)
        self.width = int(getattr(config, "word_embed_proj_dim", config.hidden_size))  # OPT projects its states
        self.positions: int | None = getattr(config, "max_position_embeddings", None)
        if self.positions and facts.max_length and facts.max_length > self.positions:
            truth = f"is more than the {self.positions} tokens that {source} has positions for."
            remedy = f"Set data.max_length={self.positions}"
            raise ConfigError(Fault(f"data.max_length={facts.max_length}", truth, remedy))

    @property
    def context(self) -> int | None:
        """Tokens that it reads at once, at most."""
        trunk: Any = self.trunk
        before = trunk.active_peft_config.num_virtual_tokens if self._prompted else 0
        return self.positions - before if self.positions else None

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """One vector for each text, the state of its last token, (B, width)."""
        states, mask = self.states(batch), batch[f"{self.role}_mask"]
        return states[torch.arange(len(states), device=states.device), mask.sum(1) - 1]

    def states(self, batch: Mapping[str, Tensor], role: str = "") -> Tensor:
        """The last layer's state of each token, (B, L, width); padding behind a text has no influence."""
        role = role or self.role
        ids = batch[role]
        if (place := batch.get(f"{role}{PLACE}")) is not None:
            return self._packed(ids, place)
        mask = batch[f"{role}_mask"].long()
        states: Tensor = self.trunk(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        return states[:, -ids.shape[1] :]  # without what an adapter puts before a text

    def logits(self, states: Tensor) -> Tensor:
        """States (…, width) -> a score for each token that may come next, (…, vocabulary)."""
        (score,) = self._scoring
        scores: Tensor = score(states)
        return scores

    def next_logits(self, ids: Tensor, past: Any = None) -> tuple[Tensor, Any]:
        """Scores of what comes next, (B, vocabulary).

        Args:
            ids: (B, L), what stands behind all that ``past`` has seen.
            past: what an earlier call gave.
        """
        if self._prompted:  # PEFT would put the adapter's tokens before each of the parts
            ids = ids if past is None else torch.cat([past, ids], 1)
            found = self.trunk(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
            return self.logits(found.last_hidden_state[:, -1:])[:, -1], ids
        found = self.trunk(input_ids=ids, use_cache=True, **{self._cache: past})
        return self.logits(found.last_hidden_state[:, -1:])[:, -1], found[self._cache]

    @torch.no_grad()
    def require_causal(self) -> None:
        """Refuse what an adapter makes of it, if a token's state may become another one for what stands behind it.

        Raises:
            ConfigError: it may.
        """
        ids = self._tried().repeat(2, 1)
        ids[1, -1] = ids[0, 0]
        first, second = self._quietly({self.role: ids, f"{self.role}_mask": torch.ones_like(ids, dtype=torch.bool)})
        moved = (first - second).abs().flatten(1).amax(1)
        if moved[:-1].max() > self._noise * moved[-1]:
            truth = "lets a token see what stands behind it, which is what a language model is asked for."
            raise ConfigError(Fault("adapter", truth, "Set  adapter=lora  or  adapter=full"))

    @torch.no_grad()
    def require_apart(self) -> None:
        """Refuse rows of several texts, if one of them has any influence on another.

        Raises:
            ConfigError: it has.
        """
        ids, half = self._tried(), _TRIED // 2
        place = torch.arange(_TRIED, device=ids.device) % half
        apart, joined = (
            self._quietly({self.role: some, f"{self.role}_mask": torch.ones_like(some, dtype=torch.bool)})
            for some in (ids.view(2, half), ids)
        )
        packed = self._quietly({self.role: ids, f"{self.role}{PLACE}": place.unsqueeze(0)})
        alone = apart.flatten(0, 1)
        if (packed[0] - alone).abs().max() > self._noise * (joined[0] - alone).abs().max():
            truth = "puts several texts into a row, and this model with this adapter does not keep them apart."
            raise ConfigError(Fault("data.packing=true", truth, "Set  data.packing=false"))

    def untuned(self) -> CausalLm:
        """The same model as it came, in evaluation mode, without gradients; its weights are read again."""
        fresh = CausalLm(self._facts, encoding=self.encoding, **self._given)
        return fresh.eval().requires_grad_(False)

    def name_base(self, name: str, revision: str) -> None:
        """What a saved adapter calls the model that it belongs to; said before there is one."""
        trunk: Any = self.trunk
        self.base, self.revision = name, revision
        for part in (*self._whole, trunk, trunk.config):
            part.name_or_path = name

    def save(self, folder: Path, /) -> None:
        """The whole model as ``AutoModelForCausalLM`` loads it, or what an adapter learned, as PEFT does."""
        save_causal(self._whole[0], self.trunk, folder, self.base, self.revision)

    def loading(self) -> str:
        """Lines of transformers (and PEFT) that load what ``save`` wrote, as ``model`` and ``tokenizer``."""
        return loading(self._whole[0], self.trunk, self.base, self.revision)

    def _packed(self, ids: Tensor, place: Tensor) -> Tensor:
        """States (B, L, width) of rows with several texts each, from tokens and their places, (B, L).

        Flash attention goes by the places where all stand in one row, and leaves them aside where there are several.
        """
        shape = ids.shape
        if goes_by_places(self._attention):
            ids, place = ids.reshape(1, -1), place.reshape(1, -1)
        states: Tensor = self.trunk(input_ids=ids, position_ids=place, use_cache=False).last_hidden_state
        return states[:, -ids.shape[1] :].reshape(*shape, -1)

    @property
    def _attention(self) -> str:
        """Its implementation, by transformers' name."""
        return str(getattr(self._whole[0].config, "_attn_implementation", ""))

    @property
    def _prompted(self) -> bool:
        trunk: Any = self.trunk
        return hasattr(trunk, "peft_config") and bool(trunk.active_peft_config.is_prompt_learning)

    def _tried(self) -> Tensor:
        """Some tokens that the model knows, (1, ``_TRIED``), each another one."""
        ids = list(dict.fromkeys(self.encoding.backend.encode(_TEXT, add_special_tokens=False).ids))
        return torch.tensor([ids[:_TRIED]], device=next(self.trunk.parameters()).device)

    @property
    def _noise(self) -> float:
        """Of a change that is looked for, what may come of rounding; 8 bits round by what stands in the whole batch."""
        return 0.05 if self.quantize == "8bit" else 1e-3

    def _quietly(self, batch: Mapping[str, Tensor]) -> Tensor:
        """States without dropout, and as if an adapter had learned something: many begin with none at all.

        Flash attention runs on a GPU and in half precision alone; ``places.by_places`` takes its place. Afterwards each
        part is in the mode that it was in, and has the weights and the attention that it had.
        """
        (whole,), attention = self._whole, self._attention
        modes = [(part, part.training) for part in self.modules()]
        adapted = hasattr(self.trunk, "peft_config")
        weights = [p for p in self.trunk.parameters() if p.requires_grad and p.is_floating_point()] if adapted else []
        before = [weight.clone() for weight in weights]
        generator = torch.Generator().manual_seed(0)
        self.eval()
        try:
            if goes_by_places(attention):
                whole.set_attn_implementation(BY_PLACES)
            for weight in weights:
                weight.add_(torch.randn(weight.shape, generator=generator).to(weight) * _MOVED)
            return self.states(batch)
        finally:
            for weight, old in zip(weights, before, strict=True):
                weight.copy_(old)
            if goes_by_places(attention):
                whole.set_attn_implementation(attention)
            for part, training in modes:
                part.training = training
