"""The process that trains: ``python -m espalier.run DIR``. Fit, test, leave the result; go on after a kill.

May import every room below except the parts, which arrive by ``_target_``.
"""
