"""Where the next trial looks (``search=tpe``): parts that propose points of a space.

They are ``core.searching.Search``es. One file is one option; ``common`` stands round Optuna.
"""
