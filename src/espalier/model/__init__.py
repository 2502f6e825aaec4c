"""Backbones: batch -> features. Plain ``nn.Module``s and pretrained ones, each with its encoding; no Lightning.

One file is one backbone (``conf/model/<name>.yaml`` -> ``model/<name>.py``); a preset (``bert`` over ``hub``) is a yaml
alone; encodings (tokenizers, transforms) are a group of their own, ``model/encoding``. May import ``state`` and
``core``; no sibling.

    class Net(nn.Module):
        targets: ClassVar[Mapping[str, str]] = {}                 # what adapters may target: see core.parts.Backbone

        def __init__(self, facts: DataFacts, /, *, encoding: Encoding, hidden: Annotated[int, Ge(1)]) -> None:
            super().__init__()
            self.trunk, self.width = nn.Linear(math.prod(facts.shape), hidden), hidden
            self.origin, self.encoding = "from scratch", encoding

        def forward(self, batch: Mapping[str, Tensor]) -> Tensor:   # (B, hidden)
            return self.trunk(batch["vector"])

        def save(self, folder: Path, /) -> None:
            save_weights(self, folder)
            self.encoding.save(folder)
"""
