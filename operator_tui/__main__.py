"""``python -m operator_tui`` is the command ``operator-tui``."""

from operator_tui.cli import main

if __name__ == "__main__":  # a process of a pool imports this file too
    main()
