"""Many experiments from one command line: plan them, ask a search, place trials, keep the record. No torch.

May import ``report``, ``config``, ``core`` and ``build.instantiate``; trials are processes that are started by name.
"""
