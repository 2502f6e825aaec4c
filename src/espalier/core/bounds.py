"""Ranges that a part states in its signature and that ``config.check`` reads from source, without importing the part.

The plain ones (``Gt``, ``Ge``, ``Lt``, ``Le``) are annotated-types'; here are those that look beyond their own value.

    def __init__(self, *, devices: Annotated[int, Ge(1), AtMost("gpus")], path: str,
                 columns: Annotated[dict[str, str], ColumnsOf("path")]) -> None: ...
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Asks:
    """A task that asks another group's part for more than ``forward``.

    ``Asks("model")`` holds where the model's class has every method or attribute that the task's class names in
    ``asks: ClassVar[tuple[str, ...]] = ("states", "logits")``, or where a class cannot be read. What the task's
    ``suits: ClassVar[str]`` says is the remedy.
    """

    group: str


@dataclass(frozen=True)
class AtMost:
    """No more than the machine has that it is to run on: ``cpus``, ``gpus`` or ``apple_gpus`` (``core.machine``)."""

    resource: str


@dataclass(frozen=True)
class ColumnsOf:
    """Columns (a mapping role -> column, or a list) that the first file named by the sibling key must have.

    The part's class says how the file is read, if not as a delimited one: ``format: ClassVar[str] = "jsonl"``.
    """

    path_key: str


@dataclass(frozen=True)
class FileExists:
    """The path of a file that must be there (relative to the working folder), a list of them, or a pattern (``*``)."""


@dataclass(frozen=True)
class FolderExists:
    """The path of a folder that must be there."""


@dataclass(frozen=True)
class HubOrFolder:
    """A hub id (``ORG/NAME``), or a folder that must be there, written as a path (see ``core.home.folder_of``)."""


@dataclass(frozen=True)
class Keys:
    """A mapping with no other keys than these: a slip in one is no new setting."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Learns:
    """A task that learns the kind of labels that another group's part has.

    ``Learns("data")`` holds where the task's class says ``learns: ClassVar[str] = "labels"`` (any number of labels a
    row) and the data has such ones: its ``label_separator`` is set, or the first row of its file has a list of labels.
    A data option's class may state its own: ``teaches: ClassVar[str] = "sources"``.
    """

    group: str


@dataclass(frozen=True)
class Needs:
    """A value that, where it is set (neither false nor null), asks something of the machine.

    ``gpus``, ``compiler``, or the name of a package that one of our extras brings: ``bitsandbytes``.
    """

    resource: str


@dataclass(frozen=True)
class OfferedBy:
    """A value that must be a key of a class attribute of another group's part.

    ``OfferedBy("model", "targets")`` holds for ``attention`` where the model's class says
    ``targets: ClassVar[Mapping[str, str]] = {"attention": r".*(query|value)"}``.
    A part that lacks the attribute offers nothing; a user's own part is asked the same way. A list is not looked at.
    """

    group: str
    attribute: str


@dataclass(frozen=True)
class OwnSettings:
    """A mapping name -> other values for settings of the same part, each of its own type and range."""


@dataclass(frozen=True)
class Reads:
    """A model whose encoding reads a kind of column that another group's part has.

    ``Reads("data")`` holds where the encoding's class says ``reads: ClassVar[tuple[str, ...]] = ("text",)`` and the
    data option's class ``kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}``; and where that has
    the kind which an encoding ``writes: ClassVar[str] = "target"``. Where either says nothing, it holds.
    """

    group: str


@dataclass(frozen=True)
class RunOrWeights:
    """The directory of a run that is done, or a safetensors file; both must be there."""
