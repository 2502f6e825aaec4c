"""Which trials go on (``pruning=asha``): rules over values at equal numbers of validations.

They are ``core.searching.Pruning``s. One file is one option; ``halving`` is what asha and hyperband stand on.
"""
