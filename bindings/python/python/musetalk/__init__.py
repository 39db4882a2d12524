"""A talking face: push a voice, read frames."""

from . import _native
from ._native import *  # noqa: F403
from ._tools import Tool

__version__ = _native.__version__
__doc__ = __doc__
__all__ = [*_native.__all__, "Tool"]
# `main` is the command line's; `InterruptedError` would hide a built-in one from whoever imports everything.
__all__.remove("main")
__all__.remove("__version__")
__all__.remove("InterruptedError")
del main  # noqa: F821
