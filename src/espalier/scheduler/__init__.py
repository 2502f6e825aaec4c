"""Learning-rate schedules, stepped once an optimizer step: ``(optimizer, total_steps) -> LRScheduler``.

One file is one schedule (``conf/scheduler/<name>.yaml``). May import ``state`` and ``core``; no sibling.
A schedule with a method ``validated(score)`` is told the task's objective after each validation; larger is better.
"""
