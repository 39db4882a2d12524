"""What the package gives names to; use `musetalk`."""

from musetalk import *
from musetalk import InterruptedError as InterruptedError
from musetalk import __version__ as __version__

def main(arguments: list[str]) -> int:
    """The command `musetalk`: runs it and returns its exit code."""
