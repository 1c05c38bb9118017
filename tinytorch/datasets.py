"""Data that comes with the course."""

from importlib import resources

import numpy as np


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """Load the 8x8 images of handwritten digits.

    Returns
    -------
    images : numpy.ndarray
        float32 of shape (1797, 64): one flattened image a row, pixels from 0 (white) to 1 (black).
    labels : numpy.ndarray
        int64 of shape (1797,): the digit, 0 to 9.

    References
    ----------
    E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998. The file's own README says where this copy comes from.
    """
    with resources.as_file(resources.files("tinytorch") / "data" / "digits.csv.gz") as path:
        table = np.loadtxt(path, delimiter=",", dtype=np.int64)
    return (table[:, :-1] / 16.0).astype(np.float32), table[:, -1]
