"""`python -m exchina.cli`."""

from exchina.cli import main

main()
