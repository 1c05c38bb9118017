"""What goes wrong with several processes."""


class ParallelError(RuntimeError):
    """Processes could not be started, or one of them failed; the message says which and why."""
