"""Tiny pretrained checkpoints, one of each family: random weights and a tokenizer learned from a few sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers as hf
import yaml
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CONF = Path(__file__).resolve().parents[2] / "conf" / "model"
TEXTS = [
    "A warm and funny film number 3.", "A dull and endless film number 12!", "The cat sat, quietly; a dog barked.",
    "Where is my order 0 1 2 3 4 5 6 7 8 9?", "refund, please: it came broken",
]  # fmt: skip
SIZE = {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24}
PLACES = 160  # positions of those that learn them


def word_pieces() -> hf.PreTrainedTokenizerFast:
    """As BERT's."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        TEXTS, trainers.WordPieceTrainer(vocab_size=120, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.decoder = decoders.WordPiece()
    named = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


def bytes_of(special: list[str], post: Any = None, **named: str) -> hf.PreTrainedTokenizerFast:
    """Byte pairs, as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = post or processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


@cache
def _unigrams() -> str:
    """Trained once: what it finds among equally good pieces is another each time."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=100, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return str(tokenizer.to_str())


def pieces() -> hf.PreTrainedTokenizerFast:
    """As T5's."""
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_unigrams()), pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def gemma(folder: Path) -> None:
    """Instead of a folder's own tokenizer one of a class that pads on the left."""
    vocabulary = {name: i for i, name in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", *sorted(set("".join(TEXTS)))])}
    hf.GemmaTokenizer(vocab={**vocabulary, "▁": len(vocabulary)}, merges=[]).save_pretrained(folder)


def bert(folder: Path) -> None:
    both(
        folder,
        word_pieces(),
        lambda size: hf.BertModel(hf.BertConfig(vocab_size=size, max_position_embeddings=PLACES, **SIZE)),
    )


def distilbert(folder: Path) -> None:
    config = {"n_layers": 2, "dim": 16, "n_heads": 2, "hidden_dim": 24, "max_position_embeddings": PLACES}
    both(folder, word_pieces(), lambda size: hf.DistilBertModel(hf.DistilBertConfig(vocab_size=size, **config)))


def roberta(folder: Path) -> None:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    names = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
    named = {**dict(zip(names, special, strict=True)), "cls_token": "<s>", "sep_token": "</s>"}
    post = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    config = {**SIZE, "max_position_embeddings": PLACES + 2, "type_vocab_size": 1, "pad_token_id": 1}
    both(
        folder,
        bytes_of(special, post, **named),
        lambda size: hf.RobertaModel(hf.RobertaConfig(vocab_size=size, **config)),
    )


def gpt2(folder: Path) -> None:
    """With a language model's head, and no padding token, as on the hub."""
    end = "<|endoftext|>"
    tokenizer = bytes_of([end], bos_token=end, eos_token=end, unk_token=end)
    config = {"n_layer": 2, "n_embd": 16, "n_head": 2, "n_positions": PLACES, "bos_token_id": 0, "eos_token_id": 0}
    both(folder, tokenizer, lambda size: hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=size, **config)))


def llama(folder: Path) -> None:
    """Begins each text with a token, and has none that pads."""
    begin, end = "<|begin_of_text|>", "<|end_of_text|>"
    post = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin}:1 $B:1", special_tokens=[(begin, 0)]
    )
    tokenizer = bytes_of([begin, end], post, bos_token=begin, eos_token=end)
    config = {**SIZE, "num_key_value_heads": 1, "bos_token_id": 0, "eos_token_id": 1}
    both(folder, tokenizer, lambda size: hf.LlamaForCausalLM(hf.LlamaConfig(vocab_size=size, **config)))


def qwen(folder: Path) -> None:
    tokenizer = bytes_of(["<|endoftext|>"], eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    config = {**SIZE, "num_key_value_heads": 1, "head_dim": 8, "bos_token_id": None, "eos_token_id": 0}
    both(folder, tokenizer, lambda size: hf.Qwen3ForCausalLM(hf.Qwen3Config(vocab_size=size, **config)))


def t5(folder: Path) -> None:
    """Encoder and decoder, of which the encoder alone is read."""
    config = {"num_layers": 2, "d_model": 16, "num_heads": 2, "d_ff": 24, "d_kv": 8, "decoder_start_token_id": 0}
    both(folder, pieces(), lambda size: hf.T5ForConditionalGeneration(hf.T5Config(vocab_size=size, **config)))


def nllb(folder: Path) -> None:
    """Encoder and decoder of many languages: each text begins with its own's code."""
    letters = ["<s>", "<pad>", "</s>", "<unk>", *sorted({*"".join(TEXTS), "▁"})]
    vocabulary = {name: i for i, name in enumerate(letters)}
    codes = ["deu_Latn", "eng_Latn", "zul_Latn"]
    sizes = {f"{side}_{what}": n for side in ("encoder", "decoder")
             for what, n in {"layers": 2, "attention_heads": 2, "ffn_dim": 24}.items()}  # fmt: skip
    config = {**sizes, "d_model": 16, "max_position_embeddings": 64, "decoder_start_token_id": 2}
    both(
        folder, hf.NllbTokenizer(vocab=vocabulary, merges=[], extra_special_tokens=codes),
        lambda size: hf.M2M100ForConditionalGeneration(hf.M2M100Config(vocab_size=size, **config)),
    )  # fmt: skip


def vit(folder: Path) -> None:
    torch.manual_seed(0)
    hf.ViTModel(hf.ViTConfig(image_size=32, patch_size=8, **SIZE)).save_pretrained(folder)
    processor = {
        "image_processor_type": "ViTImageProcessor", "do_resize": True, "size": {"height": 32, "width": 32},
        "resample": 2, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
        "image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.25, 0.2],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def both(folder: Path, tokenizer: Any, model: Callable[[int], Any]) -> None:
    torch.manual_seed(0)
    tokenizer.save_pretrained(folder)
    model(len(tokenizer)).save_pretrained(folder)


FAMILIES: dict[str, Callable[[Path], None]] = {
    function.__name__: function for function in (bert, distilbert, roberta, gpt2, llama, qwen, t5, vit)
}
"""Preset -> what writes such a checkpoint into a folder."""


def write(root: Path, family: str) -> Path:
    """A folder of ``$ESPALIER_MODELS`` where the preset of that name looks for its weights."""
    preset = yaml.safe_load((CONF / f"{family}.yaml").read_text())
    folder = root / preset["source"].rpartition("/")[2]
    FAMILIES[family](folder)
    return folder
