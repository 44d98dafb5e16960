"""The command line: one file for each group of commands; all printing is done here."""

from forethought.cli.entry import main

__all__ = ["main"]
