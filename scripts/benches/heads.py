"""Two heads over one encoder, beside the same encoder trained for each task alone."""

from __future__ import annotations

from collections.abc import Sequence

from benches.machine import say
from benches.records import Figure, Measured, Settings
from benches.training import Trained, train

SHORT_OF_ALONE, SECONDS = 1.5, 360
ALONE = {"topic": "ag_news_lora", "tone": "finance_tone"}


def news_tone(settings: Settings) -> Measured:
    """Each head's accuracy on its own test rows, in percent."""
    quick = ["data.limit=256", "trainer.max_epochs=1"] if settings.quick else []
    both = _run("news_tone", quick)
    ours = {head: 100 * float(both.outcome["metrics"][f"test/accuracy_{head}"]) for head in ALONE}
    alone = {head: _run(experiment, quick).accuracy for head, experiment in ALONE.items()}
    for head, accuracy in ours.items():
        say(f"{head}: {accuracy:.2f} %, alone {alone[head]:.2f} %")
    near = all(ours[head] >= alone[head] - SHORT_OF_ALONE for head in ALONE)
    claim = f"each at most {SHORT_OF_ALONE} points below its own run, ≤ {SECONDS // 60} min"
    figures = (*_figures(ours), Figure("", "s in all", (both.seconds,)))
    return Measured(figures, {"each alone": _figures(alone)}, claim, near and both.seconds <= SECONDS)


def _run(experiment: str, quick: Sequence[str]) -> Trained:
    ran = train([f"experiment={experiment}", "hardware=cpu", *quick])
    say(f"{experiment}: {ran.seconds:.0f} s in all")
    return ran


def _figures(accuracies: dict[str, float]) -> tuple[Figure, ...]:
    return tuple(Figure(head, "% accuracy", (value,)) for head, value in accuracies.items())
