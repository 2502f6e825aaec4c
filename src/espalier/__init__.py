"""Espalier: compose an experiment from config groups, train it on the hardware you name, keep the best, ship it.

The house, floor by floor (each imports only what stands below it):

    cli                     one file per command; dispatch only
    report                  outcomes and predictions -> what a person reads
    run                     fit, test, resume: the only process that trains (``python -m espalier.run DIR``)
    build                   instantiate (the one call of Hydra's), assemble (the order of everything, on a page)
    config                  compose, check, gate, explain
    data model adapter task optimizer scheduler hardware trainer callback tracking     swappable parts, one file each
    state                   checkpoints and random-number states (torch)
    core                    plain records, errors, files (no torch)
"""

__version__ = "0.1.0"
