"""``espalier import``: weights that are pickles become safetensors, in a process from which nothing gets out."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.cli.process import ask
from espalier.core.errors import Fault, UserError
from espalier.core.rundir import shown

_HELP = """\
espalier import FILE --output DIR [--prefix TEXT]

Converts weights that come as a pickle (.bin, .pt, .pth, .ckpt: a state dict, or a checkpoint that holds one) to
DIR/model.safetensors. A pickle can run code as it is read: so it is read by torch's reader of tensors alone, in a
process without network that may write this one file, with limited memory and time. What holds more than tensors is
refused, with the reason. Of a transformers model, the config and the tokenizer beside FILE are copied too.

  espalier import pytorch_model.bin --output mine     then  model=hub model.source=./mine (with its config.json)
  espalier import epoch=3.ckpt --output mine          then  weights=mine

  --prefix TEXT   only tensors whose names begin so, without it:  --prefix model."""
_FOREIGN = {
    ".safetensors": ("is safetensors already.", "Use it as it is:  weights={file}"),
    ".h5": ("is of Keras, and no pickle of torch's.", "Ask whoever made it for safetensors."),
    ".msgpack": ("is of Flax, and no pickle of torch's.", "Ask whoever made it for safetensors."),
    ".onnx": ("is a program and no weights of a model.", "Ask whoever made it for safetensors."),
    ".json": ("is a list of files and holds no weights.", "Name one of those files."),
}
_BESIDE = (
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "vocab.txt", "merges.txt", "spiece.model", "tokenizer.model", "sentencepiece.bpe.model",
    "preprocessor_config.json", "chat_template.jinja",
)  # fmt: skip
_LONGEST = 2**26


def main(words: Sequence[str]) -> int:
    """Check, convert, and say what to type next; the exit code."""
    parser = Parser("espalier import")
    parser.add_argument("file", nargs="*", type=Path)
    parser.add_argument("--output", type=Path, metavar="DIR")
    parser.add_argument("--prefix", default="")
    given = parser.read(words)
    if given.help or not (given.file or given.output):
        print(_HELP)
        return 0
    file, folder = _require(given.file, given.output)
    made = not folder.exists()
    folder.mkdir(exist_ok=True)
    code = ask("espalier.run.confined", "espalier.run.convert", str(file), str(folder), f"--prefix={given.prefix}")
    if code:
        shutil.rmtree(folder) if made else None
        if code >= 128:
            truth = f"was given up: reading it was ended by signal {code - 128}, as what takes too much is."
            raise UserError(Fault(str(file), truth, "Ask whoever made it for safetensors."))
        return 2
    copied = [name for name in _BESIDE if _copy(file.parent / name, folder)]
    if copied:
        print(f"copied beside it   {', '.join(copied)}")
    there = shown(folder)
    source = there if there.is_absolute() else f"./{there}"
    key, value = ("model=hub model.source", source) if "config.json" in copied else ("… weights", there)
    print(f"to use it   espalier train {key}={shlex.quote(str(value))}")
    return 0


def _require(files: Sequence[Path], folder: Path | None) -> tuple[Path, Path]:
    faults = []
    if len(files) != 1:
        said = " ".join(map(str, files)) or "espalier import"
        faults.append(Fault(said, f"names {len(files)} files.", "Name one:  espalier import FILE --output DIR"))
    if folder is None:
        faults.append(Fault("--output", "is not given.", "Name a new folder:  --output DIR"))
    elif folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        faults.append(Fault(f"--output {folder}", "is there already, and holds something.", "Name a new folder."))
    elif not folder.absolute().parent.is_dir():
        faults.append(Fault(f"--output {folder}", f"lies in {folder.parent}, which is not there.", "Make it first."))
    for file in files:
        if not file.is_file():
            what = "is a folder." if file.is_dir() else f"is not there (looked from {Path.cwd()})."
            faults.append(Fault(str(file), what, "Name a file: pytorch_model.bin, model.pt, last.ckpt …"))
        elif found := _FOREIGN.get(file.suffix.lower()):
            faults.append(Fault(str(file), found[0], found[1].format(file=shlex.quote(str(file)))))
    if faults or folder is None:
        raise UserError(*faults)
    return files[0], folder


def _copy(file: Path, folder: Path) -> bool:
    if not file.is_file() or file.stat().st_size > _LONGEST:
        return False
    shutil.copyfile(file, folder / file.name)
    return True
