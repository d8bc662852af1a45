"""``python -m operator_tui`` is the command ``operator-tui``."""

from operator_tui.cli import main

main()
