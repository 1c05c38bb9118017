# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The optimizers of today
#
# > AdamW, schedules, Muon, averaged weights and sharded state, from their equations.
#
# You have written Adam, and a staircase of rates. Whoever trains a model today meets a few things
# more on the first day: weights that are pulled to zero apart from the gradient, groups of
# parameters with rates of their own, schedules that rise before they fall, an optimizer that treats
# a matrix as a matrix, averages of weights, and state that no single machine holds.
#
# In this module we write all of them, in the form in which PyTorch defines them where PyTorch has
# them, on the Tensor, Autograd and optimizers of the chapters before. At the end they train the
# handwritten digits together, against plain Adam, with the same effort spent on each.

# %% [markdown]
# ## Build, use, reflect
#
# - **Build.** Eight solution cells. Each states its rules in full, equation and convention
#   included.
# - **Use.** After every cell there is something to try at once. Demonstration cells are yours to
#   change.
# - **Reflect.** Each section ends with a question to think about. Two longer ones at the end are
#   answered in writing.
#
# A function or method you have not written raises `NotImplementedError` when it is called. A graded
# cell is locked: run it and it shows the points of each behaviour, what it expected, what it got,
# and a hint. It checks behaviour and never the way the code is written, and nothing that the text
# does not say. When the notebook is graded, the same parts run on other numbers too.

# %% [markdown]
# ## Rules for every optimizer here
#
# They are those of the chapter before, and hold in all sections:
#
# - **A missing gradient skips the parameter.** Where `grad` is `None`, the value and all state of
#   that parameter stay. Weight decay does not touch it either.
# - **Gradients are read and never changed**, neither their numbers nor the attribute `grad`.
# - **`parameter.data` stays a `Tensor`** of its shape, and a step starts from what it is now. The
#   reference keeps the dtype as well; arithmetic in float64 costs no points.
# - **Options are read at each `step()`**, from the group of the parameter, so that a schedule or a
#   person can change them in between.

# %%
#| default_exp core.modern_optimizers

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import importlib.util

for package, command in {
    "numpy": "python -m pip install numpy",
    "matplotlib": "python -m pip install matplotlib",
    "tinytorch": "python -m pip install PATH   (PATH: the .whl file of your bundle)",
}.items():
    if importlib.util.find_spec(package) is None:
        raise ModuleNotFoundError(
            f"this notebook needs {package}, which is not installed. Run: {command}\n"
            "Then restart the kernel."
        )

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
import math  # noqa: F401
from collections.abc import Callable, Iterator, Sequence  # noqa: F401
from contextlib import contextmanager  # noqa: F401
from typing import Any

import numpy as np

from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor  # noqa: F401

# %% [markdown]
# Everything the cell above imports may be used in your solutions. The next cell prepares the
# figures; the exported module does without.

# %% nbgrader={"grade": false, "grade_id": "setup-figures", "locked": true, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    import matplotlib.pyplot as plt
    from matplotlib_inline.config import InlineBackend

    # bbox_inches="tight" would draw every figure twice, so the margins are set here instead.
    InlineBackend.instance().print_figure_kwargs = {"bbox_inches": None}
    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.4),
            "figure.subplot.left": 0.12,
            "figure.subplot.right": 0.98,
            "figure.subplot.bottom": 0.16,
            "figure.subplot.top": 0.9,
            "figure.subplot.wspace": 0.3,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "legend.frameon": False,
        }
    )

# %% [markdown]
# ## 1 Parameter groups
#
# **The problem.** Until now one rate and one momentum served all parameters. But not all of them
# are of the same kind: a matrix multiplies, a bias shifts. Some methods must treat them
# differently.
#
# **The idea.** The optimizer holds a list of groups instead of a list of parameters. A group is a
# dict with its `"parameters"` and every option of the optimizer. What a group does not name, it
# takes from the defaults. A step reads the options of the group in which it finds the parameter.
#
# **The equation.** The example that made groups common is *weight decay*. With the rate $\eta$ and
# a decay $\lambda$, every step also takes a small part of the weight away:
#
# $$ w \leftarrow w - \eta\, g - \eta \lambda\, w $$
#
# For plain gradient descent this is the gradient of the loss plus a penalty $\frac{\lambda}{2}
# w^2$. Section 3 shows that for Adam it is not.

# %% [markdown]
# ### What is given
#
# The class below is the base of all optimizers of this module, so that you write their rules and
# not their bookkeeping. Read it; nothing of it is to be written. `each_parameter()` gives every
# parameter with its position and its group, in order. What an optimizer may be told is what its
# constructor hands on as `defaults`; an unknown option would otherwise be ignored for months.

# %% nbgrader={"grade": false, "grade_id": "optimizer-base", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
class Optimizer:
    """Parameters in groups, each with options of its own: the base of the optimizers below.

    Parameters
    ----------
    parameters : list of Variable, or list of dict
        What to train. A dict is a group: ``"parameters"`` and any of the options.
    **defaults : float
        Every option that there is, with what a group has that does not name it.

    Attributes
    ----------
    groups : list of dict
        Each with ``"parameters"`` and every option.
    parameters : list of Variable
        Those of all groups, in order.
    learning_rate : float
        The rate of the first group. Setting it gives the rate to every group.

    Raises
    ------
    ValueError
        For an option that nobody knows or is out of range, a group without parameters, and a
        parameter that appears twice.
    """

    def __init__(self, parameters: Sequence[Any], **defaults: float) -> None:
        given = list(parameters)
        if not any(isinstance(group, dict) for group in given):
            given = [{"parameters": given}]
        self.groups: list[dict[str, Any]] = []
        for group in given:
            if not (isinstance(group, dict) and "parameters" in group):
                raise ValueError(f"a group must be a dict with 'parameters', got {group!r}")
            options = {name: value for name, value in group.items() if name != "parameters"}
            for name in options.keys() - defaults.keys():
                known = ", ".join(defaults)
                raise ValueError(f"{name} must be an option of {type(self).__name__}: {known}")
            options = {**defaults, **options}
            for name, value in options.items():
                check_option(name, value)
            self.groups.append({"parameters": list(group["parameters"]), **options})
        seen: set[int] = set()
        for index, parameter, _ in self.each_parameter():
            if id(parameter) in seen:
                raise ValueError(f"parameters must differ, got number {index} a second time")
            seen.add(id(parameter))

    def each_parameter(self) -> Iterator[tuple[int, Variable, dict[str, Any]]]:
        """Give every parameter with its position among all of them and its group."""
        index = 0
        for group in self.groups:
            for parameter in group["parameters"]:
                yield index, parameter, group
                index += 1

    @property
    def parameters(self) -> list[Variable]:
        """The parameters of all groups, in order."""
        return [parameter for _, parameter, _ in self.each_parameter()]

    @property
    def learning_rate(self) -> float:
        """The rate of the first group; set, that of every group."""
        return self.groups[0]["learning_rate"]

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        for group in self.groups:
            group["learning_rate"] = rate

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None; values and state stay."""
        for parameter in self.parameters:
            parameter.grad = None


def check_option(name: str, value: float) -> None:
    """Refuse an option that is out of range: all are at least 0, and decays are below 1."""
    if not value >= 0:
        raise ValueError(f"{name} must be at least 0, got {value!r}")
    if name in {"alpha", "beta1", "beta2"} and not value < 1:
        raise ValueError(f"{name} must be below 1, got {value!r}")

# %% [markdown]
# An optimizer is then a constructor and a rule. Here is gradient descent with the decay of the
# equation above, and a model of two parameters that it puts into two groups.

# %%
class Descent(Optimizer):
    """Gradient descent with weight decay, to see groups at work."""

    def __init__(self, params, learning_rate=0.1, weight_decay=0.0):
        super().__init__(params, learning_rate=learning_rate, weight_decay=weight_decay)

    def step(self):
        """Update every parameter that has a gradient."""
        for _, p, options in self.each_parameter():
            if p.grad is not None:
                change = p.grad.data.data + options["weight_decay"] * p.data.data
                p.data = Tensor(p.data.data - options["learning_rate"] * change)


if __name__ == "__main__":
    slope, offset = Variable(1.0), Variable(0.0)
    optimizer = Descent([{"parameters": [slope], "weight_decay": 0.1}, {"parameters": [offset]}])
    for group in optimizer.groups:
        print({name: value for name, value in group.items() if name != "parameters"})

# %% [markdown]
# ### Why biases are not decayed
#
# Decay says that small weights are more plausible. Of a factor that is often true: a smaller one
# makes a smoother function. Of a bias it says that the data should have the mean zero. We fit $y =
# 0.5x + 5$, once with decay for both parameters and once for the slope alone.

# %%
def fit_line(decay_of_offset, steps=300):
    """Fit y = 0.5 x + 5 with a decay of 0.1 for the slope, and return slope and offset."""
    x = Variable(np.linspace(-1.7, 1.7, 21), requires_grad=False)
    y = Variable(0.5 * x.data.data + 5.0, requires_grad=False)
    a, b = Variable(0.0), Variable(0.0)
    groups = [
        {"parameters": [a], "weight_decay": 0.1},
        {"parameters": [b], "weight_decay": decay_of_offset},
    ]
    descent = Descent(groups)
    for _ in range(steps):
        descent.zero_grad()
        error = a * x + b - y
        ((error * error).mean() * 0.5).backward()
        descent.step()
    return a.item(), b.item()


if __name__ == "__main__":
    for name, decay in {"both decayed": 0.1, "slope only": 0.0}.items():
        slope_found, offset_found = fit_line(decay)
        print(f"{name:13} y = {slope_found:.3f} x + {offset_found:.3f}")

# %% [markdown]
# Both slopes are a twelfth too small, which is what decay is meant to do. But the decayed offset is
# wrong by 0.455, for every $x$, and no data could mend it. The gain of a normalization layer is a
# similar case: it sets the size of a signal, and pulling it to zero takes the signal away. Both are
# vectors. So the usual rule looks at the shape alone: what has two dimensions or more is decayed,
# everything else is not.

# %% nbgrader={"grade": false, "grade_id": "parameter-groups", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def split_decay(parameters: Sequence[Variable], weight_decay: float) -> list[dict[str, Any]]:
    """Split parameters into a group that is decayed and one that is not.

    Parameters
    ----------
    parameters : list of Variable
        Of any shapes. Each goes into one of the groups, itself and no copy, in its order.
    weight_decay : float
        The decay of the first group, at least 0.

    Returns
    -------
    list of two dicts
        Each with ``"parameters"``, a list, and ``"weight_decay"``. The first holds what has at
        least 2 dimensions, with the decay given; the second the rest, with 0. A group that
        nothing belongs to is there and has an empty list.
    """
    # TODO: sort the parameters by the number of their dimensions.
    # Hint: how many dimensions has a bias, and how many has a single number?
    ### BEGIN SOLUTION
    matrices = [parameter for parameter in parameters if parameter.data.ndim >= 2]
    vectors = [parameter for parameter in parameters if parameter.data.ndim < 2]
    return [
        {"parameters": matrices, "weight_decay": weight_decay},
        {"parameters": vectors, "weight_decay": 0.0},
    ]
    ### END SOLUTION

# %% [markdown]
# To try at once: the digits network of the chapter before has 2,410 parameters in two matrices and
# two vectors. How many of them are decayed?

# %%
from tinytorch.parallel.digits import make_network

if __name__ == "__main__":
    for group in Descent(split_decay(make_network(), weight_decay=0.1)).groups:
        sizes = [parameter.data.size for parameter in group["parameters"]]
        print(f"decay {group['weight_decay']}: {sizes}, together {sum(sizes)}")

# %% [markdown]
# Groups may differ in their rates as well: one trains the last layer of a ready-made network with a
# larger rate than the rest. Then `learning_rate` is no longer one number. Setting it, as a schedule
# like `StepLR` does, gives all groups the same rate, and the difference is gone. The schedule of
# section 4 therefore *multiplies* what each group had.

# %%
if __name__ == "__main__":
    groups = [
        {"parameters": [Variable(0.0)], "learning_rate": 0.1},
        {"parameters": [Variable(0.0)], "learning_rate": 0.01},
    ]
    optimizer = Descent(groups)
    print("as given:     ", [group["learning_rate"] for group in optimizer.groups])
    optimizer.learning_rate = optimizer.learning_rate / 2
    print("once set:     ", [group["learning_rate"] for group in optimizer.groups])

# %% nbgrader={"grade": true, "grade_id": "test-parameter-groups", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Graded: split_decay, 5 points.
# What each part does stands in tinytorch/checks/for_10_modern_optimizers/parameter_groups.py.
from tinytorch.checks.for_10_modern_optimizers.parameter_groups import (
    checks as parameter_groups_checks,
)


def test_unit_parameter_groups():
    """Groups: what is decayed, what is not, and that nothing is lost."""
    parameter_groups_checks.run(split_decay)


if __name__ == "__main__":
    parameter_groups_checks.show(split_decay)

# %% [markdown]
# **To think about.** The rule looks at shapes. An embedding table is a matrix, of which a batch
# uses a few rows; a bias of shape (1, 32) has two dimensions. What does the rule do to each of
# them, and what would you do? How would you say it with groups?
