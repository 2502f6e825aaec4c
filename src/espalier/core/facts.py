"""What parts need to know of the data, as plain records: ``Raw`` (what was read), ``DataFacts`` (what follows)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal[
    "text", "aside", "messages", "image", "vector", "words", "target", "label", "labels", "tags", "spans", "id",
]  # fmt: skip
"""``words``: a text as a list of them; ``aside``: a text beside another one, which may be empty; ``messages``: what was
said in turn, a list of structs (role: text, content: text; see ``core.conversations``). What is learned: ``label``: one
index a row; ``labels``: any number of them, a fixed-size list of 0 and 1, one for each label; ``tags``: an index for
each word; ``target``: a text that is to be written, or found among others; ``spans``: places in another text, a list of
structs (start: int64, text: string)."""

OUT_OF_SCOPE = "out_of_scope"
"""What rows are called that are of none of the classes, where such are to be told: the last of a source's labels."""

_LEARNED = ("label", "labels", "tags", "target", "spans", "id")  # and what only tells rows apart
_UNITS: Mapping[str, str] = {"text": "texts", "words": "texts", "messages": "conversations", "image": "images"}


def unit_of_kinds(kinds: Mapping[str, Kind]) -> str:
    """What a row is, for people: ``texts``, ``images``, ``samples``."""
    return next((_UNITS[kind] for kind in kinds.values() if kind in _UNITS), "samples")


@dataclass(frozen=True)
class Counts:
    """Rows of one split: ``read == kept + sum(dropped.values())`` always; ``truncated`` ones are kept."""

    read: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    truncated: int = 0


@dataclass(frozen=True)
class Raw:
    """What a data option read, cleaned and split, before any encoding.

    Attributes:
        splits: ``train``, ``validation``, ``test`` (or fewer) -> rows with columns named by role. ``row`` (int64: the
            row's number in its source) is always there; a label column holds int64 indices into ``labels``, or, of kind
            ``labels``, a fixed-size list of uint8 (0 or 1 for each of them), or, of kind ``tags``, a list of int64. Of
            a pair of texts the second one is ``text_pair``. Images are fixed-size lists of uint8, vectors fixed-size
            lists of float32. A column ``slice:<name>`` holds strings by which results are told apart; no model sees it.
        kinds: role -> kind.
        shape: of one image (channels, height, width) or vector (features,); empty for text.
        labels: source -> label names in index order. Data from one source call it ``""``.
        counts: per split.
        fingerprint: sha256 over the rows and what describes them; ``""`` if unknown: then nothing made of them is kept.
        origin: where it was taken from, for people.
        label_counts: training rows that have each label, in index order; empty where there is not one source of labels.
        notes: what people should know of the rows, a sentence each.
        outside: whether the last label is ``OUT_OF_SCOPE``: rows of none of the others, of which training has none.
    """

    splits: Mapping[str, pa.Table]
    kinds: Mapping[str, Kind]
    labels: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, Counts]
    fingerprint: str
    origin: str
    shape: tuple[int, ...] = ()
    label_counts: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    outside: bool = False


@dataclass(frozen=True)
class DataFacts:
    """What model, adapter, task and scheduler may know of the data; grows as ``assemble`` learns more.

    Attributes:
        kinds: role -> kind (see ``Raw``).
        labels: source -> label names in index order; one source is called ``""``.
        sizes: rows per split.
        shape: of one image or vector.
        max_length: longest token sequence allowed, or None.
        vocab_size: learned by the encoding; 0 where there are no tokens.
        pad: ragged column -> the value that pads it.
        total_steps: optimizer steps of the whole run; -1 while unknown or endless.
        label_counts: training rows that have each label (see ``Raw``).
        outside: whether the last label is of rows that are of none of the others (see ``Raw``).
        overlap, packing: how long and short texts are cut and put together (see ``core.parts.Batching``).
    """

    kinds: Mapping[str, Kind]
    labels: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, int]
    shape: tuple[int, ...] = ()
    max_length: int | None = None
    vocab_size: int = 0
    pad: Mapping[str, int] = field(default_factory=dict)
    total_steps: int = -1
    label_counts: tuple[int, ...] = ()
    outside: bool = False
    overlap: int = 0
    packing: bool = False

    @staticmethod
    def of(raw: Raw, *, max_length: int | None = None, overlap: int = 0, packing: bool = False) -> DataFacts:
        """The facts that reading alone tells."""
        sizes = {name: table.num_rows for name, table in raw.splits.items()}
        more: dict[str, Any] = {"label_counts": raw.label_counts, "outside": raw.outside}
        more |= {"max_length": max_length, "overlap": overlap, "packing": packing}
        return DataFacts(raw.kinds, raw.labels, sizes, raw.shape, **more)

    def as_dict(self) -> dict[str, Any]:
        """Plain nested values, ready for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(record: Mapping[str, Any]) -> DataFacts:
        """The reverse of ``as_dict``, also of what JSON made of it; keys of later versions are passed over.

        Raises:
            KeyError, TypeError, AttributeError: it is no such record.
        """
        known = {name: value for name, value in record.items() if name in DataFacts.__dataclass_fields__}
        known |= {name: tuple(known[name]) for name in ("shape", "label_counts") if name in known}
        return DataFacts(**{**known, "labels": {source: tuple(names) for source, names in record["labels"].items()}})

    def learn(self, **more: object) -> DataFacts:
        """A copy that knows more."""
        return replace(self, **more)  # type: ignore[arg-type]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The roles that a model reads: all but ids and what it learns to answer."""
        return tuple(role for role, kind in self.kinds.items() if kind not in _LEARNED)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The label names of data from a single source.

        Raises:
            ValueError: there are several sources; ask ``labels``.
        """
        (names,) = self.labels.values()
        return names
