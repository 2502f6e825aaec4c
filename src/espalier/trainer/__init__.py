"""How long and how a run trains: functions that answer with Lightning ``Trainer`` arguments.

One file is one option (``conf/trainer/<name>.yaml``). May import ``state`` and ``core``; no sibling.
"""
