"""Where a run trains: functions that answer with a ``core.parts.Placement``. Their keys and the trainer's are disjoint.

One file is one option (``conf/hardware/<name>.yaml``). May import ``state`` and ``core``; no sibling.
"""
