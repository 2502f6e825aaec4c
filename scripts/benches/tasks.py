"""What tasks other than classification reach: search, entities, a language model; each beside what it must beat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benches.machine import say
from benches.records import Figure, Measured, Settings
from benches.training import Trained, train

SEARCH_GAIN = 5.0  # points of recall@1 over the encoder as it came
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


def characters(settings: Settings) -> Measured:
    """Validation loss of a GPT from scratch, in nats a character."""
    ours = train(["experiment=shakespeare_gpt", *_quick(settings)])
    loss = float(ours.outcome["metrics"]["validation/loss"])
    say(f"loss {loss:.3f}, {ours.seconds:.0f} s in all")
    return Measured(
        (Figure("validation loss", "nats a character", (loss,)), Figure("", "s in all", (ours.seconds,))),
        {},
        "≤ 1.52, ≤ 10 min",
        loss <= 1.52 and ours.seconds <= 600,
    )


def _quick(settings: Settings) -> Sequence[str]:
    return ["data.limit=256", "trainer.max_epochs=1"] if settings.quick else []


def _percent(run: Trained, metric: str, *, baseline: bool = False) -> float:
    metrics = run.outcome["summary"]["baseline"]["metrics"] if baseline else run.outcome["metrics"]
    return 100 * float(metrics[f"test/{metric}"])


def _recalls(run: Trained, *, baseline: bool = False) -> tuple[Figure, ...]:
    names = ("recall@1", "recall@5", "mrr")
    return tuple(Figure(name, "%", (_percent(run, name, baseline=baseline),)) for name in names)
