"""Words of commands that work on a trained run: ``run=DIR``, settings of their own, and parts' settings by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from espalier.config.suggest import asked, listed, nearest
from espalier.config.trained_run import unusable
from espalier.core.errors import Fault, UserError
from espalier.core.home import expanded


def read_settings(
    words: Sequence[str], known: Mapping[str, str], groups: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """Sort words into a command's own settings and those of the groups that may be changed.

    Args:
        known: the command's own settings -> an example of a value for those that must be given, ``""`` for others.
        groups: whose words are passed on: ``hardware=cpu``, ``data.path=…``.

    Raises:
        UserError: with a fault for each word that is neither, or stands twice, and each setting that is missing.
    """
    settings: dict[str, str] = {}
    passed: list[str] = []
    faults: list[Fault] = []
    for word in words:
        key, equals, value = word.partition("=")
        if key.split(".")[0] in groups and equals:
            passed.append(word)
        elif not equals:
            faults.append(_no_setting(word, known, groups))
        elif key in settings:
            faults.append(Fault(word, f"is set twice: {key}={settings[key]} too.", "Leave one of them out."))
        elif key in known:
            settings[key] = value
        else:
            guess = nearest(key, [*known, *groups])
            remedy = asked([f"{guess}={value}"] if guess else []) or f"There are: {listed([*known, *groups])}."
            faults.append(Fault(word, "is no setting of this command.", remedy))
    named = {fault.what.partition("=")[0] for fault in faults}
    missing = [key for key, example in known.items() if example and not settings.get(key) and key not in named]
    if not any(" ".join(fault.remedy.split()).startswith("Did you mean") for fault in faults):
        faults += [Fault(key, "is not given.", f"Write  {key}={known[key]}") for key in missing]
    if faults:
        raise UserError(*faults)
    return settings, passed


def trained_run(what: str, path: str) -> Path:
    """The directory of a run that is done; links are followed.

    Raises:
        UserError: it is no run directory, or none from which a trained model can be taken.
    """
    directory = expanded(path).resolve()
    if found := unusable(directory):
        raise UserError(Fault(f"{what}{path}", *found))
    return directory


def _no_setting(word: str, known: Mapping[str, str], groups: Sequence[str]) -> Fault:
    first = next(iter(known))
    table = next((key for key, there in (("input", known), ("data.path", groups)) if key.split(".")[0] in there), first)
    meant = table if Path(word).is_file() else first
    remedy = f"Did you mean  {meant}={word} ?" if Path(word).exists() else f"Write  {first}={known[first]}"
    return Fault(word, "is no setting: it has no =.", remedy)
