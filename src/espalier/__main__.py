"""``espalier`` and ``python -m espalier``."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # the working folder, which python -m puts first: a yaml.py in it must not take yaml's place

from espalier.cli.dispatch import main

if __name__ == "__main__":
    sys.exit(main())
