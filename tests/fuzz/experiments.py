"""Words of experiments as people mistype them, and files of options as they may be."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from espalier.config.compose import Experiment, compose
from espalier.config.layers import flatten
from espalier.config.options import groups
from espalier.config.sources import shipped
from espalier.core.errors import UserError
from fuzz.effort import ANY, GRAMMAR, WHOLE, trees

BASE = ("model=lstm", "adapter=full", "tracking=[csv]", "data=csv")
GROUPS = groups([shipped()])
LIGHT = ("lstm", "bag", "mlp", "cnn", "minilm")


@cache
def base() -> Experiment:
    """What words are applied to."""
    return compose(BASE)


@cache
def keys() -> tuple[str, ...]:
    """Every key of it, nodes and ``_target_`` too."""
    return tuple(key for key, _ in flatten(base().values))


def mistyped(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A word with one letter lost, doubled or taken for another."""

    def slip(word: str, place: int, letter: str) -> str:
        place %= len(word) + 1
        return word[:place] + letter + word[place + (len(letter) != 1) :]

    return st.builds(slip, words, st.integers(0, 40), st.sampled_from(["", "e", ".", "_", "é", "xx"]))


def values() -> st.SearchStrategy[str]:
    """The right side of a word."""
    plain = st.sampled_from(
        ["", "null", "true", "0", "-1", "1e400", "nan", "-.inf", "0x10", "1_000", "[]", "{}", "[1,[2,{a: b}]]", "???",
         "${seed}", "${nothing}", "${oc.env:HOME}", "${oc.env:NOT_SET}", "'${'", "'${a'", "${vars.${seed}}", "a,b",
         "interval(0,1)", "range(3)", "glob(*)", "choice(a,b)", "'", "\"", "os.system", "{_target_: os.system}",
         "{_target_: espalier.model.mlp.Mlp}", "9" * 400, "1e-320"]
    )  # fmt: skip
    return plain | ANY | GRAMMAR | st.integers().map(str) | st.floats().map(str)


def words() -> st.SearchStrategy[str]:
    """Words of a command line: right ones, slips, and noise."""
    known = st.sampled_from(keys())
    options = st.sampled_from([f"{group}={name}" for group, names in GROUPS.items() for name in names])
    prefix = st.sampled_from(["", "", "", "+", "++", "~"])
    setting = st.builds("{}{}={}".format, prefix, known | mistyped(known), values())
    deletion = st.builds("~{}".format, known | mistyped(known))
    package = st.builds("{}@{}={}".format, st.sampled_from(sorted(GROUPS)), mistyped(known), values())
    hydra = st.builds(
        "hydra.{}={}".format,
        st.sampled_from(["run.dir", "searchpath", "mode", "job.name", "verbose", "callbacks.x._target_",
                         "output_subdir", "launcher.n_jobs", "job_logging.formatters.a.class", "no.such"]),
        values(),
    )  # fmt: skip
    group = st.builds("{}={}".format, st.sampled_from(sorted(GROUPS)), values())
    return st.one_of(setting, setting, options, mistyped(options), group, deletion, package, hydra, ANY)


LINES = [
    "lr: 1", "lr: 1e-3", "  a: b", "- c", "&x lr: *x", "<<: {a: b}", "? [1, 2]\n: 3", "!!python/name:os", "lr: [", "? ",
    "!!binary aGk=", "2001-01-01: 1", "defaults: [adamw]", "# @package _global_", "---", "...", "\tx: y", "lr: 'a",
    "1.5: x", "x: &a [*a]", "lr: 1\nlr: 2", "%YAML 1.1", "null: null", "a: |", "optimizer: {lr: 1}", "lr: ${",
    "lr: ${seed}", "lr: .nan", "true: 1", 'lr: "\\ud800"', 'name: "\\ud83d"', '"\\udfff": 1', 'name: ["\\ud83d"]',
]  # fmt: skip


def contents() -> st.SearchStrategy[bytes]:
    """What a file of options may hold."""
    names = st.sampled_from(["lr", "weight_decay", "_target_", "defaults", "path", "columns", "1", "a.b", "", "_self_",
                             "hydra", "no", "optimizer", "_partial_", "${seed}"]) | WHOLE  # fmt: skip
    targets = st.sampled_from(
        ["espalier.optimizer.adamw.Adamw", "espalier.optimizer.sgd.Sgd", "os.system", "espalier.core.files.sync_file",
         "torch.load", "", "..", "espalier"]
    )  # fmt: skip
    defaults = st.lists(
        st.sampled_from(["_self_", "_common", "adamw", "no_such", "/model: lstm", "mine", ""])
        | st.dictionaries(st.sampled_from(["/model", "override /model", "optimizer", "/optimizer@x", "override /no"]),
                          st.sampled_from(["lstm", "no_such", None, 3]), max_size=2),
        max_size=3,
    )  # fmt: skip
    node = st.dictionaries(names, trees(names), max_size=5)
    part = st.builds(
        lambda tree, target, first: {"defaults": first, "_target_": target, **tree}, node, targets, defaults
    )
    whole = (node | part | trees(names)).map(lambda tree: yaml.safe_dump(tree, allow_unicode=True).encode())
    lines = st.lists(st.sampled_from(LINES), max_size=5).map(lambda lines: "\n".join(lines).encode())
    return st.one_of(whole, lines, lines, st.binary(max_size=30), GRAMMAR.map(lambda text: text.encode()))


def told(experiment_or_error: Any) -> Any:
    """What is compared between two tries: values, or faults."""
    if isinstance(experiment_or_error, UserError):
        return sorted(map(str, experiment_or_error.faults))
    return repr(experiment_or_error.values), dict(experiment_or_error.choices)
