"""MNIST, 784-128-10, by a plain torch loop over tensors in memory; validated after each epoch, tested at the end.

python mnist_loop.py DATA --seed 0 [--epochs 10]
"""

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

BATCH = 128


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    given = parser.parse_args()
    torch.manual_seed(given.seed)

    images, labels = (
        images_of(given.data / "train-images-idx3-ubyte.gz"),
        labels_of(given.data / "train-labels-idx1-ubyte.gz"),
    )
    mean, std = images[5000:].mean(), images[5000:].std()
    images = (images - mean) / std
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    seconds = steps = 0.0
    for _ in range(given.epochs):
        started = time.perf_counter()
        model.train()
        for rows in torch.randperm(55000).add_(5000).split(BATCH):
            loss = functional.cross_entropy(model(images[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            steps += 1
        seconds += time.perf_counter() - started
        accuracy(model, images[:5000], labels[:5000])
    test = (images_of(given.data / "t10k-images-idx3-ubyte.gz") - mean) / std
    answer = accuracy(model, test, labels_of(given.data / "t10k-labels-idx1-ubyte.gz"))
    print(json.dumps({"accuracy": 100 * answer, "train_seconds": seconds, "ms_per_step": 1000 * seconds / steps}))


def images_of(path: Path) -> Tensor:
    pixels = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return torch.from_numpy(pixels.reshape(-1, 784).astype(np.float32))


def labels_of(path: Path) -> Tensor:
    return torch.from_numpy(np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=8).astype(np.int64))


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    model.eval()
    return float((model(images).argmax(1) == labels).float().mean())


if __name__ == "__main__":
    main()
