"""SST-2 under Hydra's own multirun, as guides show it: Lightning, PEFT, texts padded to 128, fp32, one job at a time.

python sst2_sweep.py -m weights=DIR data=DIR adapter=lora,probe,full lr=1e-4,1e-3

`pad=batch` pads to a batch's longest text instead, `precision=bf16-mixed` computes in bf16: what each of the two gives.
"""

import csv
import json
from pathlib import Path

import hydra
import peft
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from torch.utils.data import DataLoader
from torchmetrics.classification import MulticlassAccuracy
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup

DEFAULTS = {
    "weights": "???", "data": "???", "results": "???", "adapter": "lora", "lr": 1e-3, "seed": 0,
    "rows": 1000, "epochs": 1, "pad": "max_length", "precision": "32-true",
}  # fmt: skip


class Classifier(pl.LightningModule):
    def __init__(self, config: DictConfig, steps: int) -> None:
        super().__init__()
        self.config, self.steps = config, steps
        self.model = AutoModelForSequenceClassification.from_pretrained(config.weights, num_labels=2)
        if config.adapter == "probe":
            self.model.base_model.requires_grad_(False)
        if config.adapter == "lora":
            targets = r".*\.attention\.(self\.(query|key|value)|output\.dense)"
            lora = peft.LoraConfig(task_type=peft.TaskType.SEQ_CLS, r=8, lora_alpha=16, target_modules=targets)
            self.model = peft.get_peft_model(self.model, lora)
        self.model.train()
        self.accuracy = MulticlassAccuracy(num_classes=2, average="micro")

    def training_step(self, batch: dict[str, torch.Tensor], _: int) -> torch.Tensor:
        loss = self.model(**batch).loss
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: dict[str, torch.Tensor], _: int) -> None:
        self.accuracy(self.model(**batch).logits, batch["labels"])
        self.log("validation/accuracy", self.accuracy)

    def configure_optimizers(self) -> dict[str, object]:
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=self.config.lr, weight_decay=0.01)
        schedule = get_linear_schedule_with_warmup(optimizer, round(0.1 * self.steps), self.steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def loader(config: DictConfig, split: str, rows: int | None) -> DataLoader:
    tokenizer = AutoTokenizer.from_pretrained(config.weights)
    with (Path(config.data) / f"{split}.tsv").open(newline="") as file:
        read = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:rows]

    def collate(batch: list[dict[str, str]]) -> dict[str, torch.Tensor]:
        texts = [row["text"] for row in batch]
        padding = "max_length" if config.pad == "max_length" else "longest"
        encoded = tokenizer(texts, padding=padding, truncation=True, max_length=128, return_tensors="pt")
        return {**encoded, "labels": torch.tensor([int(row["label"]) for row in batch])}

    training = split == "train"
    return DataLoader(read, batch_size=32 if training else 128, shuffle=training, collate_fn=collate)


@hydra.main(version_base="1.3", config_path=None, config_name="sst2_sweep")
def main(config: DictConfig) -> None:
    pl.seed_everything(config.seed)
    train = loader(config, "train", config.rows)
    trainer = pl.Trainer(
        max_epochs=config.epochs, accelerator="cpu", precision=config.precision, logger=False, gradient_clip_val=1.0,
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
    )  # fmt: skip
    trainer.fit(Classifier(config, config.epochs * len(train)), train, loader(config, "dev", None))
    answer = {
        "adapter": config.adapter,
        "lr": config.lr,
        "accuracy": float(trainer.callback_metrics["validation/accuracy"]),
    }
    with Path(config.results).open("a") as file:
        file.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store("sst2_sweep", OmegaConf.create(DEFAULTS))
    main()
