"""Hostile files: weights, checkpoints, models' folders, tables, images, each where a command reads it."""
# tables of cases, a line each

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benches.hostile.payloads import CANARY, pickled

SMALL = ("adapter=full", "tracking=none", "hardware=cpu", "callback=[]", "trainer.max_epochs=1")
_TABLE = "text,label\n" + "a good one,yes\na bad one,no\n" * 40


@dataclass(frozen=True)
class FileCase:
    """One try: ``lay(folder, templates)`` writes it; ``refused``: it must exit with 2, and say so in a line."""

    name: str
    lay: Callable[[Path, Path], None]
    words: tuple[str, ...]
    refused: bool = True


def cases() -> list[FileCase]:
    """All of them, names unique."""
    found = [*_weights(), *_models(), *_checkpoints(), *_tables(), *_images(), *_imports()]
    assert len({case.name for case in found}) == len(found)
    return found


# Safetensors: 8 bytes of length, a header of JSON, bytes.
_F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def _safe(header: Any, body: bytes = bytes(64), *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


_SAFETENSORS: Mapping[str, Callable[[], bytes]] = {
    "a header of 2^60 bytes": lambda: _safe({"a": _F32}, length=2**60),
    "a header of 2^64 - 1 bytes": lambda: _safe({"a": _F32}, length=2**64 - 1),
    "a header longer than the file": lambda: _safe({"a": _F32}, length=5_000),
    "a header of 90 MB of blanks": lambda: _safe(b'{"a":1' + b" " * 90_000_000 + b"}"),
    "no header": lambda: _safe(b"", length=0),
    "nothing": lambda: b"",
    "seven bytes": lambda: bytes(7),
    "a list for a header": lambda: _safe([1, 2]),
    "a header that is no UTF-8": lambda: _safe(b'{"\xff\xfe": 1}'),
    "a header of 100,000 levels": lambda: _safe(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "keys twice": lambda: _safe(
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[4],"data_offsets":[8,24]}}'
    ),
    "negative offsets": lambda: _safe({"a": {**_F32, "data_offsets": [-8, 0]}}),
    "offsets turned round": lambda: _safe({"a": {**_F32, "data_offsets": [8, 0]}}),
    "offsets beyond the end": lambda: _safe({"a": {**_F32, "data_offsets": [2**40, 2**40 + 8]}}),
    "overlapping offsets": lambda: _safe({"a": _F32, "b": {**_F32, "data_offsets": [4, 12]}}),
    "a gap": lambda: _safe({"a": _F32, "b": {**_F32, "data_offsets": [16, 24]}}),
    "a shape of an exabyte": lambda: _safe({"a": {**_F32, "shape": [2**30, 2**28]}}),
    "a shape that overflows": lambda: _safe({"a": {**_F32, "shape": [2**63, 2]}}),
    "a negative shape": lambda: _safe({"a": {**_F32, "shape": [-2]}}),
    "an unknown type": lambda: _safe({"a": {**_F32, "dtype": "PICKLE"}}),
    "a pickle by that name": lambda: pickled(f"touch {CANARY}"),
    "a zip by that name": lambda: _zipped({"data.pkl": pickled(f"touch {CANARY}")}),
    "metadata that is no text": lambda: _safe({"__metadata__": {"a": {"b": 1}}, "a": _F32}),
    "a million names": lambda: _safe(
        {f"k{n}": {**_F32, "shape": [0], "data_offsets": [0, 0]} for n in range(200_000)}, b""
    ),
    "dotted names": lambda: _safe(
        {"__class__.__init__": _F32, "trunk.0.__dict__": {**_F32, "data_offsets": [8, 16]}}, bytes(16)
    ),
}


def _zipped(files: Mapping[str, bytes]) -> bytes:
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return to.getvalue()


def _weights() -> Iterator[FileCase]:
    start = ("train", "data=digits", "model=mlp", *SMALL)
    for name, made in _SAFETENSORS.items():
        yield FileCase(f"weights: {name}", _file("x.safetensors", made), (*start, "weights=x.safetensors"))
    for ending in ("bin", "pt", "pth", "ckpt", "pkl", "npy", "h5", "zip"):
        yield FileCase(
            f"weights: a pickle as .{ending}",
            _file(f"x.{ending}", lambda: pickled(f"touch {CANARY}")),
            (*start, f"weights=x.{ending}"),
        )
    yield FileCase(
        "weights: a folder of pickles",
        _file("w/pytorch_model.bin", lambda: pickled(f"touch {CANARY}")),
        (*start, "weights=w"),
    )
    yield FileCase(
        "weights: a folder with an adapter",
        _files({"w/model.safetensors": _safe({"a": _F32}, bytes(8)), "w/adapter_config.json": b"{}"}),
        (*start, "weights=w"),
    )


def _models() -> Iterator[FileCase]:
    hub = (
        "train",
        "data=csv",
        "data.path=rows.csv",
        "data.columns.text=text",
        "data.columns.label=label",
        "model=hub",
        "model.source=./theirs",
        *SMALL,
    )

    def case(name: str, change: Callable[[Path], None], *, refused: bool = True) -> FileCase:
        def lay(folder: Path, templates: Path) -> None:
            _copy(templates / "bert", folder / "theirs")
            (folder / "rows.csv").write_text(_TABLE)
            change(folder / "theirs")

        return FileCase(f"model: {name}", lay, hub, refused)

    def put(file: str, content: bytes) -> Callable[[Path], None]:
        return lambda folder: (folder / file).write_bytes(content) and None

    def config(**more: Any) -> Callable[[Path], None]:
        return lambda folder: _merged(folder / "config.json", more)

    for name, made in _SAFETENSORS.items():
        yield case(
            f"weights, {name}", lambda folder, made=made: (folder / "model.safetensors").write_bytes(made()) and None
        )
    for name, more in {
        "code of its own": {"auto_map": {"AutoConfig": "code.C", "AutoModel": "code.M"}, "model_type": "theirs"},
        "trust_remote_code": {"auto_map": {"AutoConfig": "code.C"}, "model_type": "theirs", "trust_remote_code": True},
        "a type that climbs": {"model_type": "../../../evil"},
        "a type of another": {"model_type": "os.system"},
        "a width of a billion": {"hidden_size": 10**9},
        "ten million layers": {"num_hidden_layers": 10**7},
        "a vocabulary of a trillion": {"vocab_size": 10**12},
        "negative sizes": {"hidden_size": -16},
        "no heads": {"num_attention_heads": 0},
        "texts for numbers": {"hidden_size": "os.system"},
        "a tree for a number": {"hidden_size": {"_target_": "os.system"}},
        "quantised by a stranger": {"quantization_config": {"quant_method": "evil", "load_in_4bit": True}},
        "quantised by torchao": {
            "quantization_config": {
                "quant_method": "torchao",
                "quant_type": {"default": {"_type": "os.system", "_data": {}}},
            }
        },
        "an activation of its own": {"hidden_act": "os.system"},
        "architectures of its own": {"architectures": ["os.system"], "model_type": "evil"},
    }.items():
        yield case(f"config.json, {name}", config(**more))
    for name, more in {  # which are passed over
        "code of a known type": {"auto_map": {"AutoConfig": "code.C", "AutoModel": "code.M"}},
        "kernels of the hub": {"attn_implementation": "evil/kernels:act", "_attn_implementation": "evil/kernels:act"},
        "another file": {"transformers_weights": "pytorch_model.bin"},
        "a type of numbers": {"torch_dtype": "os.system", "dtype": "evil"},
        "a base elsewhere": {"_name_or_path": "http://127.0.0.1:9/evil"},
    }.items():
        yield case(
            f"config.json, {name}",
            lambda folder, more=more: _all(
                _merged(folder / "config.json", more),
                (folder / "code.py").write_text(f"open({CANARY!r},'w')\nclass C: ...\nclass M: ...\n"),
                (folder / "pytorch_model.bin").write_bytes(pickled(f"touch {CANARY}")),
            ),
            refused=False,
        )
    junk = {
        "no JSON": b"{",
        "deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "a list": b"[]",
        "no UTF-8": b"\xff\xfe",
        "empty": b"",
        "a number of a million digits": b'{"a": ' + b"9" * 1_000_000 + b"}",
    }
    for name, content in junk.items():
        yield case(f"config.json: {name}", put("config.json", content))
        yield case(f"tokenizer.json: {name}", put("tokenizer.json", content))
        yield case(f"tokenizer_config.json: {name}", put("tokenizer_config.json", content), refused=name != "empty")
        yield case(
            f"model.safetensors.index.json: {name}",
            lambda folder, content=content: _all(
                (folder / "model.safetensors").unlink(),
                (folder / "model.safetensors.index.json").write_bytes(content),
            ),
        )
    for name, more in {
        "code of its own": {"auto_map": {"AutoTokenizer": ["code.C", "code.C"]}, "tokenizer_class": "Theirs"},
        "a class of Python's": {"tokenizer_class": "os.system"},
        "a template that acts": {"chat_template": "{{ ''.__class__.__mro__[1].__subclasses__() }}"},
        "length of 2^70": {"model_max_length": 2**70},
        "tokens of trees": {"pad_token": {"__type": "AddedToken", "content": {"_target_": "os.system"}}},
    }.items():
        yield case(
            f"tokenizer_config.json, {name}",
            lambda folder, more=more: _all(
                _merged(folder / "tokenizer_config.json", more),
                (folder / "code.py").write_text(f"open({CANARY!r},'w')\nclass C: ...\n"),
            ),
            refused=False,
        )
    regex = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
    for name, more in {
        "a regular expression that never ends": {"pre_tokenizer": regex},
        "an unknown model": {"model": {"type": "Evil"}},
        "a token of 100 MB": {
            "added_tokens": [
                {
                    "id": 0,
                    "content": "x" * 100_000_000,
                    "special": True,
                    "single_word": False,
                    "lstrip": False,
                    "rstrip": False,
                    "normalized": False,
                }
            ]
        },
        "ids of 2^40": {
            "model": {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": {"[UNK]": 2**40},
            }
        },
        "no vocabulary": {
            "model": {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": {},
            }
        },
    }.items():
        yield case(
            f"tokenizer.json, {name}", lambda folder, more=more: _merged(folder / "tokenizer.json", more), refused=False
        )
    yield case(
        "an adapter beside it",
        lambda folder: _all(
            (folder / "adapter_config.json").write_text(
                json.dumps(
                    {
                        "peft_type": "LORA",
                        "base_model_name_or_path": "http://127.0.0.1:9/evil",
                        "auto_mapping": {"base_model_class": "Net", "parent_library": "evil"},
                    }
                )
            ),
            (folder / "adapter_model.bin").write_bytes(pickled(f"touch {CANARY}")),
        ),
    )
    yield case(
        "pickles alone",
        lambda folder: _all(
            (folder / "model.safetensors").unlink(),
            (folder / "pytorch_model.bin").write_bytes(pickled(f"touch {CANARY}")),
        ),
    )
    for name, index in {
        "leads out": "../../../etc/passwd",
        "a pickle": "pytorch_model.bin",
        "climbs": "../theirs/model.safetensors",
    }.items():
        yield case(
            f"index, {name}",
            lambda folder, index=index: _all(
                (folder / "model.safetensors").rename(folder / "model-1.safetensors"),
                (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": index}})),
            ),
        )


def _checkpoints() -> Iterator[FileCase]:
    """A run that somebody hands over: what it holds beside its config."""

    def case(name: str, change: Callable[[Path], None], words: tuple[str, ...], *, refused: bool = True) -> FileCase:
        def lay(folder: Path, templates: Path) -> None:
            _copy(templates / "run", folder / "run")
            change(folder / "run")

        return FileCase(f"run: {name}", lay, words, refused)

    evaluate, begin = ("evaluate", "run=run"), ("train", "data=digits", "model=mlp", *SMALL, "weights=run")
    structures = {
        "a class's name": {"$": "os.system", "is": ["touch canary"]},
        "a callable": {"$": "__class__", "is": []},
        "a tensor that is not there": {"$": "tensor", "is": "../../evil"},
        "deep": "deep",
        "a number": 3,
        "nothing": {},
        "an array of objects": {"$": "array", "is": {"dtype": "O", "shape": [1], "tensor": "x"}},
        "tuple of nothing": {"$": "tuple", "is": None},
        "a mapping for a list": {"state_dict": [1, 2, 3]},
        "another state": {"state_dict": {"trunk.0.weight": 3}},
    }
    for name, structure in structures.items():
        for words in (evaluate, begin):
            yield case(f"checkpoint, {name}, {words[0]}", lambda run, s=structure: _checkpoint(run, state=s), words)
    for name, made in _SAFETENSORS.items():
        if name not in ("dotted names", "keys twice"):
            yield case(
                f"checkpoint's tensors, {name}", lambda run, made=made: _checkpoint(run, tensors=made()), evaluate
            )
    for name, files in {
        "climbs": {"../../evil": {"bytes": 1, "sha256": "x"}},
        "a pickle": {"state.pt": {"bytes": 1, "sha256": "x"}},
        "none": {},
    }.items():
        yield case(f"manifest, {name}", lambda run, files=files: _manifest(run, files), evaluate)
    for file in ("facts.json", "outcome.json"):
        for name, content in {
            "a list": b"[]",
            "deep": b"[" * 100_000,
            "no UTF-8": b"\xff",
            "a class": b'{"kinds": {"__class__": "os"}, "status": {"_target_": "os.system"}}',
        }.items():
            yield case(
                f"{file}, {name}",
                lambda run, file=file, content=content: (run / file).write_bytes(content) and None,
                evaluate,
            )
    for name, content in {"junk": b"PAR1junkPAR1", "a pickle": pickled(f"touch {CANARY}"), "empty": b""}.items():
        yield case(
            f"predictions, {name}",
            lambda run, content=content: (
                [file.write_bytes(content) for file in run.glob("predictions/*.parquet")] and None
            ),
            ("compare", "run", "run"),
            refused=False,
        )
        yield case(
            f"model/, {name}",
            lambda run, content=content: (
                [file.write_bytes(content) for file in run.glob("model/*") if file.is_file()] and None
            ),
            evaluate,
            refused=False,
        )
        yield case(
            f"metrics, {name}",
            lambda run, content=content: (run / "metrics.jsonl").write_bytes(content) and None,
            ("report", "run", "output=outputs/page.html"),
            refused=False,
        )


def _tables() -> Iterator[FileCase]:
    def words(option: str, path: str) -> tuple[str, ...]:
        return (
            "train",
            f"data={option}",
            f"data.path={path}",
            "data.columns.text=text",
            "data.columns.label=label",
            "model=bag",
            *SMALL,
        )

    gigabytes = 10 * 2**30
    yield FileCase(
        "csv: 10 GB of equal rows",
        _file("x.csv.gz", lambda: _packed(b"text,label\n", b"a,b\n" * 2**18, gigabytes)),
        words("csv", "x.csv.gz"),
    )
    yield FileCase(
        "csv: one line of 10 GB",
        _file("x.csv.gz", lambda: _packed(b"text,label\n", b"x" * 2**20, gigabytes)),
        words("csv", "x.csv.gz"),
    )
    yield FileCase(
        "csv: one header of 10 GB",
        _file("x.csv.gz", lambda: _packed(b"", b"text,label," * 2**16, gigabytes)),
        words("csv", "x.csv.gz"),
    )
    yield FileCase(
        "csv: an open quote and 10 GB",
        _file("x.csv.gz", lambda: _packed(b'text,label\n"', b"x\n" * 2**19, gigabytes)),
        words("csv", "x.csv.gz"),
    )
    yield FileCase(
        "jsonl: 10 GB of equal lines",
        _file("x.jsonl.gz", lambda: _packed(b"", b'{"text":"a","label":"b"}\n' * 2**15, gigabytes)),
        words("jsonl", "x.jsonl.gz"),
    )
    yield FileCase(
        "jsonl: one line of 10 GB",
        _file("x.jsonl.gz", lambda: _packed(b'{"text": "', b"x" * 2**20, gigabytes)),
        words("jsonl", "x.jsonl.gz"),
    )
    yield FileCase(
        "data show: 10 GB of equal rows",
        _file("x.csv.gz", lambda: _packed(b"text,label\n", b"a,b\n" * 2**18, gigabytes)),
        ("data", "show", "data=csv", "data.path=x.csv.gz", "data.columns.text=text", "data.columns.label=label"),
    )
    for name, line in {
        "a million levels": b'{"text": ' + b"[" * 10**6 + b"]" * 10**6 + b', "label": "b"}\n',
        "a million keys": b'{"text": ' + b'{"a":' * 10**6 + b"1" + b"}" * 10**6 + b"}\n",
        "a number of a million digits": b'{"text": "a", "label": ' + b"9" * 10**6 + b"}\n",
        "a key twice": b'{"text": "a", "text": "b", "label": "c"}\n',
        "half a character": b'{"text": "\\ud800", "label": "b"}\n',
        "no UTF-8": b'{"text": "\xff", "label": "b"}\n',
        "a list": b"[1]\n",
        "a class": b'{"text": {"_target_": "os.system"}, "label": "b"}\n',
        "NaN": b'{"text": NaN, "label": Infinity}\n',
    }.items():
        yield FileCase(f"jsonl: {name}", _file("x.jsonl", lambda line=line: line), words("jsonl", "x.jsonl"))
    for name, content in {
        "100,000 columns": b",".join(b"c%d" % n for n in range(100_000)) + b"\n",
        "NUL": b"text,label\na\0,b\n",
        "a pickle": pickled(f"touch {CANARY}"),
        "a zip": _zipped({"x.csv": b"text,label\na,b\n"}),
        "an open quote": b'text,label\n"a,b\n' * 3,
        "UTF-16": "text,label\na,b\n".encode("utf-16"),
        "columns twice": b"text,text,label\na,b,c\n",
        "no label": b"text,label\na,\n",
        "a gzip of a gzip": gzip.compress(gzip.compress(b"text,label\na,b\n")),
        "half a gzip": gzip.compress(_TABLE.encode())[:40],
    }.items():
        yield FileCase(f"csv: {name}", _file("x.csv", lambda content=content: content), words("csv", "x.csv"))
    yield FileCase(
        "parquet: a value repeated a billion times", _file("x.parquet", _repeated), words("parquet", "x.parquet")
    )
    for name, content in {
        "junk": b"PAR1" + bytes(100) + b"PAR1",
        "a footer of 2^31": b"PAR1" + bytes(8) + struct.pack("<I", 2**31 - 1) + b"PAR1",
        "a footer beyond": b"PAR1" + struct.pack("<I", 5_000) + b"PAR1",
        "a pickle": pickled(f"touch {CANARY}"),
    }.items():
        yield FileCase(
            f"parquet: {name}", _file("x.parquet", lambda content=content: content), words("parquet", "x.parquet")
        )
    for place in range(4, 1500, 150):
        yield FileCase(
            f"parquet: a broken byte, {place}",
            _file("x.parquet", lambda place=place: _broken(place)),
            words("parquet", "x.parquet"),
            refused=False,
        )


def _images() -> Iterator[FileCase]:
    words = ("train", "data=folder", "data.path=photos", "data.size=[8,8]", "model=mlp", *SMALL)
    for name, content in {
        "a PNG of 30,000 x 30,000": _png(30_000, 30_000),
        "a PNG of 2^31 - 1 x 2^31 - 1": _png(2**31 - 1, 2**31 - 1),
        "a PNG of 13,000 x 13,000": _png(13_000, 13_000),
        "a PNG's text of 64 MB": _png(8, 8, _chunk(b"zTXt", b"a\0\0" + _deflated(2**26))),
        "half a PNG": _png(8, 8)[:40],
        "a pickle": pickled(f"touch {CANARY}"),
        "an SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n(canary) (w) file closefile\n",
        "a GIF of no size": b"GIF89a" + bytes(7),
        "a TIFF in a circle": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
        "a BMP of 2^31": b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 2**31 - 1, 2**31 - 1, 1, 24, 0) + bytes(20),
        "nothing": b"",
        "a zip": _zipped({"a": b"b"}),
    }.items():
        files = {f"photos/a/{n}.png": _png(8, 8) for n in range(10)} | {
            f"photos/b/{n}.png": _png(8, 8) for n in range(10)
        }
        yield FileCase(
            f"image: {name}",
            _files({**files, "photos/b/x.png": content}),
            words,
            refused=name != "a PNG of 13,000 x 13,000",
        )
    idx = b"\0\0\x08\x03"
    for name, content in {
        "2^96 images": idx + b"\xff\xff\xff\xff" * 3 + bytes(100),
        "no images": idx + bytes(12),
        "axes without end": b"\0\0\x08\xff" + b"\xff" * 1020,
        "cut off": idx + struct.pack(">III", 10, 28, 28) + bytes(100),
        "floats": b"\0\0\x0d\x03" + bytes(12),
        "nothing": b"",
        "a pickle": pickled(f"touch {CANARY}"),
    }.items():
        yield FileCase(
            f"idx: {name}",
            _files({f"data/mnist/{part}": content for part in _MNIST}),
            ("train", "data=mnist", "model=mlp", *SMALL),
        )
    yield FileCase(
        "idx: 10 GB",
        _files(
            {
                f"data/mnist/{part}.gz": lambda: _packed(
                    idx + struct.pack(">III", 13_696_000, 28, 28), bytes(2**20), 10 * 2**30
                )
                for part in _MNIST
            }
        ),
        ("train", "data=mnist", "model=mlp", *SMALL),
    )


_MNIST = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def _imports() -> Iterator[FileCase]:
    for protocol in range(5):
        for ending in ("bin", "ckpt"):
            yield FileCase(
                f"import: a pickle, protocol {protocol}, .{ending}",
                _file(f"x.{ending}", lambda p=protocol: pickled(f"touch {CANARY}", p)),
                ("import", f"x.{ending}", "--output", "outputs/mine"),
            )
    for name, content in {
        "a zip of a pickle": _zipped(
            {"archive/data.pkl": pickled(f"touch {CANARY}"), "archive/version": b"3\n", "archive/byteorder": b"little"}
        ),
        "a zip that climbs": _zipped({"../../evil/data.pkl": pickled(f"touch {CANARY}"), "../../evil/version": b"3\n"}),
        "a zip of nothing": _zipped({}),
        "a call by place": b"cposix\nsystem\n(S'touch canary'\ntR.",
        "a call by INST": b"(S'touch canary'\niposix\nsystem\n.",
        "a call by OBJ": b"(cposix\nsystem\nS'touch canary'\no.",
        "a call by stack": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0ctouch canary\x85R.",
        "a module imported": b"cevil\nNet\n.",
        "a long text": b"\x80\x04\x8d" + (2**60).to_bytes(8, "little"),
        "a memo of 2^31": b"\x80\x02r\xff\xff\xff\x7f.",
        "a frame of 2^62": b"\x80\x04\x95" + (2**62).to_bytes(8, "little") + b".",
        "junk": bytes(range(256)) * 100,
        "nothing": b"",
    }.items():
        yield FileCase(
            f"import: {name}",
            _file("x.bin", lambda content=content: content),
            ("import", "x.bin", "--output", "outputs/mine"),
        )


def _file(name: str, content: Callable[[], bytes]) -> Callable[[Path, Path], None]:
    return lambda folder, _: _put(folder / name, content())


def _files(contents: Mapping[str, bytes | Callable[[], bytes]]) -> Callable[[Path, Path], None]:
    def lay(folder: Path, _: Path) -> None:
        for name, content in contents.items():
            _put(folder / name, content() if callable(content) else content)

    return lay


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _copy(source: Path, to: Path) -> None:
    for file in source.rglob("*"):
        if file.is_file():
            _put(to / file.relative_to(source), file.read_bytes())


def _merged(file: Path, more: Mapping[str, Any]) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}))


def _checkpoint(run: Path, *, state: Any = None, tensors: bytes | None = None) -> None:
    """Change every checkpoint of a run, checksums included: whoever hands it over can make them."""
    for manifest in run.glob("checkpoints/*/manifest.json"):
        record = json.loads(manifest.read_text())
        for name in record["files"]:
            file = manifest.parent / name
            if tensors is not None and name.endswith(".safetensors"):
                file.write_bytes(tensors)
            if tensors is None and name.endswith(".json"):
                whole = {**json.loads(file.read_text()), "state": state}
                file.write_text(json.dumps(whole).replace('"deep"', "[" * 100_000 + "]" * 100_000))
            content = file.read_bytes()
            record["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        _signed(manifest, record)


def _manifest(run: Path, files: Any) -> None:
    for manifest in run.glob("checkpoints/*/manifest.json"):
        _signed(manifest, {**json.loads(manifest.read_text()), "files": files})


def _signed(manifest: Path, record: dict[str, Any]) -> None:
    record.pop("checksum", None)
    checksum = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    manifest.write_text(json.dumps({**record, "checksum": checksum}))


def _packed(begins: bytes, piece: bytes, size: int) -> bytes:
    """A gzip of many equal pieces, made in a moment: the compressor's output for one is repeated."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = squeeze.compress(begins) + squeeze.flush(zlib.Z_FULL_FLUSH)
    block = squeeze.compress(piece) + squeeze.flush(zlib.Z_FULL_FLUSH)
    header = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
    return header + head + block * (size // len(piece))  # without an end: nobody should come to it


def _deflated(size: int) -> bytes:
    squeeze = zlib.compressobj(9)
    return b"".join([*(squeeze.compress(bytes(2**22)) for _ in range(size // 2**22)), squeeze.flush()])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, *more: bytes) -> bytes:
    rows = _deflated(2**22) if width > 1000 else zlib.compress((b"\0" + bytes((width + 7) // 8)) * height)
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _repeated() -> bytes:
    """Row groups of one value each, kept once, repeated a million times: a terabyte when read."""
    few = pa.DictionaryArray.from_arrays(pa.array([0] * 2**20, pa.int32()), pa.array(["x" * 1000]))
    table = pa.table({"text": few, "label": few})
    to = io.BytesIO()
    with pq.ParquetWriter(to, table.schema) as writer:
        for _ in range(1000):
            writer.write_table(table)
    return to.getvalue()


def _broken(place: int) -> bytes:
    to = io.BytesIO()
    pq.write_table(pa.table({"text": ["a", "b"] * 50, "label": ["x", "y"] * 50}), to)
    content = bytearray(to.getvalue())
    content[place % len(content)] ^= 0xFF
    return bytes(content)


def _all(*_: object) -> None:
    """Several acts in one lambda."""
