"""``python -m ser_lib.cli``, as ``ser``."""

from ser_lib.cli import main

main()
