"""Lines of transformers (and PEFT) that load what a pretrained backbone saved, for its README."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn
from transformers import MODEL_MAPPING

from espalier.model.encoding.pieces import first_pieces
from espalier.model.encoding.windows import places_of_windows
from espalier.model.quantized import as_code, bits_of

_ADAPTED = """base = "{source}"  # on the hub, or the path of a folder that holds it
model = {auto}.from_pretrained(base, revision="{revision}"{given})
{adapted}"""
_TEXT = """
{loading}tokenizer = AutoTokenizer.from_pretrained(".")
{ready}


def features(rows):
    batch = tokenizer(
        {texts},
        padding=True, return_tensors="pt", truncation={truncation}, max_length={max_length},
        return_token_type_ids={types},
    ).to(model.device)
    with torch.inference_mode():
        states = model(**batch).last_hidden_state{own}.float().cpu()
    mask = batch["attention_mask"].cpu()
    return {pooled}


rows = {rows}  # yours
"""
_WORDS = """
{loading}tokenizer = AutoTokenizer.from_pretrained(".")
{ready}


{first_pieces}

def states(rows):  # lists of words -> for each word its state, None where the model sees none of it
    batch = tokenizer(
        [" ".join(words) for words in rows],
        padding=True, return_tensors="pt", truncation={truncation}, max_length={max_length},
        return_token_type_ids=False, return_offsets_mapping=True,
    )
    offsets = batch.pop("offset_mapping").tolist()
    with torch.inference_mode():
        found = model(**batch.to(model.device)).last_hidden_state{own}.float().cpu()
    places = [first_pieces(words, pairs) for words, pairs in zip(rows, offsets)]
    return [[row[i] if i >= 0 else None for i in firsts] for row, firsts in zip(found, places)]


rows = [["some", "words"], ["and", "others"]]  # yours
"""
_WINDOWS = """
from collections.abc import Iterator, Sequence

{loading}tokenizer = AutoTokenizer.from_pretrained(".")
{ready}


{places}

def windows(question, context):  # states of tokens, their characters in the context (None: not of it), place of [CLS]
    pair = tokenizer(question, {second}, return_offsets_mapping=True, return_token_type_ids={types})
    owners = pair.sequence_ids(0)
    offsets = [[max(0, at - {shift}) for at in ends] for ends in pair.pop("offset_mapping")]
    for places, _ in places_of_windows(owners, {max_length}, {overlap}):
        batch = {{name: torch.tensor([[values[i] for i in places]]) for name, values in pair.items()}}
        with torch.inference_mode():
            found = model(**{{name: rows.to(model.device) for name, rows in batch.items()}})
        states = found.last_hidden_state{own}[0].float().cpu()
        kept = [_trimmed(context, *offsets[i]) if owners[i] == 1 else None for i in places]
        yield states, kept, batch["input_ids"][0].tolist().index(tokenizer.cls_token_id)


def _trimmed(text, begin, end):
    begin += len(text[begin:end]) - len(text[begin:end].lstrip())
    end = begin + len(text[begin:end].rstrip())
    return (begin, end) if begin < end else None


rows = [("Who wrote it?", "Ada wrote it."), ("When?", "She wrote it in London.")]  # questions and contexts, yours
"""
_IMAGE = """
{loading}{ready}


def features(rows):  # images as they stand in the data: bytes, {shape} each
    {pixels}
    with torch.inference_mode():
        states = model(pixel_values=pixels.to(model.device)).last_hidden_state.float().cpu()
    return {pooled}


rows = torch.zeros(2, {sides})  # yours
"""
_OWN = '[:, -batch["input_ids"].shape[1]:]'  # without the states of what an adapter puts before each text
_POOLED = {
    "mean": "(states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)",
    "cls": "states[:, 0]",
    "last": "states[torch.arange(len(states)), mask.sum(1) - 1]",
}
_POOLED_IMAGE = {"mean": "states.mean(1)", "cls": "states[:, 0]", "last": "states[:, -1]"}


def text_recipe(
    trunk: nn.Module,
    source: str,
    revision: str,
    *,
    pooling: str,
    max_length: int | None,
    joint: str | None,
    types: bool,
) -> str:
    """A text model's lines.

    Args:
        trunk: as it was saved, PEFT's wrapper included.
        source: by which others get the base model, at ``revision``.
        pooling: ``mean``, ``cls``, ``last``.
        joint: stands before each second text; None: rows are single texts.
        types: whether token types tell the second text.
    """
    second = f"[{joint!r} + second for _, second in rows]" if joint else "[second for _, second in rows]"
    return _TEXT.format(
        loading=_loading(trunk, source, revision, ", AutoTokenizer"),
        ready=_ready(trunk),
        texts="rows" if joint is None else f"[first for first, _ in rows], {second}",
        rows='["a text", "another one"]'
        if joint is None
        else '[("a text", "its other"), ("one more", "and its other")]',
        types=types,
        own=_OWN if _prompted(trunk) else "",
        truncation=max_length is not None,
        max_length=max_length,
        pooled=_POOLED[pooling],
    )


def word_recipe(trunk: nn.Module, source: str, revision: str, *, max_length: int | None) -> str:
    """The lines of a model whose texts come as words; arguments as those of ``text_recipe``."""
    return _WORDS.format(
        loading=_loading(trunk, source, revision, ", AutoTokenizer"),
        ready=_ready(trunk),
        first_pieces=inspect.getsource(first_pieces),
        own=_OWN if _prompted(trunk) else "",
        truncation=max_length is not None,
        max_length=max_length,
    )


def window_recipe(
    trunk: nn.Module,
    source: str,
    revision: str,
    *,
    max_length: int | None,
    overlap: int,
    joint: str,
    types: bool,
) -> str:
    """The lines of a model that reads a question and a context, long ones in windows.

    Args:
        overlap: tokens that a window of the context shares with the one before it.
        joint: stands before each context; other arguments as those of ``text_recipe``.
    """
    return _WINDOWS.format(
        loading=_loading(trunk, source, revision, ", AutoTokenizer"),
        ready=_ready(trunk),
        second=f"{joint!r} + context" if joint else "context",
        shift=len(joint),
        places=inspect.getsource(places_of_windows),
        max_length=max_length,
        overlap=overlap,
        types=types,
        own=_OWN if _prompted(trunk) else "",
    )


def image_recipe(
    trunk: nn.Module, source: str, revision: str, *, pooling: str, pixels: str, shape: tuple[int, ...]
) -> str:
    """An image model's lines; ``pixels`` is code that makes the model's input of ``rows``."""
    return _IMAGE.format(
        loading=_loading(trunk, source, revision, ""),
        ready=_ready(trunk),
        pixels=pixels,
        shape=" x ".join(map(str, shape)),
        sides=", ".join(map(str, shape)),
        pooled=_POOLED_IMAGE[pooling],
    )


def _prompted(trunk: Any) -> bool:
    return hasattr(trunk, "peft_config") and bool(trunk.active_peft_config.is_prompt_learning)


def adapting(trunk: Any, name: str) -> tuple[list[str], str]:
    """Imports, and the lines that give the base model of that name the adapter of the folder."""
    if hasattr(trunk, "loading"):  # one that is not PEFT's
        imports, lines = trunk.loading(name)
        return imports, f"{lines.strip()}\n"
    return ["from peft import PeftModel"], f'{name} = PeftModel.from_pretrained({name}, ".")\n'


def _ready(trunk: Any) -> str:
    base = trunk.get_base_model() if hasattr(trunk, "peft_config") else trunk
    return "model.eval()" if bits_of(base) else "model.eval().float()"


def _loading(trunk: Any, source: str, revision: str, also: str) -> str:
    adapted = hasattr(trunk, "peft_config")
    base = trunk.get_base_model() if adapted else trunk
    usual = MODEL_MAPPING.get(type(base.config), None) is type(base)
    auto = "AutoModel" if usual else type(base).__name__
    bits = bits_of(base) if adapted else None
    names = f"{auto}{also}" + (", BitsAndBytesConfig" if bits else "")
    more, lines = adapting(trunk, "model") if adapted else ([], "")
    imports = dict.fromkeys(["import torch", *more, f"from transformers import {names}"])
    given = f", dtype=torch.float32, {as_code(bits)}" if bits else ""  # which is not converted later
    whole = f'model = {auto}.from_pretrained(".")\n'
    model = (
        _ADAPTED.format(source=source, revision=revision, auto=auto, given=given, adapted=lines) if adapted else whole
    )
    return "\n".join([*imports, "", model])
