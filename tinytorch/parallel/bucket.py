"""One array that holds the arrays of many parameters, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tinytorch.core.autograd import Variable


class Bucket:
    """A flat array with room for one number per weight.

    Sent in one piece: a message costs its latency once, however many tensors it holds.

    Parameters
    ----------
    parameters : sequence of Variable
        At least one, all of the same dtype.

    Attributes
    ----------
    array : numpy.ndarray
        One-dimensional; its contents are undefined at first.
    views : list of numpy.ndarray
        The part of each parameter, in its shape. Writing to it writes to `array`.
    """

    def __init__(self, parameters: Sequence[Variable]) -> None:
        dtypes = {parameter.data.data.dtype for parameter in parameters}
        if len(dtypes) != 1:
            found = ", ".join(sorted(map(str, dtypes))) or "no parameters"
            raise ValueError(f"parameters must share one dtype, got {found}")
        ends = np.cumsum([parameter.data.data.size for parameter in parameters])
        self.array = np.empty(ends[-1], dtypes.pop())
        self.views = [
            part.reshape(parameter.data.data.shape)
            for part, parameter in zip(np.split(self.array, ends[:-1]), parameters, strict=True)
        ]

    def load(self, arrays: Iterable[np.ndarray]) -> None:
        """Copy one array into each view."""
        for view, array in zip(self.views, arrays, strict=True):
            view[...] = array
