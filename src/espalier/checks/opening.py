"""The rows of an experiment; and the one message by which a process of ours answers a mistake."""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

from espalier.build.instantiate import instantiate
from espalier.config.compose import Experiment
from espalier.config.trust import WorkingFolderFinder
from espalier.core.errors import EspalierError, RunFailedError, UserError
from espalier.core.facts import Raw
from espalier.core.parts import Data
from espalier.report.faults import failure_lines, fault_lines, warning_line


def opened(experiment: Experiment) -> tuple[Data, Raw]:
    """Its source of rows, and those. Raises ``UserError``."""
    sys.meta_path.append(WorkingFolderFinder(Path.cwd()))
    source: Data = instantiate(experiment.config.data)
    return source, source.read()


def answered(work: Callable[[], int]) -> int:
    """Do the work; its exit code, or that of a mistake, which is answered with one message."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for category in (FutureWarning, DeprecationWarning):
        warnings.simplefilter("ignore", category)
    before, warnings.formatwarning = warnings.formatwarning, warning_line
    try:
        return work()
    except EspalierError as error:
        if os.environ.get("ESPALIER_TRACEBACK"):
            traceback.print_exc()
        lines = fault_lines(error.faults) if isinstance(error, UserError) else failure_lines(error)
        print("\n".join(lines), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `espalier data show | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if not error.filename or os.environ.get("ESPALIER_TRACEBACK"):
            raise
        print("\n".join(failure_lines(RunFailedError(f"{error.filename}: {error.strerror}."))), file=sys.stderr)
        return 1
    finally:
        warnings.formatwarning = before
