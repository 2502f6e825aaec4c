"""Where rows come from, how they are cleaned and split, and how encoded rows become batches.

One file is one source (``conf/data/<name>.yaml`` -> ``data/<name>.py``). A source yields raw columns named by role
(``text``, ``image``, ``label``); encoding them is the model's business. May import ``state`` and ``core``; no sibling.

    class Mine(TableData):
        kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}

        def __init__(self, **common: Unpack[Common]) -> None:
            super().__init__(**common)

        def tables(self) -> Source:
            return Source({"train": {"text": ["a", "b"], "label": ["x", "y"]}}, origin="here")

Labels are texts, or tuples of any number of them; several files, ``text_pair`` and slices come with ``files.FileData``.
Rows that are no table with a label column: subclass ``base.AbstractData`` and answer ``read`` and ``batching``.
Batches (``order`` -> ``gather`` -> ``loader`` -> ``batches``) come with it.
"""
