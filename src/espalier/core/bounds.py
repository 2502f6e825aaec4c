"""Ranges that a part states in its signature and that ``config.check`` reads from source, without importing the part.

The plain ones (``Gt``, ``Ge``, ``Lt``, ``Le``) are annotated-types'; here are those that look beyond their own value.

    def __init__(self, *, devices: Annotated[int, Ge(1), AtMost("gpus")], path: str,
                 columns: Annotated[dict[str, str], ColumnsOf("path")]) -> None: ...
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class AtMost:
    """No more than the machine has: ``resource`` is ``cpus`` or ``gpus`` (see ``core.machine.probe``)."""

    resource: str


@dataclass(frozen=True)
class ColumnsOf:
    """A mapping role -> column whose columns must stand in the header of the file that the sibling key names."""

    path_key: str


@dataclass(frozen=True)
class FileExists:
    """The path of a file that must be there (relative to the working folder)."""


@dataclass(frozen=True)
class Keys:
    """A mapping with no other keys than these: a slip in one is no new setting."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class OfferedBy:
    """A value that must be a key of a class attribute of another group's part.

    ``OfferedBy("model", "targets")`` holds for ``attention`` where the model's class says
    ``targets: ClassVar[Mapping[str, str]] = {"attention": r".*(query|value)"}``.
    A part that lacks the attribute offers nothing; a user's own part is asked the same way.
    """

    group: str
    attribute: str


@dataclass(frozen=True)
class Reads:
    """A model whose encoding reads a kind of column that another group's part has.

    ``Reads("data")`` holds where the encoding's class says ``reads: ClassVar[tuple[str, ...]] = ("text",)`` and the
    data option's class ``kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}``. Where either
    says nothing, it holds.
    """

    group: str
