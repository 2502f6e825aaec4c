"""Where rows come from, how they are cleaned and split.

One file is one source (``conf/data/<name>.yaml`` -> ``data/<name>.py``). A source yields raw columns named by role
(``text``, ``image``, ``label``); encoding them is the model's business, making batches that of
the room ``batch``. Loads no torch, so that looking into rows takes no time. May import ``core``; no sibling.

    class Mine(TableData):
        kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}

        def __init__(self, **common: Unpack[Common]) -> None:
            super().__init__(**common)

        def tables(self) -> Source:
            return Source({"train": {"text": ["a", "b"], "label": ["x", "y"]}}, origin="here")

Labels are texts, or tuples of any number of them; several files, ``text_pair`` and slices come with ``files.FileData``.
Rows that are no table with a label column: subclass ``base.AbstractData`` and answer ``read`` and ``batching``.
"""
