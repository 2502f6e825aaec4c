"""Run directories as a run leaves them, small, with texts and labels that nobody should trust."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from espalier.core.outcome import Cost, Outcome

TEXTS = (
    "My parcel says delivered, but nothing is here. I've asked all my neighbours and the shop on the corner.",
    "订单已经显示签收了，可是我没有收到包裹，请帮我查一下。",
    "أريد إلغاء الاشتراك، ولم يصلني الطلب رقم 30871 حتى الآن.",
    "Könnten Sie bitte die Größe tauschen? <b>Danke</b> & schöne Grüße",
    '<script>document.title = "owned"</script>',
    "\"quoted\" and 'quoted' and <img src=x onerror=alert(1)>",
    "返金はいつ届きますか。先週の土曜日に返品しました。",
    "Averyveryverylongwordwithoutasinglebreakthatgoesonandonandon" * 3,
)
METRICS = {"loss": 0.2841, "accuracy": 0.9123, "precision_macro": 0.9101, "recall_macro": 0.9088, "f1_macro": 0.9079}
METRICS |= {"precision_micro": 0.9123, "recall_micro": 0.9123, "f1_micro": 0.9123, "f1_weighted": 0.9117}
METRICS |= {"recall_weighted": 0.9123 + 3e-8}
METRICS |= {"auroc": 0.9934, "ece": 0.0312}
COUNTS = {
    "train": {"read": 6920, "kept": 6918, "dropped": {"empty": 2}, "truncated": 31},
    "validation": {"read": 872, "kept": 872, "dropped": {}, "truncated": 0},
    "test": {"read": 1821, "kept": 1821, "dropped": {}, "truncated": 4},
}


def outcome_of(**more: object) -> Outcome:
    """A finished classification run."""
    done = Outcome(
        status="done",
        name="support_intents",
        seed=0,
        started="2026-11-30T14:02:11",
        finished="2026-11-30T14:04:52",
        pid=4711,
        host="heron",
        objective="validation/accuracy",
        direction="max",
        metrics={f"{split}/{name}": number for split in ("validation", "test") for name, number in METRICS.items()},
        intervals={f"test/{name}": (n - 0.028, n + 0.006) for name, n in METRICS.items() if name != "loss"},
        best="checkpoints/best-00000080",
        epochs=3,
        steps=120,
        cost=Cost(161.3, 118.2, 118.2, 163.4, 2710.0, 1_130_000_000, 22_713_216, 344_850),
        data={
            "origin": "embedded in the package",
            "fingerprint": "9f2c" * 16,
            "unit": "texts",
            "max_length": 128,
            "labels": ["cancel_order", "refund_status", "<script>alert(1)</script>", '"quoted"'],
            "counts": COUNTS,
        },
        summary={
            "options": {"data": "support_intents", "model": "minilm", "adapter": "lora", "optimizer": "adamw"},
            "placement": "cpu fp32 (no AMX), 2 threads",
        },
        versions={"python": "3.12.4", "torch": "2.13.0", "platform": "Linux"},
        git_commit="3581bc4",
    )
    return replace(done, **more)  # type: ignore[arg-type]


def write_metrics(directory: Path, steps: int = 120, epochs: int = 3, lost: str = "") -> None:
    """metrics.jsonl of a falling loss, validated each epoch; ``lost`` stands for the loss in the last third."""
    lines: list[dict[str, object]] = []
    for step in range(1, steps + 1):
        part, epoch = step / steps, (step - 1) * epochs // steps
        loss = 2.4 * math.exp(-3 * part) + 0.1 * math.sin(step * 7)
        said = lost if lost and part > 2 / 3 else loss
        lines.append({"step": step, "epoch": epoch, "train/loss": said, "lr": 0.001 * (1 - part)})
        if step % (steps // epochs) == 0:
            validation = {"loss": 1.9 - 1.5 * part, "accuracy": 0.4 + 0.5 * part**0.5, "f1_macro": 0.35 + 0.5 * part}
            validation |= {"f1_micro": 0.5, "ece": 0.2 - 0.1 * part}
            lines.append({"step": step, "epoch": epoch, **{f"validation/{k}": v for k, v in validation.items()}})
    (directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_predictions(
    directory: Path, classes: int, rows: int = 400, texts: Sequence[str] = TEXTS, seed: int = 0
) -> None:
    """predictions/test.parquet with a strong diagonal; examples.jsonl of its worst errors where there are texts."""
    generator = np.random.default_rng(0)
    target, each = generator.integers(0, classes, rows), np.arange(rows)
    generator = np.random.default_rng(seed) if seed else generator
    logits = generator.normal(0, 1.4, (rows, classes))
    logits[each, target] += 3
    logits[each, (target + 1) % classes] += 1.2
    scores = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    prediction, sure = scores.argmax(1), scores.max(1)
    folder = directory / "predictions"
    folder.mkdir(exist_ok=True)
    columns = {"row": each, "target": target, "prediction": prediction, "scores": list(scores)}
    pq.write_table(pa.table(columns), folder / "test.parquet")
    if texts:
        wrong = sorted(np.flatnonzero(prediction != target), key=lambda i: -sure[i])[:25]
        names = ("row", "target", "prediction", "score")
        numbers = [(int(i), int(target[i]), int(prediction[i]), float(sure[i])) for i in wrong]
        errors = [dict(zip(names, each, strict=True), text=texts[n % len(texts)]) for n, each in enumerate(numbers)]
        lines = "".join(json.dumps(error, ensure_ascii=False) + "\n" for error in errors)
        (folder / "examples.jsonl").write_text(lines, encoding="utf-8")
