"""``espalier trust PACKAGE``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from espalier.cli.arguments import Parser
from espalier.config.locate import is_there
from espalier.config.trust import distrust, trust, trusted, why_never
from espalier.core.errors import Fault, UserError
from espalier.core.home import home

_HELP = """\
espalier trust [PACKAGE …] [--remove]

Lets configs name classes and functions that PACKAGE defines (`_target_: my_package.net.Net`). A config, a checkpoint or
a run directory from somebody else can only ever call Espalier's own parts and what you trust here. Without a package:
lists what is trusted. A package in the working folder is found there once it is trusted. ESPALIER_TRUST=a,b trusts for
one command; an installed package may announce itself by an entry point in the group espalier.parts."""


def main(words: Sequence[str]) -> int:
    """Change or print the list; 0."""
    parser = Parser("espalier trust")
    parser.add_argument("packages", nargs="*")
    parser.add_argument("--remove", action="store_true")
    given = parser.read(words)
    if given.help:
        print(_HELP)
        return 0
    if not given.packages:
        print("\n".join(trusted()) or "no package is trusted yet:  espalier trust PACKAGE")
    for package in given.packages:
        if given.remove:
            print(f"{package} is trusted no more" if distrust(package) else f"{package} was not trusted")
        else:
            _require_there(package)
            print(f"{package} is {'now trusted' if trust(package) else 'trusted already'}  ({home() / 'trusted'})")
    return 0


def _require_there(package: str) -> None:
    if why_never(package) is None and not is_there(package):
        truth = f"is not installed, and there is no {package}/ or {package}.py in {Path.cwd()}."
        raise UserError(Fault(f"espalier trust {package}", truth, "Check its name, or go to the folder where it lies."))
