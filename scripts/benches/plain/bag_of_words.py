"""A bag-of-words linear classifier: train.jsonl, its strength chosen on validation.jsonl, accuracy on test.jsonl.

python bag_of_words.py FOLDER
"""

import json
import sys
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline


def main() -> None:
    train, validation, test = (read(Path(sys.argv[1]) / f"{split}.jsonl") for split in ("train", "validation", "test"))
    fitted = [
        make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=c, max_iter=3000)).fit(*train)
        for c in (0.1, 0.3, 1, 3, 10, 30, 100)
    ]
    best = max(fitted, key=lambda model: model.score(*validation))
    print(json.dumps({"accuracy": 100 * best.score(*test)}))


def read(path: Path) -> tuple[list[str], list[str]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row["text"] for row in rows], [row["label"] for row in rows]


if __name__ == "__main__":
    main()
