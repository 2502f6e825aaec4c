"""Where trials run (``launcher=pool``): parts that place jobs and know what became of them.

They are ``core.launching.Launcher``s. One file is one option; no sibling is imported.
"""
