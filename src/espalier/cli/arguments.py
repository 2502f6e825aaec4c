"""The flags of commands that compose an experiment: Hydra's names where Hydra has them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from espalier.config.suggest import nearest
from espalier.core.errors import Fault, UserError
from espalier.core.home import expanded

# Hydra's flags for what is chosen otherwise here.
_HYDRAS = {"--config-name": "experiment={}", "-cn": "experiment={}", "--config-path": "--config-dir {}",
           "-cp": "--config-dir {}"}  # fmt: skip


class Parser(argparse.ArgumentParser):
    """argparse, whose mistakes are answered as all others are."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog=prog, add_help=False, allow_abbrev=False)
        self.add_argument("-h", "--help", action="store_true")

    def error(self, message: str) -> NoReturn:
        """Raises ``UserError``."""
        raise UserError(Fault(self.prog, f"{message}.", f"See:  {self.prog} --help"))

    def read(
        self, words: Sequence[str], others: Callable[[argparse.Namespace], Sequence[Fault]] = lambda _: ()
    ) -> argparse.Namespace:
        """Parse; flags and words may be mixed.

        Args:
            others: what else is wrong, to be told with an unknown flag.

        Raises:
            UserError: an unknown flag (with the one or the setting that was meant), a value that a flag does not take.
        """
        composes = any(action.dest == "overrides" for action in self._actions)
        if composes and (faults := _of_hydra(words)):
            raise UserError(*faults)
        given, rest = self.parse_known_intermixed_args(words)
        if rest:
            known = [option for action in self._actions for option in action.option_strings]
            faults = []
            for word in dict.fromkeys(word for word in rest if word[:1] == "-"):  # and not the values of them
                guess = nearest(word.partition("=")[0], known)
                remedy = f"Did you mean  {guess} ?" if guess else _setting(word, words) if composes else ""
                faults.append(Fault(word, "is no flag.", remedy or f"See:  {self.prog} --help"))
            if composes:  # a flag that is not known ends them for argparse
                given.overrides += [word for word in rest if "=" in word and word[:1] != "-"]
            raise UserError(*faults, *others(given))
        return given


def _of_hydra(words: Sequence[str]) -> list[Fault]:
    faults = []
    for flag, value in _flags(words):
        if ours := _HYDRAS.get(flag):
            remedy = f"Write  {ours.replace('{}', value.removesuffix('.yaml') or '…')}"
            faults.append(Fault(f"{flag} {value}".rstrip(), "is Hydra's, and no flag here.", remedy))
    return faults


def _flags(words: Sequence[str]) -> list[tuple[str, str]]:
    """Each flag with what follows it, ``=`` or a blank between."""
    pairs = pairwise([*words, ""])
    parts = [(*word.partition("="), after) for word, after in pairs if word[:1] == "-"]
    return [(flag, value if sign else "" if "=" in after or after[:1] == "-" else after)
            for flag, sign, value, after in parts]  # fmt: skip


def _setting(word: str, words: Sequence[str]) -> str:
    """The setting that was meant by a flag, with its value."""
    flag = word.partition("=")[0]
    value = next((value for name, value in _flags(words) if name == flag), "")
    key = flag.lstrip("-").replace("-", "_")
    if not re.fullmatch(r"[A-Za-z]\w+(\.\w+)*", key):
        return ""
    # By name: composing takes a while, and other commands do without.
    composed = import_module("espalier.config.compose").compose([f"{key}={value or 'null'}"])
    remedy = next((fault.remedy for fault in composed.faults), f"Write  {key}={value or '…'}")
    renamed = re.fullmatch(r"Did you mean  ([\w.]+) \?", remedy)
    remedy = f"Write  {renamed[1]}={value or '…'}" if renamed else remedy
    return "" if remedy.startswith("It has") else f"A setting has no dashes. {remedy}"


def run_directory(word: str) -> Path:
    """A run as a person names it: ``DIR``, or ``run=DIR`` as for commands that have settings beside it."""
    named = word.removeprefix("run=")
    return Path(word) if named in (word, "") or Path(word).exists() else expanded(named)


def file_to_write(said: str, file: Path) -> Path:
    """The file that a command was told to write.

    Raises:
        UserError: it is a folder, or lies in one that is not there.
    """
    if file.is_dir():
        raise UserError(Fault(said, "is a folder.", "Name a file in it."))
    if not file.parent.is_dir():
        raise UserError(Fault(said, f"lies in a folder that is not there: {file.parent}.", "Make it first."))
    return file


def page_to_write(said: str, file: Path) -> Path:
    """``file_to_write`` of a page, which is HTML.

    Raises:
        UserError: the name does not end so; as ``file_to_write``.
    """
    to = file_to_write(said, file)
    if file.suffix.lower() not in (".html", ".htm"):
        remedy = f"Let its name end so:  {file.with_suffix('.html')}"
        raise UserError(Fault(said, "is not the name of a page, which is .html or .htm.", remedy))
    return to


def composing(prog: str) -> Parser:
    """A parser with what composing needs: words and folders of options."""
    parser = Parser(prog)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("-cd", "--config-dir", type=Path, action="append", default=[])
    return parser
