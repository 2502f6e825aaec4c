"""``hydra.searchpath`` may name packages, and looking into a package imports it: only trusted ones may stand there."""

from __future__ import annotations

import os
from pathlib import Path

from hydra._internal.config_repository import ConfigRepository
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.config_source import ConfigResult

from espalier.config.trust import is_trusted, why_never
from espalier.core.errors import ConfigError, Fault, TrustError
from espalier.core.yaml_files import read_text

_SHIPPED = "main"  # as ``sources.loader`` names the folder that comes with Espalier
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
        # Hydra keeps one class for a scheme in the whole process: another program's may be registered there.
        self.sources = [
            _Folder(source.provider, source.path) if isinstance(source, FileConfigSource) else source
            for source in self.sources
        ]


class _Folder(FileConfigSource):
    """A folder of options. A file that lies beside it, or unfolds to more than any config, is not read."""

    def load_config(self, config_path: str) -> ConfigResult:
        """As ``ConfigSource`` says. Raises ``ConfigError``."""
        folder = Path(self.path)
        file = Path(os.path.normpath(folder / self._normalize_file_name(config_path)))
        if not file.is_relative_to(os.path.normpath(folder)):
            truth = f"leads out of the folder of options {folder}."
            raise ConfigError(Fault(config_path, truth, "Copy that file into it, or name its folder:  --config-dir"))
        if self.provider != _SHIPPED and file.is_file():
            read_text(file)
        return super().load_config(config_path)


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
