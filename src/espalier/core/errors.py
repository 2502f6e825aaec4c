"""What can go wrong, as a tree.

EspalierError                 every error that we raise on purpose
├── UserError                 exit code 2: something in the command, config, data or set-up is to be mended
│   ├── ConfigError           the composed config is not valid (all its faults at once)
│   ├── TrustError            the config names code that is neither ours nor trusted
│   └── DataError             the data is not what the config says it is
├── RunFailedError            exit code 1: the run began and could not go on; its directory says why
│   ├── DivergedError         its losses or gradients were bad too often: a smaller step may help
│   └── CorruptError          a checkpoint or run directory does not verify
├── InterruptedRunError       exit code 130/143: a signal ended the run; it is resumable
└── PausedRunError            exit code 0: a trial that its sweep lets wait; it is resumable
"""

from collections.abc import Sequence
from dataclasses import dataclass

from espalier.core.masking import masked_text


@dataclass(frozen=True)
class Fault:
    """One thing to mend: what was set, what is true, what to type, and where it stands.

    Attributes:
        what: what the user wrote, as he wrote it (``optimizer.lrr=1e-3``).
        truth: one sentence on what is true (``adamw has no setting "lrr".``).
        remedy: what to type instead (``Did you mean optimizer.lr?``).
        where: file and line, or the command line's word (``conf/mine.yaml:7``).
    """

    what: str
    truth: str
    remedy: str = ""
    where: str = ""

    def masked(self) -> "Fault":
        """The same, fit to be shown to anybody: secrets masked."""
        return Fault(masked_text(self.what), masked_text(self.truth), masked_text(self.remedy), self.where)

    def __str__(self) -> str:
        said = " ".join(part for part in (self.truth, self.remedy) if part)
        return f"{self.what}  {said}" + (f"  ({self.where})" if self.where else "")


def newer(what: str, kind: str, number: int, known: int, version: str) -> Fault:
    """Of files that a later version of Espalier wrote.

    Args:
        what: the file or folder.
        kind: what is numbered: ``schema``, ``format``.
        number, known: theirs, and the highest that this version reads.
        version: that wrote it; ``""`` where it does not say.
    """
    by = f"Espalier {version}" if version else "a later version of Espalier"
    truth = f"was written by {by} ({kind} {number}); this version reads {kind} {known} and those before."
    wanted = f"'espalier>={version}'" if version else "--upgrade espalier"
    return Fault(what, truth, f"Install that:  pip install {wanted}")


class EspalierError(Exception):
    """Base of all errors that Espalier raises on purpose. What they say holds no secret."""

    exit_code = 1

    def __init__(self, *said: object) -> None:
        super().__init__(*(masked_text(one) if isinstance(one, str) else one for one in said))


class UserError(EspalierError):
    """Something is to be mended by the user; carries every fault found, each once."""

    exit_code = 2

    def __init__(self, *faults: Fault | str) -> None:
        told = ((fault if isinstance(fault, Fault) else Fault("", fault)).masked() for fault in faults)
        self.faults: Sequence[Fault] = tuple(dict.fromkeys(told))
        super().__init__("\n".join(str(f).strip() for f in self.faults))


class ConfigError(UserError):
    """The composed config is not valid."""


class TrustError(UserError):
    """The config names code that is neither ours nor trusted."""


class DataError(UserError):
    """The data is not what the config says it is."""


class RunFailedError(EspalierError):
    """The run began and could not go on."""


class DivergedError(RunFailedError):
    """Losses or gradients were not finite, or spikes, too often."""


class CorruptError(RunFailedError):
    """A checkpoint or run directory does not verify against its manifest."""


class InterruptedRunError(EspalierError):
    """A signal ended the run at a step boundary; ``--resume`` continues it.

    Attributes:
        signal_name: ``SIGINT``, ``SIGTERM`` or ``SIGUSR1``.
    """

    def __init__(self, signal_name: str) -> None:
        self.signal_name = signal_name
        self.exit_code = 130 if signal_name == "SIGINT" else 143
        super().__init__(f"stopped by {signal_name}")


class PausedRunError(EspalierError):
    """A trial's sweep said at one of its rungs that it shall wait, or said nothing; its checkpoint is there."""

    exit_code = 0
