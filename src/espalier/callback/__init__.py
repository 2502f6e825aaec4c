"""What accompanies a training: Lightning callbacks ``Callback(run, /, *, …)``; an experiment lists the ones it wants.

One file is one option (``conf/callback/<name>.yaml``: a mapping name -> node). May import ``state`` and ``core``; no
sibling. The run's own callbacks (exact resume, stopping on signals) are always there and stand elsewhere.

    class Quiet(pl.Callback):
        def __init__(self, run: RunInfo, /, *, until: Annotated[int, Ge(0)]) -> None: ...
"""
