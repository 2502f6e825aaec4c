"""The flags of commands that compose an experiment: Hydra's names where Hydra has them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from espalier.config.suggest import nearest
from espalier.core.errors import Fault, UserError
from espalier.core.home import expanded


class Parser(argparse.ArgumentParser):
    """argparse, whose mistakes are answered as all others are."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog=prog, add_help=False, allow_abbrev=False)
        self.add_argument("-h", "--help", action="store_true")

    def error(self, message: str) -> NoReturn:
        """Raises ``UserError``."""
        raise UserError(Fault(self.prog, f"{message}.", f"See:  {self.prog} --help"))

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse; flags and words may be mixed.

        Raises:
            UserError: an unknown flag (with the one that was meant), a value that a flag does not take.
        """
        given, rest = self.parse_known_intermixed_args(words)
        if rest:
            known = [option for action in self._actions for option in action.option_strings]
            guesses = {word: nearest(word.partition("=")[0], known) for word in rest}
            raise UserError(*(Fault(w, "is no flag.", f"Did you mean  {g} ?" if g else f"See:  {self.prog} --help")
                              for w, g in guesses.items()))  # fmt: skip
        return given


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
