"""From a command line to a checked experiment, without torch: compose, layers, check, gate, explain, suggest, locate.

    experiment = compose(["model=lstm", "optimizer.lr=1e-4"])      # the tree, and where each value came from
    check(experiment)                                              # raises ConfigError with every fault

The signatures of parts are read from their source: nothing that a config names is imported here. May import ``core``.
"""
