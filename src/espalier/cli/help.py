"""What ``--help`` says."""

from __future__ import annotations

from textwrap import fill

COMMANDS = {
    "train": "compose an experiment, check it, train it",
    "sweep": "what -m would do; how far a sweep is, going on with it, its best, its report",
    "evaluate": "a run's model on its test rows or on others, by slices, or against another run",
    "predict": "let a run's model answer the rows of a table",
    "data": "show what a data option reads, or check it: leaks, repeated rows, doubtful labels",
    "explain": "a setting: its value, type, meaning, who set it and over whom",
    "runs": "what was run, newest first, or chosen by what came of it",
    "compare": "what differs between runs, and what came of it",
    "track": "tell W&B, TensorBoard or a csv file later what a run or a sweep has recorded",
    "report": "a run's page again, or one page that compares several",
    "import": "weights that are a pickle as safetensors, read where it can do no harm",
    "trust": "let configs name the classes and functions of a package",
    "new": "a project of your own: a model, a data set, an experiment, a test",
    "doctor": "what this machine and its settings are fit for, and how to mend what is not",
    "completion": "the script by which bash, zsh or fish complete your words",
}

_OVERVIEW = """\
espalier: compose an experiment from config groups, train it on the hardware you name, keep the best

{commands}

To begin:
  espalier train                                      the embedded example: MiniLM + LoRA on support messages
  espalier train model=lstm adapter=full seed=1       other options, another value
  espalier train data=csv data.path=my.csv data.columns.text=review data.columns.label=stars
  espalier train --help                               all groups, options and flags

Mistakes exit with 2 and one message (ESPALIER_TRACEBACK=1 shows where they arose), failed runs with 1,
runs ended by a signal with 130 or 143: they are resumable."""

_TRAIN = """\
espalier train [group=option] [key=value] … [flags]

An experiment is made of one option of each group; a key changes a value in it. Hydra's grammar holds.

  espalier train data=sst2 optimizer.lr=1e-4          an option, a value
  espalier train experiment=sst2_lora hardware=cpu    a pinned experiment, and one change
  espalier train debug=one_batch                      does everything fit together?
  espalier train -m optimizer.lr=1e-4,1e-3 seed=0,1   a grid: four trials, all checked before the first starts
  espalier train -m sweep=asha sweep.trials=40        a search of what the options' spaces offer, bad trials cut early
  espalier train -m … launcher=slurm                  elsewhere than on this machine (pool): slurm, ray, inline
  espalier explain optimizer                          the settings of a part, with types and meanings

groups and their options
{groups}

flags
  -m, --multirun             a sweep: trials of all combinations of the values that words list, or of a search's
                             choice (sweep=, search=, pruning=, launcher=); see  espalier sweep --help
  --resume DIR               go on with a run that was ended, in its folder; DIR may be outputs/latest
  --rerun DIR [changes]      the same experiment again, in a new folder, with changed values or options
  --config-dir FOLDER        options of your own: FOLDER/model/mine.yaml is model=mine; may stand several times
  --cfg job|hydra|all        print the composed config, train nothing; --resolve fills references in,
                             --package KEY prints one node of it
  --info [WHAT]              groups, defaults-tree, defaults or searchpath: how the config comes together
  -h, --help"""


def overview() -> str:
    """Of all commands."""
    width = max(map(len, COMMANDS))
    return _OVERVIEW.format(commands="\n".join(f"  espalier {n:{width}}   {said}" for n, said in COMMANDS.items()))


def train_help(groups: dict[str, list[str]]) -> str:
    """Of ``espalier train``, with the groups that are there."""
    width = max(map(len, groups))
    lines = (
        fill(", ".join(names), 120, initial_indent=f"  {group:{width}}   ", subsequent_indent=" " * (width + 5))
        for group, names in groups.items()
    )
    return _TRAIN.format(groups="\n".join(lines))
