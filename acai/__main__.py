"""`python -m acai`."""

from acai.cli import main

main()
