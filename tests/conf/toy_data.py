"""Small files in the formats of the real data sets, so that every data option runs everywhere."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

GOOD, BAD = "a warm and funny film number {}", "a dull and endless film number {}"


def write_data_root(folder: Path) -> Path:
    """A data root with ``sst2`` (three tsv files), ``mnist`` (four idx files) and the other sets that have names."""
    for split, rows in {"train": 64, "dev": 16, "test": 16}.items():
        write_table(folder / "sst2" / f"{split}.tsv", rows, "text\tlabel")
    generator = np.random.default_rng(0)
    for split, rows in {"train": 120, "t10k": 20}.items():
        pixels = generator.integers(0, 256, (rows, 28, 28), np.uint8)
        write_idx(folder / "mnist" / f"{split}-images-idx3-ubyte.gz", pixels)
        write_idx(folder / "mnist" / f"{split}-labels-idx1-ubyte.gz", (np.arange(rows) % 10).astype(np.uint8))
    _write_texts(folder)
    write_text(folder / "tiny_shakespeare" / "input.txt", 200)
    _write_photographs(folder / "cifar10_jpeg")
    for split, rows in {"train": 64, "dev": 16, "test": 16}.items():
        _zip(write_tagged(folder / "wnut17" / f"{split}.jsonl", rows, "ner_tags"))
    for domain in ("electronics", "grocery", "restaurants", "tripadvisor"):
        for split, rows in {"train": 24, "dev": 8, "test": 8}.items():
            _zip(write_answered(folder / "subjqa" / f"{domain}_{split}.jsonl", rows, domain))
    for language in ("en", "zh"):
        _zip(write_asked(folder / "alpaca_demo" / f"alpaca_{language}.jsonl", 48))
    for split, rows in {"valid": 120, "test": 40}.items():
        _zip(write_text(folder / "wikitext2" / f"{split}.txt", rows))
    for split, rows in {"train": 64, "val": 16, "test_2016_flickr": 16}.items():
        _zip(write_pairs(folder / "multi30k_en_de" / f"{split}.tsv", rows, "en\tde"))
    return folder


def _write_texts(folder: Path) -> None:
    """``ag_news``, ``banking77``, ``clinc150``, ``financial_phrasebank`` and ``imdb``."""
    for split, rows in {"train": 64, "test": 16}.items():
        write_table(folder / "banking77" / f"{split}.csv", rows, "text,category")
        table = {
            "text": [f"a film <br /> number {row}" for row in range(rows)],
            "label": [row % 2 for row in range(rows)],
        }
        (folder / "imdb").mkdir(exist_ok=True)
        pq.write_table(
            pa.table({**table, "rating": [7 * (row % 2) + 2 for row in range(rows)]}), folder / f"imdb/{split}.parquet"
        )
    write_table(folder / "financial_phrasebank" / "all_50agree.csv", 64, "text,label")
    _zip(write_table(folder / "ag_news" / "train.csv", 64, "text,label"))
    test = ["title,description,label", *(f"title {row},what it says,{row % 2}" for row in range(16))]
    (folder / "ag_news" / "test.csv").write_text("\n".join(test) + "\n")
    _zip(folder / "ag_news" / "test.csv")
    for split, rows in {"train": 64, "val": 16, "test": 16}.items():
        _zip(write_table(folder / "clinc150" / f"{split}.tsv", rows, "text\tintent"))
        outside = folder / "clinc150" / f"oos_{split}.tsv"
        outside.write_text("text\tintent\n" + "".join(f"none of them, {split} {row}\toos\n" for row in range(4)))
        _zip(outside)


def _zip(file: Path) -> None:
    file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()


def _write_photographs(folder: Path) -> None:
    """Coloured JPEG files of 32 x 32 pixels, as bytes."""
    folder.mkdir()
    for split, rows in {"train": 64, "test": 16}.items():
        images = []
        for row in range(rows):
            written = io.BytesIO()
            Image.new("RGB", (32, 32), (255 * (row % 2), row, 0)).save(written, "jpeg")
            images.append({"bytes": written.getvalue(), "path": f"{row}.jpg"})
        pq.write_table(
            pa.table({"image": images, "label": [row % 2 for row in range(rows)]}), folder / f"{split}.parquet"
        )


def write_table(path: Path, rows: int, header: str) -> Path:
    """A text column and a column of 0 and 1, separated as the header is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    separator = "\t" if "\t" in header else ","
    lines = [f"{(BAD, GOOD)[row % 2].format(row)}{separator}{row % 2}" for row in range(rows)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def write_text(path: Path, passages: int) -> Path:
    """Running text, blank lines between its passages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"Speaker {row % 7}:\n{(BAD, GOOD)[row % 2].format(row)}.\n\n" for row in range(passages)))
    return path


def write_rows(folder: Path, rows: int) -> None:
    """``rows.jsonl``, ``rows.parquet`` and ``many.jsonl``, whose rows have any number of labels."""
    texts = [(BAD, GOOD)[row % 2].format(row) for row in range(rows)]
    table = {"text": texts, "label": [row % 2 for row in range(rows)]}
    many = {"text": texts, "label": [["film", "good"][: row % 2 + 1] if row % 5 else [] for row in range(rows)]}
    for name, columns in {"rows": table, "many": many}.items():
        lines = [json.dumps(dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    pq.write_table(pa.table(table), folder / "rows.parquet")


def write_tagged(path: Path, rows: int, column: str = "tags") -> Path:
    """Sentences as words, of which one is a name: ``tokens``, and their tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = (["Ada"], ["Grace", "Hopper"], ["Alan", "M.", "Turing"])
    sentences = [(["I", "met"], names[row % 3], ["in", f"19{row % 90 + 10}", "."]) for row in range(rows)]
    tags = [["O", "O", "B-person", *["I-person"] * (len(name) - 1), "O", "O", "O"] for _, name, _ in sentences]
    lines = [{"tokens": [*a, *b, *c], column: of} for (a, b, c), of in zip(sentences, tags, strict=True)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_pairs(path: Path, rows: int, header: str) -> Path:
    """Texts in two languages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = (("dog", "ein Hund"), ("cat", "eine Katze"))
    lines = [f"a {names[row % 2][0]} number {row}\t{names[row % 2][1]} Nummer {row}" for row in range(rows)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def write_answered(path: Path, rows: int, domain: str = "films") -> Path:
    """Questions about a film, of which every third has no answer in its ``context``; SQuAD's ``answers``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for row in range(rows):
        kind, context = ("dull", "funny")[row % 2], (BAD, GOOD)[row % 2].format(row)
        found = [] if row % 3 == 2 else [kind]
        asked, start = ("Where was it made?", "How was it?")[bool(found)], context.find(kind)
        answers = {"text": found, "answer_start": [start] * len(found)}
        lines.append({"id": str(row), "context": context, "question": asked, "answers": answers, "domain": domain})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_asked(path: Path, rows: int) -> Path:
    """Instructions with an answer, every other one with an input."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        {"instruction": f"Say {row}.", "input": ("", "Twice.")[row % 2], "output": f"{row} " * (1 + row % 2)}
        for row in range(rows)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_images(folder: Path, rows: int) -> None:
    """Images of 8 x 8 grey pixels, dark and bright: ``<folder>/<label>/<row>.png``."""
    generator = np.random.default_rng(0)
    for row in range(rows):
        file = folder / ("dark", "bright")[row % 2] / f"{row}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(128 * (row % 2), 128 + 128 * (row % 2), (8, 8), np.uint8)).save(file)


def write_idx(path: Path, values: npt.NDArray[np.uint8]) -> None:
    """The idx format: two zero bytes, the type (8: unsigned byte), the axes' number and lengths, the values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))
