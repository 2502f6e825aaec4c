"""What tasks other than classification reach: search, entities, a language model; each beside what it must beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benches.machine import say
from benches.records import Figure, Measured, Settings
from benches.training import Trained, train

SEARCH_GAIN = 5.0  # points of recall@1 over the encoder as it came
SEEDS = 3  # of runs that take less than three minutes
UNTRAINED = ("trainer.max_steps=1", "optimizer.lr=1e-30")  # a step so small that no weight changes


def search(experiment: str, *, seconds: float, real_data: bool = True) -> Callable[[Settings], Measured]:
    """Recall of the right answer, beside the same encoder before it has learned anything."""

    def measure(settings: Settings) -> Measured:
        words = [f"experiment={experiment}", "hardware=cpu", *_quick(settings)]
        before = train([*words, *UNTRAINED], real_data=real_data)
        say(f"untrained: recall@1 {_percent(before, 'recall@1'):.1f} %")
        ours = train(words, real_data=real_data)
        say(f"recall@1 {_percent(ours, 'recall@1'):.1f} %, {ours.seconds:.0f} s in all")
        gained = _percent(ours, "recall@1") - _percent(before, "recall@1")
        claim = f"untrained + {SEARCH_GAIN:g} points of recall@1, ≤ {seconds / 60:g} min"
        return Measured(
            (*_recalls(ours), Figure("", "s in all", (ours.seconds,))),
            {"untrained": _recalls(before), "words in common": _recalls(ours, baseline=True)},
            claim,
            gained >= SEARCH_GAIN and ours.seconds <= seconds,
        )

    return measure


def entities(settings: Settings) -> Measured:
    """Entity F1 beside the dictionary of training's entities, on the same rows."""
    ours = train(["experiment=wnut17_ner", "hardware=cpu", *_quick(settings)])
    say(f"F1 {_percent(ours, 'f1'):.1f} %, {ours.seconds:.0f} s in all")
    beside = _percent(ours, "f1", baseline=True)
    return Measured(
        (Figure("entity F1", "%", (_percent(ours, "f1"),)), Figure("", "s in all", (ours.seconds,))),
        {"dictionary": (Figure("entity F1", "%", (beside,)),)},
        "above the dictionary, ≤ 6 min",
        _percent(ours, "f1") > beside and ours.seconds <= 360,
    )


def reaches(experiment: str, least: Mapping[str, float], *, seconds: float) -> Callable[[Settings], Measured]:
    """Metrics on test (percent), each beside what a bag of words has on the same rows."""

    def measure(settings: Settings) -> Measured:
        ours = train([f"experiment={experiment}", "hardware=cpu", *_quick(settings)])
        found = {metric: _percent(ours, metric) for metric in least}
        say(", ".join(f"{metric} {value:.1f} %" for metric, value in found.items()) + f", {ours.seconds:.0f} s in all")
        beside = tuple(Figure(metric, "%", (_percent(ours, metric, baseline=True),)) for metric in least)
        claim = ", ".join(f"{metric} ≥ {value:g} %" for metric, value in least.items())
        return Measured(
            (*(Figure(m, "%", (v,)) for m, v in found.items()), Figure("", "s in all", (ours.seconds,))),
            {"bag of words": beside},
            f"{claim}, ≤ {seconds / 60:g} min",
            all(found[metric] >= value for metric, value in least.items()) and ours.seconds <= seconds,
        )

    return measure


def characters(settings: Settings) -> Measured:
    """Validation loss of a GPT from scratch, in nats a character."""
    ours = train(["experiment=shakespeare_gpt", "hardware=cpu", *_quick(settings)])
    loss = float(ours.outcome["metrics"]["validation/loss"])
    say(f"loss {loss:.3f}, {ours.seconds:.0f} s in all")
    return Measured(
        (Figure("validation loss", "nats a character", (loss,)), Figure("", "s in all", (ours.seconds,))),
        {},
        "≤ 1.52, ≤ 10 min",
        loss <= 1.52 and ours.seconds <= 600,
    )


def translation(settings: Settings) -> Measured:
    """BLEU of a Transformer from scratch beside the source as it is, on the same rows."""
    ours = train(["experiment=multi30k_translate", "hardware=cpu", *_quick(settings)])
    bleu, beside = (_percent(ours, "bleu", baseline=of) / 100 for of in (False, True))
    say(f"BLEU {bleu:.1f}, {ours.seconds:.0f} s in all")
    return Measured(
        (
            Figure("BLEU", "", (bleu,)),
            Figure("chrF", "", (_percent(ours, "chrf") / 100,)),
            Figure("", "s in all", (ours.seconds,)),
        ),
        {"the source, untranslated": (Figure("BLEU", "", (beside,)),)},
        "BLEU ≥ 22, ≤ 25 min",
        bleu >= 22 and ours.seconds <= 1500,
    )


def answers(settings: Settings) -> Measured:
    """SQuAD's F1 and exact match of a reader, beside the better of two that learn nothing, on the same rows."""
    ours = train(["experiment=subjqa_reader", "hardware=cpu", *_quick(settings)])
    found, beside = (
        tuple(
            Figure(name, "%", (_percent(ours, metric, baseline=of),))
            for name, metric in (("F1", "f1"), ("exact", "exact"))
        )
        for of in (False, True)
    )
    say(f"F1 {found[0].value:.1f} %, {ours.seconds:.0f} s in all")
    return Measured(
        (*found, Figure("", "s in all", (ours.seconds,))),
        {ours.outcome["summary"]["baseline"]["name"]: beside},
        "F1 above it, ≤ 8 min",
        found[0].value > beside[0].value and ours.seconds <= 480,
    )


def falls(
    experiment: str, metric: str, name: str, unit: str, *, to: float, claim: str
) -> Callable[[Settings], Measured]:
    """A metric on test that is less the better, to a share of what the report's baseline has; within 5 min a seed."""

    def measure(settings: Settings) -> Measured:
        ours = []
        for seed in range(1 if settings.quick else SEEDS):
            ours.append(train([f"experiment={experiment}", "hardware=cpu", f"seed={seed}", *_quick(settings)]))
            say(f"seed {seed}: {ours[-1].outcome['metrics'][f'test/{metric}']:.4g}, {ours[-1].seconds:.0f} s in all")
        reached, beside = (
            Figure(name, unit, tuple(_percent(run, metric, baseline=of) / 100 for run in ours), "mean")
            for of in (False, True)
        )
        seconds = Figure("", "s a seed in all", tuple(run.seconds for run in ours))
        holds = reached.value < to * beside.value and max(seconds.samples) <= 300
        baseline = ours[0].outcome["summary"]["baseline"]["name"]
        return Measured((reached, seconds), {baseline: (beside,)}, f"{claim}, ≤ 5 min a seed", holds)

    return measure


def _quick(settings: Settings) -> Sequence[str]:
    return ["data.limit=256", "trainer.max_epochs=1"] if settings.quick else []


def _percent(run: Trained, metric: str, *, baseline: bool = False) -> float:
    metrics = run.outcome["summary"]["baseline"]["metrics"] if baseline else run.outcome["metrics"]
    return 100 * float(metrics[f"test/{metric}"])


def _recalls(run: Trained, *, baseline: bool = False) -> tuple[Figure, ...]:
    names = ("recall@1", "recall@5", "mrr")
    return tuple(Figure(name, "%", (_percent(run, name, baseline=baseline),)) for name in names)
