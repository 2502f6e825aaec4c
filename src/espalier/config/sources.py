"""Where config files lie: the user's folder first, then the shipped groups, then Hydra's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import hydra._internal.core_plugins.basic_launcher
import hydra._internal.core_plugins.basic_sweeper
import hydra.conf  # noqa: F401  # like the two above: registers its options
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.core_plugins.importlib_resources_config_source import ImportlibResourcesConfigSource
from hydra._internal.core_plugins.structured_config_source import StructuredConfigSource
from hydra._internal.sources_registry import SourcesRegistry

from espalier.config.searchpath import GatedRepository
from espalier.core.errors import ConfigError, Fault


def shipped() -> Path:
    """The config groups that come with Espalier: inside the package once installed, else beside ``src``."""
    inside = Path(__file__).parents[1] / "conf"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "conf"


def loader(config_dirs: Sequence[Path]) -> ConfigLoaderImpl:
    """Hydra's loader over the user's folders, the shipped one and Hydra's; of two files of one name the first wins.

    Hydra's plug-ins are not searched for: looking for them imports every installed ``hydra_plugins`` module.

    Raises:
        ConfigError: a folder is not there.
    """
    missing = [folder for folder in config_dirs if not folder.is_dir()]
    if missing:
        raise ConfigError(*(Fault(f"--config-dir {f}", "is no folder.", f"Looked from {Path.cwd()}.") for f in missing))
    for source in (FileConfigSource, ImportlibResourcesConfigSource, StructuredConfigSource):
        SourcesRegistry.instance().register(source)
    path = ConfigSearchPathImpl()
    for folder in config_dirs:
        path.append("command-line", f"file://{folder.resolve()}")
    path.append("main", f"file://{shipped()}")
    path.append("hydra", "pkg://hydra.conf")
    path.append("schema", "structured://")
    made = ConfigLoaderImpl(path)
    made.repository = GatedRepository(path)
    return made
