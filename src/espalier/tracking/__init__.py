"""Where metrics go besides ``metrics.jsonl``: trackers (``core.parts.Tracker``). The only room that imports wandb.

One file is one option (``conf/tracking/<name>.yaml``); the rest is what ``wandb`` stands on. May import ``state`` and
``core``; no sibling. A tracker never stops or delays training: what it cannot take, it drops and says so once.

    class Print:
        def start(self, run, /): return "printing"
        def log(self, metrics, step, /): print(step, metrics)
        def finish(self, outcome, /): return ""
"""
