"""The model and the data in memory of mnist_loop.py, trained by Lightning with everything that can be off, off.

python mnist_lightning.py DATA --seed 0 [--epochs 4]
"""

import argparse
import json
import logging
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytorch_lightning as pl
import torch
from mnist_loop import BATCH, images_of, labels_of
from torch import Tensor, nn
from torch.nn import functional

Batch = tuple[Tensor, Tensor]


class Net(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        images, labels = batch
        return functional.cross_entropy(self.layers(images), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=1e-3, weight_decay=0.01, fused=True)


class InMemory:
    """Shuffled batches by slicing: no worker, no collation."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return -(-len(self.labels) // BATCH)

    def __iter__(self) -> Iterator[Batch]:
        for rows in torch.randperm(len(self.labels)).split(BATCH):
            yield self.images[rows], self.labels[rows]


class Clock(pl.Callback):
    """Seconds between the first and the last step of each epoch."""

    seconds = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.started = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.seconds += time.perf_counter() - self.started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=4)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    pl.seed_everything(given.seed, verbose=False)

    images = images_of(given.data / "train-images-idx3-ubyte.gz")[5000:]
    images = (images - images.mean()) / images.std()
    labels = labels_of(given.data / "train-labels-idx1-ubyte.gz")[5000:]
    clock = Clock()
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=given.epochs,
        gradient_clip_val=1.0,
        callbacks=[clock],
        logger=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    trainer.fit(Net(), InMemory(images, labels))
    print(json.dumps({"ms_per_step": 1000 * clock.seconds / trainer.global_step}))


if __name__ == "__main__":
    main()
