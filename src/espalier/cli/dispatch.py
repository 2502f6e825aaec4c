"""Find the command that was asked for; answer mistakes with one message and exit code 2."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword

from espalier import __version__
from espalier.cli.help import COMMANDS, overview
from espalier.config.suggest import nearest
from espalier.core.errors import EspalierError, Fault, UserError
from espalier.core.texts import is_whole
from espalier.core.world import is_first
from espalier.report.faults import fault_lines

_SHOWN = 40


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; its exit code: 0 done, 1 failed, 2 something to mend, 130 or 143 ended by a signal."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(words)
        if sys.stdout:
            sys.stdout.flush()  # here, where it is known what to do if nobody reads it
        return code
    except EspalierError as error:
        if os.environ.get("ESPALIER_TRACEBACK"):
            traceback.print_exc()
        faults = error.faults if isinstance(error, UserError) else [Fault("", str(error))]
        if is_first():  # ranks started together find the same
            print("\n".join(fault_lines(faults)), file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `espalier runs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if not isinstance(error.filename, str) or os.environ.get("ESPALIER_TRACEBACK"):
            raise
        fault = Fault(error.filename, f"{error.strerror}.")
        if error.errno == errno.ENAMETOOLONG:
            truth = f"is the name of no file: it has {len(error.filename):,} characters."
            fault = Fault(f"{error.filename[:_SHOWN]}…", truth)
        print("\n".join(fault_lines([fault])), file=sys.stderr)
        return 2


def _dispatch(words: list[str]) -> int:
    _require_text(words)
    if not words or words[0] in ("--help", "-h", "help"):
        print(overview())
        return 0
    if words[0] in ("--version", "-V"):
        print(f"espalier {__version__}")
        return 0
    command, rest = words[0], words[1:]
    if command not in (*COMMANDS, "complete"):  # which shells ask, and nobody types
        raise UserError(_unknown(command, words))
    # By name: a command loads what it needs and nothing of the others.
    module = f"{command}_" if iskeyword(command) else command
    return int(import_module(f"espalier.cli.{module}").main(rest))


def _require_text(words: Sequence[str]) -> None:
    """Refuse bytes that are no UTF-8, which Python hands on as halves of characters: no file could keep them."""
    truth, remedy = "has bytes that are no UTF-8.", "Type it in UTF-8, or rename the file that it names."
    faults = [Fault(ascii(word)[1:-1], truth, remedy) for word in words if not is_whole(word)]
    if faults:
        raise UserError(*faults)


def _unknown(command: str, words: Sequence[str]) -> Fault:
    if "=" in command or command.startswith("-"):
        meant = next((word for word in words if word in COMMANDS), "train")
        rest = " ".join(word for word in words if word != meant)
        return Fault(command, "comes before any command.", f"Did you mean  espalier {meant} {rest} ?")
    guess = nearest(command, COMMANDS)
    remedy = f"Did you mean  espalier {guess} ?" if guess else f"There are: {', '.join(COMMANDS)}."
    return Fault(command, "is no command.", remedy)
