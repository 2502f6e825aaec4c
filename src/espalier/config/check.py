"""Hold a composed config against the signatures of the parts that it names, and tell every fault at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from espalier.config.bounds import outside
from espalier.config.compose import Experiment
from espalier.config.foreign_words import range_remedy, renamed, setting_remedy, value_remedy
from espalier.config.gate import ROOT, judge
from espalier.config.layers import flatten, shown
from espalier.config.options import option_file
from espalier.config.references import explained
from espalier.config.setting import Setting
from espalier.config.signature import Parameter, Signature, owner_of, settings_at
from espalier.config.sources import shipped
from espalier.config.suggest import asked, listed, nearest, nearest_keys
from espalier.config.tree import at, interpolations, plain
from espalier.config.types import Bounded, DictOf, Part, branches, wrong
from espalier.config.wording import PRESETS
from espalier.core.errors import ConfigError, Fault, TrustError
from espalier.core.machine import Machine, probe
from espalier.core.masking import MASK, keep_variables_of, secrets_in
from espalier.core.texts import is_whole

_MISSING = "???"
_BASE_60 = re.compile(r"[-+]?\d+(:[0-5]?\d)+(\.\d*)?")  # what YAML 1.1 takes for a number, and people mean as a time
_NULL = re.compile(r"null: ([^;.]+)")  # of a setting's meaning
_BEGINNING = "RunOrWeights"  # what a training begins with; who uses what it led to can do without


def check(experiment: Experiment, *, only: Sequence[str] = (), machine: Callable[[], Machine | None] = probe) -> None:
    """Keys, types, ranges, targets; the machine, files and other parts where a signature says so; Hydra's node too.

    Args:
        only: keys of the parts that are used, where not all are; words and trust are judged whole in any case.
        machine: tells on what it is to run, asked where that matters; None where nothing is known of it. The run
            itself checks again, there.

    Raises:
        TrustError: code that is neither ours nor trusted is all that is wrong.
        ConfigError: every fault of the words and the tree.
    """
    keep_variables_of(plain(experiment.config))
    untrusted = [*judge(experiment.values), *judge({"hydra": plain(experiment.hydra)})]
    placed = [_placed(experiment, fault) for fault in untrusted]
    found = [
        *experiment.faults,
        *(() if experiment.is_half_read else _Checker(experiment, untrusted, machine).faults(only)),
    ]
    if found or placed:
        kind = ConfigError if found else TrustError
        raise kind(*found, *placed)


class _Checker:
    """Walks the tree of one experiment."""

    def __init__(
        self, experiment: Experiment, untrusted: Sequence[Fault], machine: Callable[[], Machine | None]
    ) -> None:
        self.machine = machine
        self.trains = True
        self.experiment, self.values, self.untrusted = experiment, experiment.values, untrusted
        self.unresolved = interpolations(experiment.config)
        # Nodes of which nothing can be said: the option is not there, or its code is not trusted.
        self.unknown = {fault.what.partition("._target_")[0] for fault in untrusted} | experiment.unsettled
        self.known = {key: value for key, value in self.values.items() if key not in self.unknown}

    def faults(self, only: Sequence[str]) -> Iterator[Fault]:
        """Every fault of the tree, or of the parts that stand under some keys."""
        if only:
            self.trains = False
            yield from (fault for key in only for fault in self._node(key, self.values.get(key)))
            return
        for key, text in self.unresolved.items():
            if said := explained(text, self.values):
                yield self._fault(key, text, *said)
        if self.values.get("_target_") != ROOT and not any(
            fault.what.startswith("_target_=") for fault in self.untrusted
        ):
            yield self._fault(
                "_target_", self.values.get("_target_"), f"must be {ROOT}, at the top.", "Leave it as it is."
            )
        wrong = list(self._part(self.values, ""))
        yield from wrong
        named = {fault.what.partition("=")[0] for fault in wrong}
        for key, text in flatten(self.values) if not is_whole(str(self.values)) else ():
            if not is_whole(f"{key}{'' if isinstance(text, Mapping) else text}"):
                yield self._fault(ascii(key)[1:-1], "", "has half a character, which no file can keep.", "Take it out.")
        for key, _ in secrets_in(plain(self.experiment.config)):
            if key not in named:
                yield self._secret(key)

    def _secret(self, key: str) -> Fault:
        truth = "is a secret, and configs are written to files and sent to trackers."
        remedy = f"Put it into a variable of the environment and write  {key}='${{oc.env:NAME}}'"
        where = "" if self.experiment.layers.word(key) else self.experiment.layers.where(key)
        return Fault(f"{key}={MASK}", truth, remedy, where)

    def _part(self, node: Mapping[str, Any], key: str) -> Iterator[Fault]:
        target = node.get("_target_")
        if key in self.unknown or not isinstance(target, str):
            return
        signature = settings_at(key, target)
        given = {str(name): value for name, value in node.items() if name != "_target_"}
        yield from self._names(given, signature, key, target)
        for name, value in given.items():
            parameter = signature.parameters.get(name)
            inner = f"{key}.{name}" if key else name
            if parameter is None:
                yield from self._inside(value, inner)
            else:
                yield from self._value(inner, value, parameter, given)

    def _names(self, given: Mapping[str, Any], signature: Signature, key: str, target: str) -> Iterator[Fault]:
        missing = [
            parameter for name, parameter in signature.parameters.items() if parameter.required and name not in given
        ]
        if missing:
            yield from self._missing(missing, key, target)
        if signature.open:
            return
        owner, known = _owner(key, target), list(signature.parameters)
        prefix = f"{key}." if key else ""
        for name in given:
            if name not in known and not key and name in self.experiment.choices:
                yield self._not_global(name)
            elif name not in known:
                remedy = self._right_name(f"{prefix}{name}", given[name], known)
                yield self._fault(f"{prefix}{name}", given[name], f'{owner} has no setting "{name}".', remedy)

    def _right_name(self, key: str, value: Any, known: Sequence[str]) -> str:
        parent = key.rpartition(".")[0]
        there = [other for other, _ in flatten(self.known) if not f"{other}.".startswith(f"{key}.")]
        keys = [*(f"{parent}.{name}" if parent else name for name in known), *there]
        shown = "" if isinstance(value, Mapping) else _shown(value)
        if not (ours := renamed(key, keys)) and (remedy := setting_remedy(key, shown, self.values)):
            return remedy
        names = known if parent else [*known, *PRESETS]
        guesses = [ours] if ours else nearest_keys(key, [k for k in keys if not k.endswith("_target_")])
        return asked(guesses) or f"It has: {listed(names, 12 if parent else len(names))}."

    def _missing(self, missing: Sequence[Parameter], key: str, target: str) -> Iterator[Fault]:
        for name in [parameter.name for parameter in missing] if not key else ():
            value = "<option>" if name in self.experiment.choices else "…"
            yield Fault(name, "is set by nothing, and an experiment needs it.", f"Write  {name}={value}")
        if key:
            names = ", ".join(f"{parameter.name} ({parameter.type})" for parameter in missing)
            truth = f"{_owner(key, target)} needs {names}, which no file sets."
            remedy = f"Set it in the option's file, or give it a default in {target.rpartition('.')[2]}."
            yield Fault(key, truth, remedy, self.experiment.layers.where(f"{key}._target_"))

    def _value(self, key: str, value: Any, parameter: Parameter, siblings: Mapping[str, Any]) -> Iterator[Fault]:
        if key in self.unresolved:
            return
        if value == _MISSING and any(fault.what.startswith(f"{key}=") for fault in self.experiment.faults):
            return  # the word that was to set it is wrong
        if value == _MISSING:
            meaning = self.experiment.layers.comment(key) or str(parameter.type)
            yield self._fault(key, value, f"must be set: {meaning}.", f"Write  {key}=…", bare=True)
            return
        if isinstance(value, int | float) and _BASE_60.fullmatch(text := self.experiment.layers.text(key)):
            truth = f"is a number of base 60 to YAML: {value}."
            yield self._fault(key, text, truth, f"Quote it:  {key.rpartition('.')[2]}: '{text}'")
            return
        kinds = branches(parameter.type)
        if any(isinstance(_inner(kind), Part) for kind in kinds) and not (value is None and len(kinds) > 1):
            yield from self._node(key, value)
            if isinstance(value, Mapping) and key not in self.unknown:
                yield from self._bounds(kinds[0], key, value, siblings)
            return
        if said := wrong(parameter.type, value):
            yield self._fault(key, value, f"{said}.", self._allowed(parameter.type, said, key, value))
            return
        for kind in kinds:
            if wrong(kind, value) is None:
                yield from self._within(kind, key, value, siblings)
                break

    def _allowed(self, kind: Any, said: str, key: str, value: Any) -> str:
        values = [str(v) for branch in branches(kind) for v in getattr(branch, "values", ())]
        if values and said.startswith("is"):
            machine = self.machine() if str(at(self.values, "hardware._target_")).endswith(".auto") else None
            ours = value_remedy(key, str(value), values, gpus=not machine or machine.gpus > 0)
            guess = ours or nearest(str(value), values)
            return asked([f"{key}={guess}"] if guess else [])
        if ", or null" in said and (meaning := _NULL.search(self.experiment.layers.comment(key))):
            return f"Write  {key}=null  for: {meaning[1]}."
        if values or str(kind) in said or "must be" in said:
            return ""
        return range_remedy(key, str(value)) or f"It takes: {kind}."

    def _within(self, kind: Any, key: str, value: Any, siblings: Mapping[str, Any]) -> Iterator[Fault]:
        inner = _inner(kind)
        if isinstance(inner, DictOf):
            for name, item in value.items():
                yield from self._value(f"{key}.{name}", item, Parameter(name, inner.value, False), siblings)
        yield from self._bounds(kind, key, value, siblings)

    def _bounds(self, kind: Any, key: str, value: Any, siblings: Mapping[str, Any]) -> Iterator[Fault]:
        for bound in kind.bounds if isinstance(kind, Bounded) else ():
            if bound.name == _BEGINNING and not self.trains:
                continue
            for at_key, *answer in outside(bound, Setting(key, value, siblings, self.known, self.machine)):
                yield self._fault(at_key, at(self.values, at_key), *answer)

    def _node(self, key: str, value: Any) -> Iterator[Fault]:
        if key in self.unknown:
            return
        if not isinstance(value, Mapping):
            remedy = self._inside_of(key) or self._how_chosen(key, value)
            yield self._fault(key, value, "must be a part, chosen by an option.", remedy)
        elif "_target_" not in value:
            remedy = self._neighbour(key)
            if file := self._own_option(key):
                remedy = remedy or "Write in the option's file  _target_: package.module.Name"
            fault = self._fault(
                key, "", "is no part: it has no _target_.", remedy or "Choose an option for it.", bare=True
            )
            yield replace(fault, where=file or fault.where)
        else:
            yield from self._part(value, key)

    def _own_option(self, key: str) -> str:
        """The file of the option that makes a node; nothing where a word does, or none is chosen."""
        group = key.replace(".", "/")
        option, folders = self.experiment.choices.get(group), [*self.experiment.config_dirs, shipped()]
        file = option_file(group, option, folders) if isinstance(option, str) else None
        return shown(file) if file and key not in self.experiment.layers.marks else ""

    def _how_chosen(self, key: str, value: Any) -> str:
        group, _, name = key.rpartition(".")
        if isinstance(beside := self.experiment.choices.get(group), list):
            return f"Write  {group}=[{','.join(option for option in beside if option != name)}]  to do without it."
        if self.experiment.layers.text(key):  # in a file, whose defaults list chooses options
            return f"Write in the file's defaults list:  - override /{key.replace('.', '/')}: {value}"
        return f"Write  {key}=<option>"

    def _not_global(self, group: str) -> Fault:
        """A preset whose keys landed below its group's name."""
        where = self.experiment.layers.where(group)
        truth = f'its settings go below a node "{group}", which nothing reads.'
        if not isinstance(self.values[group], Mapping) or not self.values[group]:
            truth = "its file holds no settings."
        remedy = "Begin the file with the line  # @package _global_"
        return Fault(f"{group}={self.experiment.choices[group]}", truth, remedy, where)

    def _neighbour(self, key: str) -> str:
        """The part beside it that was meant: a slip in the name of a callback makes a new node."""
        parent, _, name = key.rpartition(".")
        beside = at(self.values, parent) if parent else {}
        guess = nearest(name, [n for n, v in beside.items() if isinstance(v, Mapping) and "_target_" in v])
        return asked([f"{parent}.{guess}"] if guess else [])

    def _inside_of(self, key: str) -> str:
        """The setting of a part beside it that was meant: ``tracking.project`` for ``tracking.wandb.project``."""
        parent, _, name = key.rpartition(".")
        beside = at(self.values, parent) if parent else None
        parts = beside.items() if isinstance(beside, Mapping) else ()
        return asked([f"{parent}.{n}.{name}" for n, v in parts if isinstance(v, Mapping) and name in v])

    def _inside(self, value: Any, key: str) -> Iterator[Fault]:
        if isinstance(value, Mapping) and "_target_" in value:
            yield from self._part(value, key)

    def _fault(self, key: str, value: Any, truth: str, remedy: str, *, bare: bool = False) -> Fault:
        layers = self.experiment.layers
        word = layers.word(key)
        chosen = self.experiment.choices.get(key) if isinstance(value, Mapping) else value
        shown = "" if bare or (chosen is None and isinstance(value, Mapping)) else f"={_shown(chosen)}"
        where = "" if word else layers.where(key)
        return Fault(word or f"{key}{shown}", truth, remedy, where)


def _placed(experiment: Experiment, fault: Fault) -> Fault:
    key = fault.what.partition("=")[0]
    word = experiment.layers.word(key)
    return Fault(word or fault.what, fault.truth, fault.remedy, "" if word else experiment.layers.where(key))


def _inner(kind: Any) -> Any:
    return kind.inner if isinstance(kind, Bounded) else kind


def _owner(key: str, target: str) -> str:
    return owner_of(target) if key else "the experiment"


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
