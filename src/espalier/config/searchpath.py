"""``hydra.searchpath`` may name packages, and looking into a package imports it: only trusted ones may stand there."""

from __future__ import annotations

from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_search_path import ConfigSearchPath

from espalier.config.trust import is_trusted, why_never
from espalier.core.errors import Fault, TrustError

_OURS = ("pkg://hydra.conf", "structured://")


class GatedRepository(ConfigRepository):
    """Hydra's repository, which looks at every place before Hydra does: command line and YAML, references resolved."""

    def initialize_sources(self, config_search_path: ConfigSearchPath) -> None:
        """Open the places of a search path.

        Raises:
            TrustError: ``pkg://…`` with a package that is not trusted, or another scheme than file and pkg.
        """
        faults = [fault for place in config_search_path.get_path() if (fault := _refusal(str(place.path)))]
        if faults:
            raise TrustError(*faults)
        super().initialize_sources(config_search_path)


def _refusal(place: str) -> Fault | None:
    scheme, colon, rest = place.partition("://")
    if place in _OURS or not colon or scheme == "file":
        return None
    package = rest.replace("/", ".").partition(".")[0]
    what = f"hydra.searchpath: {place}"
    if scheme != "pkg":
        return Fault(what, "is no place for options.", "Name a folder:  file://…  or plain")
    if is_trusted(package):
        return None
    if why_never(package):
        return Fault(what, "would import a package that has no options.", "Take it out.")
    return Fault(what, "would import a package that you do not trust.", f"If you do:  espalier trust {package}")
