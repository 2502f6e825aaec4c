"""Words that name several values (``optimizer.lr=1e-4,1e-3``, ``interval(…)``) as dimensions, and points as words."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException

from espalier.config.words import Word, quoted
from espalier.core.errors import Fault
from espalier.core.searching import Dimension, Point

LOG_FROM = 100  # an interval whose end is so many times its beginning is searched in the logarithm
_SAFE = re.compile(r"[\w./:@%?|+-][\w./:@%?|+*-]*", re.ASCII)
_CALL = re.compile(r"^(interval|range|choice|glob|tag|shuffle|sort|int|float)\(")


def dimension(word: Word, place: int, source: str = "command line") -> Dimension | Fault:
    """What a sweeping word varies, or why it cannot be."""
    override, key = word.override, str(word.override.get_key_element())
    sweep: Any = override._value
    if isinstance(sweep, IntervalSweep):
        return _interval(word, sweep, Dimension(key, source=source, place=place))
    values = _values(override, key)
    if not values:
        return Fault(word.typed, "names no value.", "Check the range, or the pattern.")
    return Dimension(key, values, source=source, place=place)


def misread(word: Word) -> Fault | None:
    """A value that begins as Hydra's sweeps do and is none: it would be taken for a text."""
    value = word.typed.partition("=")[2]
    if word.override.is_sweep_override() or not (call := _CALL.match(value)):
        return None
    return Fault(word.typed, f"cannot be read as {call[1]}(…).", f"{_FORMS[call[1]]}")


_FORMS = {
    "interval": "Write  interval(low,high)",
    "range": "Write  range(start,stop,step)",
    "choice": "Write  choice(a,b,c)",
    "glob": "Write  glob(pattern)  or  glob([patterns],exclude=pattern)",
    "tag": "Write  tag(log,interval(low,high))",
    "shuffle": "Write  shuffle(a,b,c)  or  shuffle(range(…))",
    "sort": "Write  sort(a,b,c)",
    "int": "Write  int(interval(low,high))",
    "float": "Write  float(range(start,stop))",
}


def words_of(point: Point) -> tuple[str, ...]:
    """A point as words of a command line."""
    return tuple(f"{key}={spelled(value)}" for key, value in point.items())


def spelled(value: Any) -> str:
    """A plain value as Hydra's grammar reads it back."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_spelled_key(key)}:{spelled(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(spelled, value)) + "]"
    text = str(value)
    return text if _is_read_as_text(text) else quoted(text)


def _spelled_key(key: Any) -> str:
    # A key cannot be quoted: signs of the grammar are marked one by one; letters of other scripts have no spelling.
    return re.sub(r"([\\()\[\]{}:=, \t])", r"\\\1", key) if isinstance(key, str) else spelled(key)


def _is_read_as_text(text: str) -> bool:
    if not _SAFE.fullmatch(text):
        return False
    try:
        float(text.replace("_", ""))
    except ValueError:
        return text.lower() not in ("null", "true", "false")
    return False


def _interval(word: Word, sweep: IntervalSweep, bare: Dimension) -> Dimension | Fault:
    low, high = sweep.start, sweep.end
    if low is None or high is None or not low < high:
        return Fault(word.typed, "has its low end first and its high end second.", _FORMS["interval"])
    tagged = "log" in sweep.tags
    if tagged and low <= 0:
        return Fault(word.typed, "has no logarithm at its low end.", "Begin above 0.")
    if strange := sweep.tags - {"log", "linear"}:
        return Fault(word.typed, f"has the tag {min(strange)}, which says nothing here.", "There are: log, linear.")
    wide = low > 0 and high / low >= LOG_FROM and "linear" not in sweep.tags
    whole = isinstance(low, int) and isinstance(high, int)
    return Dimension(bare.key, (), low, high, tagged or wide, whole, None, bare.source, bare.place)


def _values(override: Override, key: str) -> tuple[Any, ...]:
    """The values, each once. Shuffled ones always in the same order: trials bear numbers."""
    sweep: Any = override._value
    shuffled = isinstance(sweep, ChoiceSweep | RangeSweep) and sweep.shuffle
    try:
        if shuffled:
            sweep.shuffle = False
        values = [Override._convert_value(value) for value in override.sweep_iterator()]
    except (HydraException, ValueError):  # of a step of nothing
        return ()
    finally:
        if shuffled:
            sweep.shuffle = True
    if isinstance(sweep, RangeSweep):  # steps add up to 0.009000000000000001
        values = [float(f"{value:.12g}") if isinstance(value, float) else value for value in values]
    if isinstance(sweep, Glob):  # it matches files that hold what options have in common, too
        values = [value for value in values if not str(value).startswith("_")]
    unique = list({spelled(value): value for value in values}.values())
    if shuffled:
        random.Random(key).shuffle(unique)
    return tuple(unique)
