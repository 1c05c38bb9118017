"""TinyTorch: a small deep-learning framework that its students build.

The public names live in :mod:`tinytorch.core`; each module there is exported from a notebook.
"""

__version__ = "0.1.0"
