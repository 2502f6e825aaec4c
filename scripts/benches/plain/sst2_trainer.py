"""SST-2 by Hugging Face's Trainer and PEFT, as their guides show it: texts padded to 128, fp32, the CPU.

python sst2_trainer.py WEIGHTS DATA --seed 0 [--steps 50]
"""

import argparse
import csv
import json
import tempfile
from pathlib import Path

import numpy as np
import transformers
from datasets import Dataset
from peft import LoraConfig, TaskType, get_peft_model
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("weights")
    parser.add_argument("data")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=-1, help="stop after so many; -1: three epochs")
    given = parser.parse_args()
    transformers.set_seed(given.seed)

    tokenizer = AutoTokenizer.from_pretrained(given.weights)
    splits = {split: encode(f"{given.data}/{split}.tsv", tokenizer) for split in ("train", "test")}
    model = AutoModelForSequenceClassification.from_pretrained(given.weights, num_labels=2)
    targets = r".*\.attention\.(self\.(query|key|value)|output\.dense)"
    model = get_peft_model(model, LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=16, target_modules=targets))
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        num_train_epochs=3,
        max_steps=given.steps,
        per_device_train_batch_size=32,
        per_device_eval_batch_size=128,
        learning_rate=1e-3,
        warmup_steps=0.1,
        weight_decay=0.01,
        max_grad_norm=1.0,
        seed=given.seed,
        use_cpu=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    trainer = Trainer(model, arguments, train_dataset=splits["train"], compute_metrics=accuracy)
    done = trainer.train()
    answer = {"samples_per_second": done.metrics["train_samples_per_second"], "steps": done.global_step}
    if given.steps < 0:
        answer["accuracy"] = 100 * trainer.evaluate(splits["test"])["eval_accuracy"]
    print(json.dumps(answer))


def encode(path: str, tokenizer: transformers.PreTrainedTokenizerBase) -> Dataset:
    with Path(path).open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    encoded = tokenizer([row["text"] for row in rows], padding="max_length", truncation=True, max_length=128)
    return Dataset.from_dict({**encoded, "labels": [int(row["label"]) for row in rows]})


def accuracy(predicted: transformers.EvalPrediction) -> dict[str, float]:
    return {"accuracy": float(np.mean(predicted.predictions.argmax(1) == predicted.label_ids))}


if __name__ == "__main__":
    main()
