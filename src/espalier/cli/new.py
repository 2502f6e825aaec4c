"""``espalier new DIR``: a project of one's own that trains as it is."""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.config.locate import module_file
from espalier.config.trust import why_never
from espalier.core.errors import Fault, UserError

_HELP = """\
espalier new DIR

Makes DIR: a package with a model and a data set of your own, their options and an experiment in conf/, a table, tests
and a README. It trains as it is; change it from there."""

_TEMPLATES = Path(__file__).with_name("project")
_NAMES = {"package": "{package}", "gitignore": ".gitignore"}


def main(words: Sequence[str]) -> int:
    """Make the project, say what to type; 0."""
    parser = Parser("espalier new")
    parser.add_argument("directory", nargs="?", type=Path)
    given = parser.read(words)
    if given.help or given.directory is None:
        print(_HELP)
        return 0
    package = make(given.directory)
    commands = [
        f"cd {shlex.quote(str(given.directory))}",
        f"espalier trust {package}",
        "espalier train --config-dir conf experiment=first",
    ]
    print(f"{given.directory} is ready:", *commands, sep="\n  ")
    return 0


def make(directory: Path) -> str:
    """Fill a new folder, or an empty one; the name of its package.

    Raises:
        UserError: there is something in the folder; its name makes no package's, or another package's.
    """
    package = re.sub(r"\W+", "_", directory.resolve().name).strip("_").lower()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UserError(Fault(str(directory), "is there already.", "Name a new folder."))
    if not package.isidentifier() or keyword.iskeyword(package) or why_never(package) or module_file(package):
        truth = f"would make a package {package!r}: no name for one, or another's."
        raise UserError(Fault(str(directory), truth, f"Try  espalier new {shlex.quote(f'{directory}_experiments')}"))
    for template in sorted(_TEMPLATES.rglob("*.txt")):
        parts = template.relative_to(_TEMPLATES).with_suffix("").parts
        file = directory.joinpath(*(_NAMES.get(part, part).format(package=package) for part in parts))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(template.read_text(encoding="utf-8").replace("{package}", package), encoding="utf-8")
    lines = ["message,kind", *(f"{message},{kind}" for message, kind in _messages())]
    (directory / "messages.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return package


def _messages() -> Iterator[tuple[str, str]]:
    """Sentences enough to train on, made of a few words."""
    things = ("the lamp", "my parcel", "this chair", "your shop", "the new kettle", "the invoice", "the blue coat")
    praise = ("is lovely", "came quickly", "works very well", "made us happy", "is worth it", "looks great")
    complaint = ("is broken", "came far too late", "never worked", "made us angry", "is a waste", "looks cheap")
    ends = ("", " today", " again", " as I expected", " for once")
    for thing, (said, kind), end in product(
        things, [(p, "praise") for p in praise] + [(c, "complaint") for c in complaint], ends
    ):
        yield f"{thing} {said}{end}", kind
