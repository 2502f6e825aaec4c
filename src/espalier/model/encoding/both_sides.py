"""``model/encoding=both_sides``: a pretrained tokenizer for a text and for what is to be written of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from espalier.core.columns import Columns
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.pretrained import read_tokenizer, save_tokenizer
from espalier.model.encoding.texts import encode_texts, text_roles
from espalier.model.source import locate

_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_WELL_KNOWN = ("eng_", "deu_", "fra_", "en_", "de_", "fr_")  # of NLLB's languages and of mBART's


class BothSides:
    """A fast tokenizer from an encoder-decoder's folder; learns nothing. Each text ends as the tokenizer ends texts.

    Where its model was pretrained on many languages at once (NLLB, mBART-50), each text begins with its language's
    code, on either side that side's.

    Args:
        source: hub id or folder, as the model's.
        revision: the hub's commit, where the hub is asked.
        prefix: stands before each source: ``"translate English to German: "`` for T5.
        source_language, target_language: the tokenizer's codes, ``eng_Latn`` and ``deu_Latn`` for NLLB; None where it
            has none.

    Attributes:
        tokenizer: transformers' own.
        end: the id that ends a text.
        first: the id of the target's language, with which each target begins; or None.

    Raises:
        ConfigError: the tokenizer or the model's config cannot be read, the tokenizer ends no texts, or the data has
            not one text and one target; a language is not said, or is none of the tokenizer's.
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[str] = "target"

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        source: str,
        revision: str,
        prefix: str,
        source_language: str | None,
        target_language: str | None,
    ) -> None:
        read = text_roles(facts, "both_sides")
        written = tuple(role for role, kind in facts.kinds.items() if kind == "target")
        if (len(read), len(written)) != (1, 1):
            truth = f"reads one text and writes another; this data has {', '.join(facts.kinds.values())}."
            raise ConfigError(Fault("model/encoding=both_sides", truth, "Choose such data:  data=multi30k, data=pairs"))
        self.source, self.roles = read[0], (*read, *written)
        self.max_length, self.prefix = facts.max_length, prefix
        self.tokenizer = read_tokenizer(locate(source, revision).folder, source)
        self.backend = self.tokenizer.backend_tokenizer
        self.backend.no_truncation()
        self.backend.no_padding()
        self.languages = (source_language, target_language)
        _require_languages(self.tokenizer, self.languages, source)
        sides = zip(self.roles[::-1], self.languages[::-1], strict=True)  # it is left as it reads sources
        self._around = {role: self._template(language) for role, language in sides}
        self.first: int | None = self.tokenizer.convert_tokens_to_ids(target_language) if target_language else None
        self.end = self.tokenizer.eos_token_id
        if self.end is None or self.backend.encode("a").ids[-1] != self.end:
            truth = "has a tokenizer that puts no token behind a text: nothing would say where one ends."
            raise ConfigError(Fault(f"model.source={source}", truth, "Choose an encoder-decoder (T5, BART …)."))

    def fit(self, raw: Raw, /) -> None:
        """Nothing: the vocabulary came with the weights."""

    def apply(self, table: pa.Table, /) -> Columns:
        """Token ids of either side that is there, how many there were, and whether the row was truncated."""
        there = [role for role in self.roles if role in table.column_names]
        texts = {role: table[role].to_pylist() for role in there}
        texts[self.source] = [self.prefix + text for text in texts[self.source]]
        found: list[Mapping[str, Any]] = []
        for role in there:
            self.backend.post_processor, side = self._around[role], pa.table({role: texts[role]})
            found.append(encode_texts(self.backend, side, [role], self.max_length, empty=self.end))
        self.backend.post_processor = self._around[self.source]
        whole = {name: column for each in found for name, column in each.items()}
        lengths, cut = ([each[name] for each in found] for name in ("length", "truncated"))
        return {**whole, "length": np.maximum.reduce(lengths), "truncated": np.logical_or.reduce(cut)}

    def decode(self, ids: Sequence[int], /) -> str:
        """The text of some ids, without special ones."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def facts(self) -> Mapping[str, Any]:
        """The size of the vocabulary and what pads."""
        return {"vocab_size": len(self.tokenizer), "pad": dict.fromkeys(self.roles, self.tokenizer.pad_token_id)}

    def fingerprint(self) -> str:
        """Of the tokenizer's file content, the prefix, the languages and the length limit."""
        languages = self.languages if self.first is not None else ""
        told = f"{self.backend.to_str()}{self.roles}{self.max_length}{self.prefix}{languages}"
        return hashlib.sha256(told.encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """As ``AutoTokenizer.from_pretrained`` loads it; a text that it is given is taken for a source."""
        if self.first is not None:
            self.tokenizer.init_kwargs |= dict(zip(("src_lang", "tgt_lang"), self.languages, strict=True))
        save_tokenizer(self.tokenizer, folder)

    def load(self, folder: Path, /) -> None:
        """Nothing: it comes from where the weights come from."""

    def _template(self, language: str | None) -> Any:
        """What the tokenizer puts around a text of a language."""
        if language is not None:
            self.tokenizer.src_lang = language
        return self.backend.post_processor


def _require_languages(tokenizer: Any, languages: Sequence[str | None], source: str) -> None:
    """Raises ``ConfigError``: a code is missing, or is not the tokenizer's."""
    named = {getattr(tokenizer, name) for name in _NAMED}
    able = hasattr(tokenizer, "set_tgt_lang_special_tokens")
    codes = [token for token in tokenizer.all_special_tokens if token not in named] if able else []
    known = [code for code in codes if code.startswith(_WELL_KNOWN)]
    shown = ", ".join([*known, *(code for code in codes if code not in known)][:3]) + " …" * (len(codes) > 3)
    for side, code in zip(("source", "target"), languages, strict=True):
        key = f"model.encoding.{side}_language"
        if code and not codes:
            truth = f"names a language, and the tokenizer of {source} tells none from another."
            raise ConfigError(Fault(f"{key}={code}", truth, f"Set {key}=null"))
        if codes and code is None:
            truth = f"leaves open in which language the {side} is: {source} has {len(codes)} ({shown})."
            raise ConfigError(Fault(f"{key}=null", truth, f"Set {key} to one of them."))
        if code and code not in codes:
            near = get_close_matches(code, codes, 1, 0.3) or codes
            truth = f"is none of the {len(codes)} languages of {source} ({shown})."
            raise ConfigError(Fault(f"{key}={code}", truth, f"Set {key}={near[0]}"))
