"""What can go wrong in the tools, told to people."""


class TitoError(Exception):
    """Work that failed; the message says what was wrong, with the value, and what to do.

    The command line prints it without a traceback and exits with `exit_code`.
    """

    exit_code = 1


class UsageError(TitoError):
    """A command that was called for something that is not there."""

    exit_code = 2


class NotStartedError(TitoError):
    """A sandbox or a kernel that did not come to be; if somebody killed it, another one may."""


class UnknownModuleError(UsageError):
    """A module name that fits no module, or several."""
