"""One file per command; each has ``main(words) -> exit code`` and only dispatches. May import every light room."""
