"""Hostile configs that need no ``_target_``: tags, bombs, Hydra's own node, search paths, defaults lists, keys."""
# tables of cases, a line each

from __future__ import annotations

from collections.abc import Iterator

from benches.hostile.configs import BASE, OWN, THEIRS, Case, files_case, preset, run_files, sweep_files
from benches.hostile.payloads import TAGS, TOUCH

_GLOBAL = "# @package _global_\n"
_DEEP, _WIDE = 20_000, 200_000


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _tags()
    yield from _bombs()
    yield from _hydra()
    yield from _places()
    yield from _keys()


def _tags() -> Iterator[Case]:
    for number, tag in enumerate(TAGS):
        harmless = not tag.startswith("!!python") and "python" not in tag and not tag.startswith(("!evil", "!include"))
        text = f"{_GLOBAL}vars:\n  x: {tag}\n"
        yield files_case(
            f"tag in an option: {number}",
            {f"{OWN}/experiment/theirs.yaml": text},
            THEIRS,
            ("vars",),
            refused=not harmless,
        )
        yield files_case(
            f"tag in a root: {number}", {f"{OWN}/train.yaml": f"vars: {tag}\n"}, ("train", "--config-dir", OWN)
        )
        for file in ("config.yaml", "origin.yaml"):
            for words in (("train", "--resume", "run"), ("train", "--rerun", "run"), ("compare", "run", "other")):
                yield files_case(
                    f"tag in {file}, {words[1]}: {number}",
                    {**run_files({}, status="interrupted"), **run_files({}, "other"), f"run/{file}": f"x: {tag}\n"},
                    words,
                    refused=not (harmless and words[0] == "compare"),
                )
        yield files_case(
            f"tag in sweep.yaml: {number}",
            {**sweep_files([]), "swept/sweep.yaml": f"schema: {tag}\n"},
            ("sweep", "resume", "swept"),
        )
        yield files_case(
            f"tag in a space: {number}",
            {f"{OWN}/space/optimizer/adamw.yaml": f"lr: {tag}\n"},
            ("sweep", "plan", "--config-dir", OWN, *BASE, "sweep=tpe"),
        )


def _bombs() -> Iterator[Case]:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    merges = "a0: &a0 {x: 1}\n" + "".join(
        f"a{n}: &a{n} {{{', '.join(f'k{i}: *a{n - 1}' for i in range(9))}}}\n" for n in range(1, 10)
    )
    texts = {
        "billion laughs": laughs,
        "billion mappings": merges,
        "quadratic": 'a: &a "' + "x" * 100_000 + '"\nb: [' + ", ".join(["*a"] * 50_000) + "]\n",
        "own anchor": "a: &a [*a]\n",
        "own anchor, two": "a: &a {b: &b {c: *a}}\n",
        "deep list": "a: " + "[" * _DEEP + "]" * _DEEP + "\n",
        "deep mapping": "a: " + "{a: " * _DEEP + "1" + "}" * _DEEP + "\n",
        "deep blocks": "".join(f"{' ' * n}a:\n" for n in range(3_000)) + " " * 3_000 + "a: 1\n",
        "wide": "".join(f"k{n}: {n}\n" for n in range(_WIDE)),
        "long line": "a: " + "x" * 30_000_000 + "\n",
        "long key": "x" * 5_000_000 + ": 1\n",
        "doubling reference": "a0: "
        + "x" * 16
        + "\n"
        + "".join(f"a{n}: ${{vars.a{n - 1}}}${{vars.a{n - 1}}}\n" for n in range(1, 40)),
        "reference to itself": "a: ${vars.a}\n",
        "reference in a circle": "a: ${vars.b}\nb: ${vars.a}\n",
        "nested references": "a: " + "${oc.select:" * 500 + "seed" + "}" * 500 + "\n",
        "doubling nodes": "a0: {x: 1, y: 2}\n"
        + "".join(f"a{n}: {{x: '${{vars.a{n - 1}}}', y: '${{vars.a{n - 1}}}'}}\n" for n in range(1, 40)),
        "doubling create": "a0: [1, 2]\n"
        + "".join(
            f"a{n}: ['${{oc.create:${{vars.a{n - 1}}}}}', '${{oc.create:${{vars.a{n - 1}}}}}']\n" for n in range(1, 40)
        ),
        "huge integer": "a: " + "9" * 1_000_000 + "\n",
        "sexagesimal": "a: " + ":".join(["59"] * 50_000) + "\n",
        "merge keys": "a0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)),
        "nul": "a: \0\n",
        "not UTF-8": "a: \udc80\n".encode("utf-8", "surrogatepass"),
        "UTF-16": "a: 1\n".encode("utf-16"),
        "two documents": "a: 1\n---\nb: 2\n",
        "comment of 30 MB": "# " + "x" * 30_000_000 + "\na: 1\n",
    }
    harmless = {"long key", "huge integer", "sexagesimal", "comment of 30 MB", "long line", "wide"}
    for name, text in texts.items():
        body = text if isinstance(text, bytes) else "".join(f"  {line}\n" for line in text.splitlines())
        content = _GLOBAL.encode() + (
            text if isinstance(text, bytes) else f"vars:\n{body}".encode("utf-8", "surrogatepass")
        )
        yield files_case(
            f"bomb in an option: {name}",
            {f"{OWN}/experiment/theirs.yaml": content},
            THEIRS,
            refused=name not in harmless,
        )
        yield files_case(
            f"bomb, --cfg: {name}",
            {f"{OWN}/experiment/theirs.yaml": content},
            (*THEIRS, "--cfg", "job", "--resolve"),
            refused=False,
        )
        run = {**run_files({}, status="interrupted"), "run/config.yaml": content}
        yield files_case(f"bomb in config.yaml: {name}", run, ("train", "--resume", "run"))
        yield files_case(
            f"bomb in origin.yaml: {name}", {**run_files({}), "run/origin.yaml": content}, ("train", "--rerun", "run")
        )
        yield files_case(
            f"bomb in sweep.yaml: {name}",
            {**sweep_files([]), "swept/sweep.yaml": content},
            ("sweep", "resume", "swept"),
        )
        yield files_case(
            f"bomb in a space: {name}",
            {f"{OWN}/space/optimizer/adamw.yaml": content},
            ("sweep", "plan", "--config-dir", OWN, *BASE, "sweep=tpe"),
        )
    for name, word in {
        "deep list": "vars.x=" + "[" * 2_000 + "]" * 2_000,
        "deep mapping": "vars.x=" + "{a:" * 2_000 + "1" + "}" * 2_000,
        "deep cast": "vars.x=" + "int(" * 2_000 + "1" + ")" * 2_000,
        "range": "seed=range(0,1000000000)",
        "product": "trainer.max_epochs=range(1,100000)",
        "references": "vars.x=" + "${" * 2_000 + "seed" + "}" * 2_000,
        "long key": "vars." + "x." * 10_000 + "y=1",
        "quotes": "vars.x='" + "\\'" * 100_000,
    }.items():
        yield Case(f"word, bomb: {name}", lambda _: None, ("train", *BASE, word), refused=name != "quotes")
        yield Case(
            f"word of -m, bomb: {name}",
            lambda _: None,
            ("sweep", "plan", *BASE, "seed=0,1", word),
            refused=name != "quotes",
        )


def _hydra() -> Iterator[Case]:
    logging = {"version": 1, "handlers": {}}
    handler = {"class": "evil.Net"}
    trees = {
        "job_logging class": {"job_logging": {**logging, "handlers": {"x": handler}}},
        "job_logging ()": {"job_logging": {**logging, "handlers": {"x": {"()": "os.system", "command": TOUCH}}}},
        "job_logging filter": {"job_logging": {**logging, "filters": {"x": {"()": "evil.act"}}}},
        "job_logging formatter": {
            "job_logging": {**logging, "formatters": {"x": {"()": "os.system", "command": TOUCH}}}
        },
        "job_logging formatter's class": {"job_logging": {**logging, "formatters": {"x": {"class": "evil.Net"}}}},
        "job_logging ext://": {
            "job_logging": {
                **logging,
                "handlers": {"x": {"class": "logging.StreamHandler", "stream": "ext://evil.act"}},
            }
        },
        "job_logging cfg://": {
            "job_logging": {**logging, "handlers": {"x": {"class": "logging.StreamHandler", "stream": "cfg://x"}}}
        },
        "job_logging file": {
            "job_logging": {**logging, "handlers": {"x": {"class": "logging.FileHandler", "filename": "canary"}}}
        },
        "hydra_logging class": {"hydra_logging": {**logging, "handlers": {"x": handler}}},
        "hydra_logging ()": {"hydra_logging": {**logging, "root": {"x": {"()": "os.system", "command": TOUCH}}}},
        "launcher": {"launcher": {"_target_": "evil.Net"}},
        "sweeper": {"sweeper": {"_target_": "evil.Net"}},
        "sweeper's params": {"sweeper": {"params": {"_target_": "os.system", "command": TOUCH}}},
        "callbacks": {"callbacks": {"x": {"_target_": "evil.Net"}}},
        "callbacks, listed": {"callbacks": {"x": [{"_target_": "os.system", "command": TOUCH}]}},
        "env_set": {"job": {"env_set": {"PATH": "/evil", "LD_PRELOAD": "./evil.so"}}},
        "env_copy": {"job": {"env_copy": ["HOME"]}},
        "run.dir": {"run": {"dir": "../../canary"}},
        "output_subdir": {"output_subdir": "../canary"},
        "sweep.dir": {"sweep": {"dir": "/tmp/canary"}},
        "chdir": {"job": {"chdir": True}},
        "config_module": {"job": {"config_name": "evil"}},
        "verbose": {"verbose": ["evil"]},
    }
    silent = {
        "env_set",
        "env_copy",
        "run.dir",
        "output_subdir",
        "sweep.dir",
        "chdir",
        "config_module",
        "verbose",
        "job_logging ext://",
        "job_logging cfg://",
        "job_logging file",
    }
    for name, tree in trees.items():
        refused = name not in silent
        yield files_case(f"hydra: {name}", preset({"hydra": tree}), THEIRS, ("vars",), refused=refused)
        yield files_case(
            f"hydra in a root: {name}",
            {f"{OWN}/train.yaml": {"defaults": ["_self_"], "hydra": tree, "vars": {}}},
            ("train", "--config-dir", OWN),
        )
        yield files_case(
            f"hydra in a run: {name}", run_files({"hydra": tree}, status="interrupted"), ("train", "--resume", "run")
        )
    for group in (
        "hydra/launcher",
        "hydra/sweeper",
        "hydra/job_logging",
        "hydra/hydra_logging",
        "hydra/callbacks",
        "hydra/help",
        "hydra/output",
        "hydra/env",
    ):
        option = {f"{OWN}/{group}/theirs.yaml": {"x": {"_target_": "os.system", "command": TOUCH}}}
        yield files_case(f"group {group}", option, ("train", "--config-dir", OWN, *BASE, f"{group}=theirs"), ("vars",))
        yield files_case(
            f"group +{group}", option, ("train", "--config-dir", OWN, *BASE, f"+{group}=theirs"), ("vars",)
        )
        text = f"{_GLOBAL}defaults:\n  - override /{group}: theirs\n"
        yield files_case(
            f"group {group}, overridden", {**option, f"{OWN}/experiment/theirs.yaml": text}, THEIRS, ("vars",)
        )


def _places() -> Iterator[Case]:
    hidden = {"hidden/model/theirs.yaml": {"_target_": "os.system", "command": TOUCH}}
    paths = (
        "pkg://evil",
        "pkg://evil.conf",
        "pkg://my_parts",
        "pkg://os",
        "pkg://torch",
        "file://hidden",
        "hidden",
        "../hidden",
        "http://127.0.0.1:9/x",
        "ftp://x/y",
        "evil://x",
        "structured://",
        "pkg://hydra_plugins",
        "pkg:///evil",
        "PKG://evil",
        "pkg://evil/../os",
        "file:///proc/self/environ",
        "file://\0",
        "pkg://",
        "${oc.env:HOME}",
        "pkg://${oc.decode:evil}",
    )
    for path in paths:
        yield files_case(
            f"search path, word: {path!r}",
            hidden,
            ("train", *BASE[:1], f"hydra.searchpath=['{path}']", "model=theirs"),
            ("model",),
        )
        root = (
            "defaults:\n  - _self_\n  - model: theirs\nhydra:\n  searchpath:\n    - '" + path.replace("\0", "x") + "'\n"
        )
        yield files_case(
            f"search path, root: {path!r}",
            {**hidden, f"{OWN}/train.yaml": root},
            ("train", "--config-dir", OWN),
            ("model",),
        )
    defaults = (
        "../../hidden/model/theirs",
        "/../hidden/model/theirs",
        "/../../../../../../etc/passwd",
        "/model/../../hidden/model/theirs",
        "override /hydra/launcher: ../../hidden/model/theirs",
        "/model@_global_: ../../hidden/model/theirs",
        "optional /evil: x",
        "/model@hydra.callbacks.x: ../hidden",
        "/model: ${oc.env:HOME}",
        "/hydra/job_logging: theirs",
        "{x: {_target_: os.system}}",
        "/model: [mlp, lstm]",
        "override /model: null",
        "pkg://evil/x",
        "file:///etc/passwd",
        "override hydra/callbacks: evil",
    )
    for line in defaults:
        text = f"{_GLOBAL}defaults:\n  - {line}\n"
        yield files_case(
            f"defaults: {line}",
            {**hidden, f"{OWN}/experiment/theirs.yaml": text},
            THEIRS,
            ("model",),
            # Of nothing; and of what a word says otherwise.
            refused=line not in ("optional /evil: x", "override /model: null"),
        )
        yield files_case(
            f"defaults of a root: {line}",
            {**hidden, f"{OWN}/train.yaml": text},
            ("train", "--config-dir", OWN),
            ("model",),
        )
    for name in (
        "../../etc/passwd",
        "../evil",
        "/etc/passwd",
        "..",
        ".",
        "a/../../b",
        "\\..\\x",
        "~/x",
        "$(touch canary)",
        "`touch canary`",
        "; touch canary",
    ):
        yield Case(f"option's name: {name}", lambda _: None, ("train", *BASE[1:], f"data='{name}'"))
        yield Case(f"experiment's name: {name}", lambda _: None, ("train", *BASE, f"experiment='{name}'"))


def _keys() -> Iterator[Case]:
    keys = (
        "__class__",
        "__init__",
        "__globals__",
        "__builtins__",
        "_target_",
        "_args_",
        "_partial_",
        "_recursive_",
        "_convert_",
        "_metadata_",
        "_content",
        "__dict__",
        "__reduce__",
        "_node_",
        "()",
        "class",
        "<<",
        "items",
        "get",
        "keys",
        "",
    )
    for key in keys:
        for value in ("os.system", {"__init__": {"__globals__": "x"}}):
            kind = "text" if isinstance(value, str) else "tree"
            yield files_case(
                f"key {key!r} of vars, {kind}", preset({"vars": {key: value}}), THEIRS, ("vars",), refused=False
            )
            yield files_case(
                f"key {key!r} of a part, {kind}", preset({"optimizer": {key: value}}), THEIRS, ("optimizer",)
            )
            yield files_case(f"key {key!r} of the root, {kind}", preset({key: value}), THEIRS, ("vars",))
    trust = {"trust_remote_code": True}
    for part in ("model", "model.encoding", "data", "adapter", "task", "trainer", "optimizer"):
        yield Case(f"trust_remote_code: {part}", lambda _: None, ("train", *BASE, f"+{part}.trust_remote_code=true"))
        first, _, second = part.partition(".")
        tree = {first: {second: trust} if second else trust}
        yield files_case(f"trust_remote_code in a file: {part}", preset(tree), THEIRS)
    for resolver in (
        "os.system:touch canary",
        "evil:x",
        "hydra:runtime.cwd",
        "now:%Y",
        "python_version:",
        "oc.deprecated:x",
        "eval:1+1",
        "oc.env:EVIL",
        "env:HOME",
        "oc.dict.values:x",
        "oc.dict.keys:x",
        "oc.env:HOME,os.system",
    ):
        yield files_case(
            f"resolver {resolver}", preset({"vars": {"x": f"${{{resolver}}}"}}), THEIRS, ("vars",), refused=False
        )
        yield files_case(
            f"resolver {resolver} as a target",
            preset({"callback": {"x": {"_target_": f"${{{resolver}}}"}}}),
            THEIRS,
            ("callback.x",),
        )
