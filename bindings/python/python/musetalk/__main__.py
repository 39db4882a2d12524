"""`python -m musetalk` is the command `musetalk`."""

from ._command import main

if __name__ == "__main__":
    main()
