"""Templates of ``espalier new``, one file of a new project each; ``{package}`` stands for the project's name."""
