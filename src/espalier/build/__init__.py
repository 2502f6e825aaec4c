"""Live objects from a config: ``instantiate`` (the one call of Hydra's), ``assemble`` (the order, on one page).

May import ``config``, ``state`` and ``core``. Parts arrive by ``_target_``; no noun room is imported here.
"""
