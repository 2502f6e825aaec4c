"""Learning-rate schedules, stepped once an optimizer step: ``(optimizer, total_steps) -> LRScheduler``.

One file is one schedule (``conf/scheduler/<name>.yaml``). May import ``state`` and ``core``; no sibling.
"""
