"""What can go wrong in the tools, told to people."""


class TitoError(Exception):
    """Work that failed; the message says what was wrong, with the value, and what to do.

    The command line prints it without a traceback and exits with 1.
    """


class UnknownModuleError(TitoError):
    """A module name that fits no module, or several; the command line exits with 2."""
