"""Hold a composed config against the signatures of the parts that it names, and tell every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from espalier.config.bounds import outside
from espalier.config.compose import Experiment
from espalier.config.gate import gate, judge
from espalier.config.signature import Parameter, Signature, signature_of
from espalier.config.suggest import listed, nearest
from espalier.config.tree import interpolations, plain
from espalier.config.types import Bounded, DictOf, Part, branches, wrong
from espalier.core.errors import ConfigError, Fault, TrustError
from espalier.core.masking import MASK, secrets_in

_MISSING = "???"


def check(experiment: Experiment) -> None:
    """Keys, types, ranges, targets; the machine, files and other parts where a signature says so; Hydra's node too.

    Raises:
        TrustError: code that is neither ours nor trusted is all that is wrong.
        ConfigError: every fault of the words and the tree.
    """
    found = [*experiment.faults, *_Checker(experiment).faults()]
    untrusted = [*judge(experiment.values), *judge({"hydra": plain(experiment.hydra)})]
    placed = [_placed(experiment, fault) for fault in untrusted]
    if untrusted and not found:
        raise TrustError(*placed)
    if found or untrusted:
        raise ConfigError(*dict.fromkeys([*found, *placed]))
    gate(experiment.values)


class _Checker:
    """Walks the tree of one experiment."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.values = experiment, experiment.values
        self.unresolved = interpolations(experiment.config)
        self.refused = {fault.what.partition("._target_")[0] for fault in judge(self.values)}

    def faults(self) -> Iterator[Fault]:
        """Every fault of the tree."""
        for key, text in self.unresolved.items():
            yield self._fault(key, text, "refers to a key or variable that is not there.", "Mend the reference.")
        for key, _ in secrets_in(plain(self.experiment.config)):
            yield Fault(f"{key}={MASK}", "is a secret, and configs are written to files and sent to trackers.",
                        f"Put it into a variable of the environment and write  {key}='${{oc.env:NAME}}'",
                        self.experiment.layers.where(key).partition("=")[0])  # fmt: skip
        yield from self._part(self.values, "")

    def _part(self, node: Mapping[str, Any], key: str) -> Iterator[Fault]:
        target = node.get("_target_")
        if key in self.refused or not isinstance(target, str):
            return
        signature = signature_of(target)
        given = {name: value for name, value in node.items() if not name.startswith("_")}
        yield from self._names(given, signature, key, target)
        for name, value in given.items():
            parameter = signature.parameters.get(name)
            inner = f"{key}.{name}" if key else name
            if parameter is None:
                yield from self._inside(value, inner)
            else:
                yield from self._value(inner, value, parameter, given)

    def _names(self, given: Mapping[str, Any], signature: Signature, key: str, target: str) -> Iterator[Fault]:
        owner = _owner(key, target)
        prefix = f"{key}." if key else ""
        for name, parameter in signature.parameters.items():
            if parameter.required and name not in given:
                yield Fault(key or "train.yaml", f'{owner} needs "{name}" ({parameter.type}), which no file sets.',
                            f"Set {prefix}{name}=… in its YAML, or give it a default in {target.rpartition('.')[2]}.",
                            self.experiment.layers.where(key))  # fmt: skip
        if signature.open:
            return
        known = [name for name, parameter in signature.parameters.items()]
        for name in given:
            if name not in known:
                guess = nearest(name, known)
                remedy = f"Did you mean  {prefix}{guess} ?" if guess else f"It has: {listed(known)}."
                yield self._fault(f"{prefix}{name}", given[name], f'{owner} has no setting "{name}".', remedy)

    def _value(self, key: str, value: Any, parameter: Parameter, siblings: Mapping[str, Any]) -> Iterator[Fault]:
        if key in self.unresolved:
            return
        if value == _MISSING:
            yield self._fault(key, value, f"must be set: {parameter.type}.", f"Write {key}=…", bare=True)
            return
        kinds = branches(parameter.type)
        if any(isinstance(kind, Part) for kind in kinds) and not (value is None and len(kinds) > 1):
            yield from self._node(key, value)
            return
        if said := wrong(parameter.type, value):
            yield self._fault(key, value, f"{said}.", _allowed(parameter.type, said, key, value))
            return
        for kind in kinds:
            if wrong(kind, value) is None:
                yield from self._within(kind, key, value, siblings)
                break

    def _within(self, kind: Any, key: str, value: Any, siblings: Mapping[str, Any]) -> Iterator[Fault]:
        inner = kind.inner if isinstance(kind, Bounded) else kind
        if isinstance(inner, DictOf):
            for name, item in value.items():
                yield from self._value(f"{key}.{name}", item, Parameter(name, inner.value, False), siblings)
        for bound in kind.bounds if isinstance(kind, Bounded) else ():
            if answer := outside(bound, key, value, self.values, siblings):
                yield self._fault(key, value, *answer)

    def _node(self, key: str, value: Any) -> Iterator[Fault]:
        if not isinstance(value, Mapping):
            chosen = ", ".join(self.experiment.choices.get(key.replace(".", "/")) or ()) if value is None else ""
            yield self._fault(key, value, "must be a part, chosen by an option.", f"Write {key}=<option>.{chosen}")
        elif "_target_" not in value:
            yield self._fault(key, "", "is no part: it has no _target_.", "Choose an option for it.", bare=True)
        else:
            yield from self._part(value, key)

    def _inside(self, value: Any, key: str) -> Iterator[Fault]:
        if isinstance(value, Mapping) and "_target_" in value:
            yield from self._part(value, key)

    def _fault(self, key: str, value: Any, truth: str, remedy: str, *, bare: bool = False) -> Fault:
        layers = self.experiment.layers
        word = layers.word(key)
        shown = "" if bare or isinstance(value, Mapping) else f"={_shown(value)}"
        where = "" if word else layers.where(key)
        return Fault(word or f"{key}{shown}", truth, remedy, where)


def _placed(experiment: Experiment, fault: Fault) -> Fault:
    key = fault.what.partition("=")[0]
    word = experiment.layers.word(key)
    return Fault(word or fault.what, fault.truth, fault.remedy, "" if word else experiment.layers.where(key))


def _owner(key: str, target: str) -> str:
    if not key:
        return "the experiment"
    return target.split(".")[-2] if target.startswith("espalier.") else target.rpartition(".")[2]


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _allowed(kind: Any, said: str, key: str, value: Any) -> str:
    values = [v for branch in branches(kind) for v in getattr(branch, "values", ())]
    if values:
        guess = nearest(str(value), map(str, values))
        return f"Did you mean  {key}={guess} ?" if guess and said.startswith("is") else ""
    return "" if str(kind) in said or "must be" in said else f"It takes: {kind}."
