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
# them, on the Tensor, Autograd and optimizers of the chapters before. At the end AdamW with groups,
# a schedule, clipping and averaged weights trains the handwritten digits, against plain Adam, with
# the same effort spent on each.

# %% [markdown]
# ## Build, use, reflect
#
# - **Build.** Eight solution cells. Each states its rules in full, equation and convention
#   included.
# - **Use.** After every cell there is something to try at once. Demonstration cells are yours to
#   change.
# - **Reflect.** Sections 1 to 8 each end with a question to think about. Two longer ones at the end
#   are answered in writing.
#
# A function or method you have not written raises `NotImplementedError` when it is called. A graded
# cell is locked: run it and it shows the points of each behaviour, what it expected, what it got,
# and a hint. It checks behaviour and never the way the code is written, and nothing that the text
# does not say. Each part has 3 seconds. When the notebook is graded, the same parts run on other
# numbers too. They give 100 points; the two written answers give 20.

# %% [markdown]
# ## Rules for every optimizer here
#
# They hold in all sections. The first three are those of chapter 08; the last is new, there only
# the rate had to be read at each step:
#
# - **A missing gradient skips the parameter.** Where `grad` is `None`, the value and all state of
#   that parameter stay. Weight decay does not touch it either. A gradient of zeros, or of NaN, is
#   not missing.
# - **Gradients are read and never changed**, neither their numbers nor the attribute `grad`.
# - **`parameter.data` stays a `Tensor`** of its shape, and a step starts from what it is now. The
#   reference keeps the dtype as well; arithmetic in float64 costs no points.
# - **Options are read at each `step()`**, from the group of the parameter, so that a schedule or a
#   person can change them in between.

# %%
#| default_exp core.modern_optimizers

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import importlib.util

for module, command in {
    "numpy": "python -m pip install numpy",
    "matplotlib": "python -m pip install matplotlib",
    "tinytorch": "python -m pip install PATH   (PATH: the .whl file of your bundle)",
    "tinytorch.core.optimizers": "in this folder, .venv/bin/tito export PATH/optimizers_dev.ipynb",
}.items():
    if importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(
            f"this notebook needs {module}, which is not installed. Run: {command}\n"
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

    from tinytorch.figures import prepare_figures

    prepare_figures()

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
        For an option that nobody knows or is out of range, a group without ``"parameters"`` (its
        list may be empty), and a parameter that appears twice.
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
    """Refuse an option that is below 0, and a decay of a moment that is not below 1."""
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
def fit_line(decay_of_offset, steps=100):
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
# To try at once: the digits network of chapter 08 has 2,410 parameters in two matrices and two
# vectors. How many of them are decayed?

# %%
from tinytorch.parallel.digits import make_network

if __name__ == "__main__":
    for group in Descent(split_decay(make_network(), weight_decay=0.1)).groups:
        sizes = [parameter.data.size for parameter in group["parameters"]]
        print(f"decay {group['weight_decay']}: {sizes}, together {sum(sizes)}")

# %% [markdown]
# Groups may differ in their rates as well: one trains the last layer of a ready-made network with a
# larger rate than the rest. Setting `learning_rate`, as `StepLR` does, would give all groups the
# same rate, and the difference would be gone. The schedule of section 4 *multiplies* what each
# group had.

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
# **To think about.** The rule looks at shapes. An embedding table, a row of weights for each word,
# is a matrix of which a batch uses a few rows; a bias of shape (1, 32) has two dimensions. What
# does the rule do to each of them, and what would you do? How would you say it with groups?

# %% [markdown]
# ## 2 RMSprop and Nesterov
#
# Adam joined two older ideas, a step in units of the gradient's own size and a momentum. Both are
# in use by themselves.
#
# ### 2.1 RMSprop
#
# **The problem.** Where the gradients of two weights differ by a factor of a thousand, no single
# rate suits both.
#
# **The idea.** Keep a running average of each element's squared gradient and divide by its root.
# What is left of the gradient is about its sign. Hinton showed it in a lecture in 2012.
#
# **The equation.** With $\alpha = 0.99$, and $v = 0$ before the first gradient,
#
# $$ v \leftarrow \alpha v + (1 - \alpha)\, g^2 \qquad\qquad
# w \leftarrow w - \eta\, \frac{g}{\sqrt{v} + \epsilon} $$
#
# This is PyTorch's default form: $\epsilon$ outside the root, no momentum, no mean taken off. There
# is no correction for the start at 0 either.


# %% nbgrader={"grade": false, "grade_id": "rmsprop-class", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class RMSprop(Optimizer):
    """Gradients divided by the root of a running average of their squares.

    Parameters
    ----------
    parameters : list of Variable, or list of groups
        What to train; any shapes.
    learning_rate : float, default 0.01
        Step length eta, at least 0.
    alpha : float, default 0.99
        Decay of the average, from 0 to below 1.
    epsilon : float, default 1e-8
        Added to the root, at least 0.

    Attributes
    ----------
    groups : list of dict
        As `Optimizer` keeps them: each with the three options, read at each ``step()``.
    v : list or dict
        One average per parameter, once a ``step()`` has seen all gradients; the keys of a dict are
        up to you. It may be filled at construction or when first needed.

    Notes
    -----
    ``v <- alpha * v + (1 - alpha) * g * g``, with v = 0 before the first gradient, then
    ``w <- w - learning_rate * g / (sqrt(v) + epsilon)``. This is ``torch.optim.RMSprop`` with its
    defaults.

    References
    ----------
    T. Tieleman, G. Hinton, Lecture 6.5 of Neural Networks for Machine Learning, 2012.
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: float = 0.01,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
    ) -> None:
        # TODO: hand parameters and options on to Optimizer, and prepare the averages.
        ### BEGIN SOLUTION
        super().__init__(parameters, learning_rate=learning_rate, alpha=alpha, epsilon=epsilon)
        self.v = [np.zeros_like(p.data.data) for p in self.parameters]
        ### END SOLUTION

    def step(self) -> None:
        """Update every parameter that has a gradient, with the options of its group.

        A parameter whose ``grad`` is None is skipped: neither it nor its average changes. The
        step starts from what ``parameter.data`` is now and leaves a ``Tensor`` of its shape there.
        Gradients are read and never changed.
        """
        # TODO: update the average and the value of every parameter that has a gradient.
        # Hint: with v = 0 at first, how long is the first step, in rates?
        ### BEGIN SOLUTION
        for index, parameter, options in self.each_parameter():
            if parameter.grad is None:
                continue
            w, g, v = parameter.data.data, parameter.grad.data.data, self.v[index]
            alpha = options["alpha"]
            # v <- alpha * v + (1 - alpha) * g * g
            v *= alpha
            v += (1 - alpha) * g * g
            # w <- w - learning_rate * g / (sqrt(v) + epsilon)
            w -= options["learning_rate"] * g / (np.sqrt(v) + options["epsilon"])
        ### END SOLUTION


# %% [markdown]
# To try at once: the length of a step for a constant gradient of 2, in units of the rate, beside
# that of your Adam. For a constant gradient Adam's corrected first moment is the gradient itself;
# what differs is the correction of $v$, and its decay, 0.999.

# %%
from tinytorch.core.optimizers import SGD, Adam

if __name__ == "__main__":
    pairs = [(Variable(0.0), "RMSprop"), (Variable(0.0), "Adam")]
    both = RMSprop([pairs[0][0]], learning_rate=1.0), Adam([pairs[1][0]], learning_rate=1.0)
    print("   t  RMSprop     Adam")
    for t in range(1, 1001):
        lengths = []
        for (weight, _), optimizer in zip(pairs, both, strict=True):
            before = weight.item()
            weight.grad = Variable(2.0)
            optimizer.step()
            lengths.append(before - weight.item())
        if t in (1, 2, 3, 10, 100, 1000):
            print(f"{t:4} {lengths[0]:8.3f} {lengths[1]:8.3f}")

# %% [markdown]
# The first step of RMSprop is $1/\sqrt{1 - \alpha} = 10$ rates long, whatever the gradient, and a
# hundred steps later it is still a quarter too long. This is what the correction for the start at
# 0, or **bias correction**, ended. A warm-up, section 4, hides the same fault from the outside.

# %% nbgrader={"grade": true, "grade_id": "test-rmsprop", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Graded: RMSprop, 10 points.
# What each part does stands in tinytorch/checks/for_10_modern_optimizers/rmsprop.py.
from tinytorch.checks.for_10_modern_optimizers.rmsprop import checks as rmsprop_checks


def test_unit_rmsprop():
    """RMSprop: average, root, epsilon, groups, missing and untouched gradients."""
    rmsprop_checks.run(RMSprop)


if __name__ == "__main__":
    rmsprop_checks.show(RMSprop)

# %% [markdown]
# ### 2.2 Nesterov's momentum
#
# **The problem.** A heavy ball learns that it has gone too far only once it is there.
#
# **The idea.** We know where the velocity is about to carry us: by $-\eta\mu v$. So take the
# gradient *there*, and correct the velocity before moving. For smooth convex losses Nesterov (1983)
# proved a faster rate of convergence; Sutskever et al. (2013) brought it to networks.
#
# **The equation**, as it was published, with the gradient of the loss $L$ at the look-ahead point:
#
# $$ v \leftarrow \mu v + \nabla L(w - \eta \mu v) \qquad\qquad w \leftarrow w - \eta v $$
#
# An optimizer cannot ask for a gradient elsewhere: `backward()` has run before `step()`. So
# libraries keep the look-ahead point $u = w - \eta\mu v$ as the parameter, where the gradient $g$
# is the one they have. Put into the equation, with $\eta$ constant, $u$ moves like this:
#
# $$ v \leftarrow \mu v + g \qquad\qquad u \leftarrow u - \eta\,(g + \mu v) $$

# %% [markdown]
# We can check that with plain numbers. `published` follows the first pair of equations and
# `in_libraries` the second, on a loss of curvature 20. Their look-ahead points agree to rounding
# while the rate is constant. Once it is halved, after step 10, they are different rules.


# %%
def published(rates, momentum=0.9):
    """Take the gradient 20 w at the look-ahead point, and return these points."""
    w, v, points = 1.0, 0.0, []
    for rate in rates:
        v = momentum * v + 20 * (w - rate * momentum * v)
        w = w - rate * v
        points.append(w - rate * momentum * v)
    return np.array(points)


def in_libraries(rates, momentum=0.9):
    """Keep the look-ahead point itself."""
    u, v, points = 1.0, 0.0, []
    for rate in rates:
        gradient = 20 * u
        v = momentum * v + gradient
        u = u - rate * (gradient + momentum * v)
        points.append(u)
    return np.array(points)


if __name__ == "__main__":
    for name, rates in {"constant": [0.02] * 30, "halved": [0.02] * 10 + [0.01] * 20}.items():
        apart = np.abs(published(rates) - in_libraries(rates))
        print(f"{name:8} apart by {apart[:10].max():.1e} up to step 10, later {apart.max():.1e}")

# %% [markdown]
# PyTorch adds weight decay to the gradient first, as a penalty on the loss would: this is what its
# `SGD(nesterov=True)` does, in three lines,
#
# $$ g \leftarrow g + \lambda w \qquad v \leftarrow \mu v + g \qquad
# w \leftarrow w - \eta\,(g + \mu v) $$
#
# The first line makes a new array. The gradient of the parameter stays as it is.


# %% nbgrader={"grade": false, "grade_id": "nesterov-class", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class NesterovSGD(Optimizer):
    """Gradient descent with Nesterov's momentum, in the form that PyTorch uses.

    Parameters
    ----------
    parameters : list of Variable, or list of groups
        What to train; any shapes.
    learning_rate : float, default 0.01
        Step length eta, at least 0.
    momentum : float, default 0.9
        Decay mu of the velocity, at least 0 and in use below 1.
    weight_decay : float, default 0.0
        Factor lambda of the weight that is added to the gradient, at least 0.

    Attributes
    ----------
    groups : list of dict
        As `Optimizer` keeps them: each with the three options, read at each ``step()``.
    velocity : list or dict
        One entry per parameter, once a ``step()`` has seen all gradients; the keys of a dict are
        up to you. It may be filled at construction or when first needed.

    Notes
    -----
    ``g <- g + weight_decay * w``, ``v <- momentum * v + g`` and then
    ``w <- w - learning_rate * (g + momentum * v)``, with v = 0 before the first gradient and the
    new v in the last line. This is ``torch.optim.SGD(nesterov=True)``.

    References
    ----------
    Y. Nesterov, A Method for Solving a Convex Programming Problem with Convergence Rate O(1/k^2),
    1983. I. Sutskever et al., On the Importance of Initialization and Momentum in Deep Learning,
    2013.
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:
        # TODO: hand parameters and options on to Optimizer, and prepare the velocity.
        ### BEGIN SOLUTION
        super().__init__(
            parameters, learning_rate=learning_rate, momentum=momentum, weight_decay=weight_decay
        )
        self.velocity = [np.zeros_like(p.data.data) for p in self.parameters]
        ### END SOLUTION

    def step(self) -> None:
        """Update every parameter that has a gradient, with the options of its group.

        A parameter whose ``grad`` is None is skipped: no decay, and its velocity stays. The step
        starts from what ``parameter.data`` is now and leaves a ``Tensor`` of its shape there.
        Gradients are read and never changed.
        """
        # TODO: update the velocity and the value of every parameter that has a gradient.
        # Hint: for a constant gradient of 1 and momentum 0.9, is the first step 1 or 1.9 rates?
        ### BEGIN SOLUTION
        for index, parameter, options in self.each_parameter():
            if parameter.grad is None:
                continue
            w, v = parameter.data.data, self.velocity[index]
            g = parameter.grad.data.data + options["weight_decay"] * w
            # v <- momentum * v + g
            v *= options["momentum"]
            v += g
            # w <- w - learning_rate * (g + momentum * v)
            w -= options["learning_rate"] * (g + options["momentum"] * v)
        ### END SOLUTION


# %% [markdown]
# To try at once: the bowl with curvatures 1 and 20 of chapter 08, from (-2, 1). Both rules have
# momentum 0.9 and the rate 0.04.


# %%
def losses_on_the_bowl(make_optimizer, steps=80):
    """Return the loss (w1^2 + 20 w2^2) / 2 before each step."""
    w = Variable([-2.0, 1.0])
    optimizer, found = make_optimizer([w]), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (w * w * np.array([0.5, 10.0])).sum()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


if __name__ == "__main__":
    plt.figure()
    plt.semilogy(losses_on_the_bowl(lambda w: SGD(w, 0.04, momentum=0.9)), label="heavy ball")
    plt.semilogy(losses_on_the_bowl(lambda w: NesterovSGD(w, 0.04)), label="Nesterov")
    plt.gca().set(xlabel="step", ylabel="loss")
    plt.legend()
    plt.show()

# %% [markdown]
# Nesterov's curve is below: where the slope is steep, the look-ahead brakes the ball before it has
# passed the bottom.

# %% nbgrader={"grade": true, "grade_id": "test-nesterov", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Graded: NesterovSGD, 10 points.
# What each part does stands in tinytorch/checks/for_10_modern_optimizers/nesterov.py.
from tinytorch.checks.for_10_modern_optimizers.nesterov import checks as nesterov_checks


def test_unit_nesterov():
    """NesterovSGD: look-ahead, decay, groups, missing and untouched gradients."""
    nesterov_checks.run(NesterovSGD)


if __name__ == "__main__":
    nesterov_checks.show(NesterovSGD)

# %% [markdown]
# **To think about.** A library's `SGD(nesterov=True)` stores the look-ahead point. Which point do
# you evaluate at the end of a training, and how far is it from the one that the theory speaks of?
# When does the difference vanish?

# %% [markdown]
# ## 3 AdamW
#
# **The problem.** For gradient descent, decay and a penalty $\frac{\lambda}{2} w^2$ are the same
# thing: the gradient of the penalty is $\lambda w$. Adam divides whatever comes as a gradient by
# $\sqrt{\hat v}$. A penalty in the gradient is divided with it, so a weight with large gradients is
# hardly decayed, and one with small gradients far too much.
#
# **The idea.** Loshchilov and Hutter (2019) take the decay out of the gradient: $m$ and $v$ see the
# loss alone, and the weight loses the same share of itself in each step. Decay is *decoupled* from
# the gradient.
#
# **The equation.** First the decay, then Adam's step of chapter 08, with $g$ the gradient of the
# loss alone:
#
# $$ w \leftarrow w - \eta \lambda\, w \qquad\qquad
# w \leftarrow w - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} $$

# %% [markdown]
# ### The penalty, seen at work
#
# Two weights start at 1. Their gradients have the mean zero and change sign at every step: the
# first weight's are 10 in size, the second's 0.001. So nothing but the decay should move them much.
# With $\eta = 0.01$ and $\lambda = 0.1$ a step should take a thousandth of a weight, and after 500
# steps $0.999^{500} = 0.606$ of it should be left. We add the penalty to the gradient and let your
# Adam work.


# %%
def decayed(make_optimizer, penalty=0.0, steps=500):
    """Return what is left of two weights whose gradients have the mean zero."""
    w = Variable([1.0, 1.0])
    optimizer = make_optimizer(w)
    for step in range(steps):
        sign = 1 if step % 2 else -1
        w.grad = Variable(sign * np.array([10.0, 0.001]) + penalty * w.data.data)
        optimizer.step()
    return w.data.data


if __name__ == "__main__":
    left = decayed(lambda w: Adam([w], learning_rate=0.01), penalty=0.1)
    print(f"penalty in the gradient: {left[0]:.3f} and {left[1]:.3f} left, meant were 0.606")

# %% [markdown]
# The first weight has kept nearly everything. For the second the penalty is all that Adam sees, and
# Adam brings every gradient to the same size: it went to zero at full speed.
#
# ### Which decay, and when
#
# Three details differ between papers and libraries.
#
# - **The factor.** PyTorch multiplies $\lambda$ by the rate, as above, so a schedule lowers both.
#   The paper multiplies it by the schedule's factor alone. The same $\lambda$ is then a decay
#   $1/\eta$ times as strong.
# - **The order.** The decay is taken from the weight before Adam's step. Taken afterwards it also
#   shrinks the step just made, by $\eta\lambda$ of itself.
# - **What is decayed.** All that the optimizer is given. `split_decay` makes the exceptions.
#
# With $\lambda = 0$ AdamW is Adam.

# %% nbgrader={"grade": false, "grade_id": "adamw-class", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class AdamW(Optimizer):
    """Adam with decoupled weight decay.

    Parameters
    ----------
    parameters : list of Variable, or list of groups
        What to train; any shapes.
    learning_rate : float, default 0.001
        Step length eta, at least 0.
    beta1, beta2 : float, default 0.9 and 0.999
        Decay of the first and the second moment, from 0 to below 1.
    epsilon : float, default 1e-8
        Added to the root of the corrected second moment, at least 0.
    weight_decay : float, default 0.01
        Share of the weight, in rates, that each step takes away, at least 0.

    Attributes
    ----------
    groups : list of dict
        As `Optimizer` keeps them: each with the five options, read at each ``step()``.
    m, v : list or dict
        First and second moments: one entry per parameter, once a ``step()`` has seen all gradients;
        the keys of a dict are up to you. They may be filled at construction or when first needed.
    t : int
        Number of calls of ``step()``, 0 at first.

    Notes
    -----
    First ``w <- w - learning_rate * weight_decay * w``. Then ``m <- beta1 * m + (1 - beta1) * g``
    and ``v <- beta2 * v + (1 - beta2) * g * g``, both 0 at first, and ``w <- w - learning_rate *
    (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + epsilon)``, where g is the gradient alone.
    After missing gradients the exponent may be ``t`` or the number of gradients this parameter
    has had. This is ``torch.optim.AdamW``.

    References
    ----------
    I. Loshchilov, F. Hutter, Decoupled Weight Decay Regularization, 2019.
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        # TODO: hand parameters and options on to Optimizer, and prepare m, v and t.
        ### BEGIN SOLUTION
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )
        self.m = [np.zeros_like(p.data.data) for p in self.parameters]
        self.v = [np.zeros_like(p.data.data) for p in self.parameters]
        self.t = 0
        self._missed = [0] * len(self.m)  # calls of step() that met no gradient, of each
        self._scratch = np.zeros(0, np.uint8)  # memory for intermediate results of any dtype
        ### END SOLUTION

    def step(self) -> None:
        """Update every parameter that has a gradient, and count the call in ``t``.

        A parameter whose ``grad`` is None is skipped: no decay, and its moments stay. The step
        starts from what ``parameter.data`` is now and leaves a ``Tensor`` of its shape there.
        Gradients are read and never changed.
        """
        # TODO: count the call, then decay and update every parameter with a gradient.
        # Hint: which of the three arrays m, v and w may the decay reach?
        ### BEGIN SOLUTION
        self.t += 1
        for index, parameter, options in self.each_parameter():
            if parameter.grad is None:
                self._missed[index] += 1
                continue
            w, g = parameter.data.data, parameter.grad.data.data
            m, v = self.m[index], self.v[index]
            n = self.t - self._missed[index]  # how many gradients m and v hold, as PyTorch counts
            rate, beta1, beta2 = float(options["learning_rate"]), options["beta1"], options["beta2"]
            if self._scratch.size < w.nbytes:
                self._scratch = np.zeros(w.nbytes, np.uint8)
            s = self._scratch[: w.nbytes].view(w.dtype).reshape(w.shape)
            # w <- w - learning_rate * weight_decay * w
            w *= 1 - rate * options["weight_decay"]
            # m <- beta1 * m + (1 - beta1) * g
            m *= beta1
            m += np.multiply(g, 1 - beta1, out=s)
            # v <- beta2 * v + (1 - beta2) * g * g
            v *= beta2
            np.multiply(g, g, out=s)
            v += np.multiply(s, 1 - beta2, out=s)
            # w <- w - learning_rate * (m / (1 - beta1**n)) / (sqrt(v / (1 - beta2**n)) + epsilon),
            # with both corrections moved to where they are numbers and no arrays
            root = math.sqrt(1 - beta2**n)
            np.sqrt(v, out=s)
            s += options["epsilon"] * root
            np.divide(m, s, out=s)
            w -= np.multiply(s, rate * root / (1 - beta1**n), out=s)
        ### END SOLUTION


# %% [markdown]
# To try at once: the two weights from above. Both should now have lost the same share: to 0.606,
# and the hundredth that Adam's first step has moved them. With no decay your AdamW should stay on
# the path of your Adam.

# %%
if __name__ == "__main__":
    left = decayed(lambda w: AdamW([w], learning_rate=0.01, weight_decay=0.1))
    print(f"decoupled decay: {left[0]:.3f} and {left[1]:.3f} left")
    plain = decayed(lambda w: Adam([w], learning_rate=0.01))
    without = decayed(lambda w: AdamW([w], learning_rate=0.01, weight_decay=0.0))
    print(f"AdamW without decay is apart from Adam by {np.abs(plain - without).max():.1e}")

# %% nbgrader={"grade": true, "grade_id": "test-adamw", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
# Graded: AdamW, 20 points.
# What each part does stands in tinytorch/checks/for_10_modern_optimizers/adamw.py.
from tinytorch.checks.for_10_modern_optimizers.adamw import checks as adamw_checks


def test_unit_adamw():
    """AdamW: decay apart from the gradient, Adam's step, groups, missing gradients."""
    adamw_checks.run(AdamW)


if __name__ == "__main__":
    adamw_checks.show(AdamW)

# %% [markdown]
# **To think about.** A weight under a steady gradient comes to rest where decay and Adam's step are
# equal. Where is that, for a step of one rate? Does it depend on the rate? And where does a penalty
# in the gradient let the same weight rest?

# %% [markdown]
# ## 4 Schedules as functions of the step
#
# **The problem.** `StepLR` counts, and multiplies, and writes into the optimizer. To put a warm-up
# before it we would need another class that does all this as well, and the two would have to agree
# on who writes when.
#
# **The idea.** A schedule is a function: from the number of a step, 0, 1, and so on, to a *factor*.
# It has no state, so it can be drawn, composed, and asked about any step in any order. One small
# class, `Schedule`, does the rest: it remembers the rate that each group had and sets that rate
# times the factor.
#
# **The equations.** With $s$ for the step and a floor $f$, warm-up over $n$ steps and cosine decay
# over $n$ steps are
#
# $$ \min\left(\frac{s + 1}{n},\, 1\right) \qquad\qquad
# f + (1 - f)\, \frac{1 + \cos(\pi s / n)}{2} \ \text{ to step } n, \text{ then } f $$
#
# The warm-up begins at $1/n$, not at 0 as in chapter 08: a first step with the rate 0 would be a
# step for nothing.

# %% [markdown]
# **Warm-up, stable, decay.** A cosine must know where the run ends, and its rate is too low to go
# on from there. So many recent runs (Hu et al., 2024) keep the factor at 1 and decide later when to
# stop. A short linear decay then brings about as low a loss as a whole cosine (Hägele et al.,
# 2024). With $n_w$ steps of warm-up, $n_s$ stable ones and $n_d$ of decay, and $k = s - n_w - n_s$
# counted from the end of the stable ones:
#
# $$ \min\left(\frac{s + 1}{n_w},\, 1\right) \text{ for } n_w \text{ steps}, \quad
# 1 \text{ for } n_s \text{ steps}, \quad 1 - (1 - f)\,\frac{k}{n_d} \text{ to } k = n_d, \quad
# \text{then } f $$
#
# **One after another.** Two schedules in a row, with $n$ steps for the first: that one for the
# steps below $n$, from then on the second, which counts from 0 again.

# %% [markdown]
# ### When a schedule is called
#
# `Schedule` follows PyTorch's convention. It sets the factor of step 0 when it is made, and you
# call its `step()` *after* each step of the optimizer: the $n$-th call sets the factor of step $n$.
# The `StepLR` of chapter 08 is called at the *start* of an epoch, and its $n$-th call sets the rate
# of epoch $n$, counted from 1. So here the first step has its rate without a call.
#
# | | the first rate is set | called | call $n$ sets |
# |---|---|---|---|
# | `StepLR` | by the first call | before the work | the rate of epoch $n$ of 1, 2, ... |
# | `Schedule` | when it is made | after the work | the factor of step $n$ of 0, 1, ... |


# %% nbgrader={"grade": false, "grade_id": "schedule-functions", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def linear_warmup(steps: int) -> Callable[[int], float]:
    """Return a schedule that rises in a straight line to 1.

    Its factor is ``(step + 1) / steps``, and 1 from step ``steps - 1`` on. With ``steps = 0`` it
    is always 1.
    """
    # TODO: return a function from step to factor.
    # Hint: what is the factor of step 0, and from which step on is it 1?
    ### BEGIN SOLUTION
    return lambda step: min((step + 1) / steps, 1.0) if steps else 1.0
    ### END SOLUTION


def cosine(steps: int, floor: float = 0.0) -> Callable[[int], float]:
    """Return a schedule that falls along half a cosine wave, from 1 to a floor.

    Its factor is ``floor + (1 - floor) * (1 + cos(pi * step / steps)) / 2`` while
    ``step < steps``, and ``floor`` from then on.
    """

    # TODO: return a function from step to factor.
    # Hint: what does a cosine do after half a wave?
    ### BEGIN SOLUTION
    def factor(step: int) -> float:
        if step >= steps:
            return floor
        return floor + (1 - floor) * (1 + math.cos(math.pi * step / steps)) / 2

    return factor
    ### END SOLUTION


def warmup_stable_decay(
    warmup: int, stable: int, decay: int, floor: float = 0.0
) -> Callable[[int], float]:
    """Return a schedule that rises to 1, stays there, and falls in a straight line to a floor.

    For ``warmup`` steps it is ``linear_warmup(warmup)``, for ``stable`` steps 1. Then, with k
    counted from 0 at step ``warmup + stable``, it is ``1 - (1 - floor) * k / decay`` while
    k < ``decay``, and ``floor`` from then on. Each length may be 0.
    """
    # TODO: return a function from step to factor.
    # Hint: two of the three phases are already written, or a constant.
    ### BEGIN SOLUTION
    rise = linear_warmup(warmup)

    def factor(step: int) -> float:
        k = step - warmup - stable
        if k < 0:
            return rise(step)
        return 1 - (1 - floor) * k / decay if k < decay else floor

    return factor
    ### END SOLUTION


def one_after_another(
    schedules: Sequence[Callable[[int], float]], lengths: Sequence[int]
) -> Callable[[int], float]:
    """Return a schedule made of several, each counted from 0 where it begins.

    Parameters
    ----------
    schedules : list of functions from step to factor
        At least one.
    lengths : list of int
        For how many steps each is followed, for all but the last, which has no end. So there is
        one length less than schedules. A length may be 0. Both lists stay as they are.
    """
    # TODO: return a function from step to factor.
    # Hint: a step that lies behind the first schedule is which step of the others?
    ### BEGIN SOLUTION
    if len(lengths) != len(schedules) - 1:
        raise ValueError(
            f"lengths must be one less than schedules, got {len(lengths)} and {len(schedules)}"
        )

    def factor(step: int) -> float:
        for schedule, length in zip(schedules, lengths, strict=False):
            if step < length:
                return schedule(step)
            step -= length
        return schedules[-1](step)

    return factor
    ### END SOLUTION


class Schedule:
    """Set the rate of every group to what it was, times a factor that depends on the step.

    Parameters
    ----------
    optimizer : Optimizer
        Only its ``groups`` are used, and of these only ``"learning_rate"``.
    factor : callable
        From the number of a step, 0 for the first, to a factor.

    Attributes
    ----------
    optimizer, factor
        As given.
    step_count : int
        Number of calls of ``step()``, 0 at first. It may be set: to go on at step n of a run, set
        it to n - 1 and call ``step()``.

    Notes
    -----
    The rate that each group has when the schedule is made is its base. At once the rate becomes
    ``base * factor(0)``; call number n of ``step()`` sets ``base * factor(n)``, whatever the rate
    was before. Call it after each step of the optimizer.
    """

    def __init__(self, optimizer: Optimizer, factor: Callable[[int], float]) -> None:
        # TODO: remember the rate of every group, then set those of step 0.
        ### BEGIN SOLUTION
        self.optimizer = optimizer
        self.factor = factor
        self._bases = [group["learning_rate"] for group in optimizer.groups]
        self.step_count = -1
        self.step()
        ### END SOLUTION

    def step(self) -> None:
        """Count the call in ``step_count`` and set the rate of every group, and nothing else."""
        # TODO: set the rates that belong to this call.
        ### BEGIN SOLUTION
        self.step_count += 1
        for base, group in zip(self._bases, self.optimizer.groups, strict=True):
            group["learning_rate"] = base * self.get_factor()
        ### END SOLUTION

    def get_factor(self) -> float:
        """Return the factor of the current step, ``factor(step_count)``, and change nothing."""
        # TODO: return the factor of the current step.
        ### BEGIN SOLUTION
        return self.factor(self.step_count)
        ### END SOLUTION


# %% [markdown]
# To try at once: four schedules over 100 steps. One-cycle goes back to Smith and Topin (2019); in
# the form of PyTorch's default it rises along a cosine for 30 steps and falls along another. We did
# not write a rising cosine; but $1 + f$ minus a falling one rises from $f$ to 1.


# %%
def one_cycle(steps, start=0.04, share=0.3):
    """Rise along a cosine from start to 1 for a share of the steps, then fall to 0."""
    rising, falling = round(share * steps), steps - round(share * steps)
    fall = cosine(rising, start)
    return one_after_another([lambda step: 1 + start - fall(step), cosine(falling)], [rising])


if __name__ == "__main__":
    shapes = {
        "cosine": cosine(100),
        "warm-up 10, then cosine": one_after_another([linear_warmup(10), cosine(90)], [10]),
        "warm-up, stable, decay": warmup_stable_decay(10, 60, 30),
        "one cycle": one_cycle(100),
    }
    plt.figure()
    for name, shape in shapes.items():
        plt.plot([shape(step) for step in range(110)], label=name)
    plt.gca().set(xlabel="step", ylabel="factor", ylim=(0, 1.45))
    plt.legend(ncols=2, loc="upper right", fontsize="small")
    plt.show()

# %% [markdown]
# Two groups with rates of their own keep their ratio, whatever the factor.

# %%
if __name__ == "__main__":
    groups = [
        {"parameters": [Variable(0.0)], "learning_rate": 0.1},
        {"parameters": [Variable(0.0)], "learning_rate": 0.01},
    ]
    schedule = Schedule(AdamW(groups), warmup_stable_decay(2, 1, 4))
    for step in range(8):
        rates = [f"{group['learning_rate']:.5f}" for group in schedule.optimizer.groups]
        print(f"step {step}: factor {schedule.get_factor():.2f}, rates {rates[0]} and {rates[1]}")
        schedule.step()

# %% [markdown]
# ### Going on in the middle
#
# A run of 100 steps is stopped after step 79 and continued from a file, with the rate that the
# optimizer had. Whoever makes a new schedule on that optimizer decays from a rate that is decayed
# already, and from the beginning. Right is an optimizer with the rates of the *start*, and a
# schedule that counts on from where it was.


# %%
def rates_from(schedule, first, last):
    """Return the rates of the steps from first to last."""
    found = []
    for _ in range(first, last):
        found.append(schedule.optimizer.learning_rate)
        schedule.step()
    return found


if __name__ == "__main__":
    shape = warmup_stable_decay(10, 50, 40)
    before = rates_from(Schedule(AdamW([Variable(0.0)], 0.1), shape), 0, 80)
    wrong = Schedule(AdamW([Variable(0.0)], before[-1]), shape)
    right = Schedule(AdamW([Variable(0.0)], 0.1), shape)
    right.step_count = 79
    right.step()
    print(f"step 79: {before[-1]:.4f}")
    print(f"step 80: {right.optimizer.learning_rate:.4f} resumed, ", end="")
    print(f"{wrong.optimizer.learning_rate:.4f} from a new schedule")
    plt.figure()
    plt.plot(range(80), before, label="until it was stopped")
    plt.plot(range(80, 100), rates_from(right, 80, 100), label="resumed")
    plt.plot(range(80, 100), rates_from(wrong, 80, 100), "--", label="a new schedule")
    plt.gca().set(xlabel="step", ylabel="learning rate")
    plt.legend()
    plt.show()

# %% nbgrader={"grade": true, "grade_id": "test-schedules", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
# Graded: the schedules, 20 points.
# What each part does stands in tinytorch/checks/for_10_modern_optimizers/schedules.py.
from tinytorch.checks.for_10_modern_optimizers.schedules import checks as schedules_checks


def test_unit_schedules():
    """Schedules: four functions of the step, and what Schedule does with the groups."""
    schedules_checks.run(linear_warmup, cosine, warmup_stable_decay, one_after_another, Schedule)


if __name__ == "__main__":
    schedules_checks.show(linear_warmup, cosine, warmup_stable_decay, one_after_another, Schedule)

# %% [markdown]
# **To think about.** Gradients are accumulated over four batches before each step of the optimizer.
# If the schedule is called once a batch, how many steps of the optimizer does a warm-up last that
# was written as 100 steps? And what happens to a schedule where the loss scaler skips the very
# first steps of the optimizer?

# %% [markdown]
# ## 5 Muon
#
# **The problem.** Adam treats a matrix as a bag of numbers. But a layer's matrix acts as a whole:
# it turns directions of its input into directions of its output, each with a strength, its singular
# value. In gradients a few of these strengths are usually far larger than all others. A step along
# the gradient changes these few directions and leaves the rest as it was.
#
# **The idea.** Keep the directions of the momentum and make all strengths equal. The singular value
# decomposition $U S V^T$ of a matrix has the directions in $U$ and $V$ and the strengths in the
# diagonal of $S$. What we want is $U V^T$, the nearest matrix with orthonormal rows or columns.
# Jordan et al. (2024) do it in Muon, "momentum orthogonalized by Newton-Schulz": no decomposition,
# only a few matrix products, which is what accelerators are good at.
#
# **Only matrices.** A bias has no singular values, and neither has a single number. An embedding
# table is a matrix by its shape alone: its rows are looked up one by one. These stay with AdamW.

# %% [markdown]
# ### 5.1 Newton-Schulz
#
# **The equation.** With the Frobenius norm, the root of the sum of all squares, and the matrix $G$,
#
# $$ X \leftarrow \frac{G}{\max(\lVert G \rVert,\, 10^{-7})}, \qquad \text{then several times} \quad
# A = X X^T, \quad X \leftarrow a X + (b A + c A A) X $$
#
# with $a = 3.4445$, $b = -4.7750$, $c = 2.0315$. Where there are more rows than columns one works
# with the transposed matrix, so that $A$ is the smaller of two, and transposes back at the end.
#
# Put $X = U S V^T$ into the second line: $U$ and $V$ stay, and every singular value $x$ becomes
# $a x + b x^3 + c x^5$. So it is enough to look at that polynomial. The division has brought all
# singular values to between 0 and 1.


# %%
def polynomial(x, times):
    """Apply a x + b x^3 + c x^5 several times."""
    for _ in range(times):
        x = 3.4445 * x - 4.7750 * x**3 + 2.0315 * x**5
    return x


if __name__ == "__main__":
    x = np.linspace(0, 1, 1001)
    plt.figure()
    for times in (1, 2, 5):
        plt.plot(x, polynomial(x, times), label=f"{times} times")
    plt.axhline(1, color="0.6", linestyle=":")
    plt.gca().set(xlabel="singular value before", ylabel="after", ylim=(0, 1.45))
    plt.legend(ncols=3, loc="upper right")
    plt.show()
    for least in (0.001, 0.01, 0.1):
        after = polynomial(np.linspace(least, 1, 10_001), 5)
        print(f"from {least} to 1, five times: {after.min():.3f} to {after.max():.3f}")

# %% [markdown]
# The result is not exact, and the coefficients are chosen that way: a steep start lifts small
# values fast, in exchange for a band around 1 in which the large ones wander. What begins above a
# hundredth of the norm ends between about 0.68 and 1.13; what is smaller may be on its way still,
# or reach 1.2. For a step that is good enough.


# %% nbgrader={"grade": false, "grade_id": "muon-class", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def newton_schulz(matrix: np.ndarray, steps: int = 5) -> np.ndarray:
    """Bring the singular values of a matrix near 1, and keep its directions.

    Parameters
    ----------
    matrix : numpy.ndarray
        With two dimensions, float32 or float64. It is not changed.
    steps : int, default 5
        How many times the polynomial is applied, at least 0: then the matrix is only divided.

    Returns
    -------
    numpy.ndarray
        Of the same shape; a new array. Zeros for a matrix of zeros.

    Notes
    -----
    ``X = G / max(norm(G), 1e-7)`` with the Frobenius norm, transposed where there are more rows
    than columns; then `steps` times ``A = X @ X.T`` and ``X <- a * X + (b * A + c * A @ A) @ X``
    with (a, b, c) = (3.4445, -4.7750, 2.0315).

    References
    ----------
    K. Jordan et al., Muon: An Optimizer for Hidden Layers in Neural Networks, 2024.
    """
    # TODO: divide, then apply the polynomial.
    # Hint: for a matrix with a single row, what is A?
    ### BEGIN SOLUTION
    a, b, c = 3.4445, -4.7750, 2.0315
    X = matrix / max(float(np.linalg.norm(matrix)), 1e-7)
    tall = X.shape[0] > X.shape[1]
    if tall:
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X.T if tall else X
    ### END SOLUTION


class Muon(Optimizer):
    """Momentum, orthogonalized: for matrices only.

    Parameters
    ----------
    parameters : list of Variable, or list of groups
        What to train: matrices. A parameter of another shape belongs to `AdamW`.
    learning_rate : float, default 0.02
        Step length eta, at least 0.
    momentum : float, default 0.95
        Decay mu of the velocity, at least 0 and in use below 1.
    weight_decay : float, default 0.0
        Share of the weight, in rates, that each step takes away, at least 0.
    steps : int, default 5
        Of `newton_schulz`.

    Attributes
    ----------
    groups : list of dict
        As `Optimizer` keeps them: each with the four options, read at each ``step()``.
    velocity : list or dict
        One entry per parameter, once a ``step()`` has seen all gradients; the keys of a dict are
        up to you. It may be filled at construction or when first needed.

    Raises
    ------
    ValueError
        For a parameter that has not two dimensions: the message names its shape, and AdamW as the
        optimizer to give it to.

    Notes
    -----
    ``v <- momentum * v + (1 - momentum) * g``, an average here, with v = 0 before the first
    gradient; ``u = (1 - momentum) * g + momentum * v``, Nesterov's look-ahead; then
    ``w <- w - learning_rate * weight_decay * w`` and ``w <- w - learning_rate *
    sqrt(max(1, rows / columns)) * newton_schulz(u, steps)``.
    """

    def __init__(
        self,
        parameters: Sequence[Any],
        learning_rate: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        steps: int = 5,
    ) -> None:
        # TODO: hand parameters and options on to Optimizer, refuse what is no matrix, and prepare
        # the velocity.
        ### BEGIN SOLUTION
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            momentum=momentum,
            weight_decay=weight_decay,
            steps=steps,
        )
        for index, parameter, _ in self.each_parameter():
            if parameter.data.ndim != 2:
                raise ValueError(
                    f"parameters of Muon must be matrices, got number {index} of shape "
                    f"{parameter.data.shape}; give it to AdamW"
                )
        self.velocity = [np.zeros_like(p.data.data) for p in self.parameters]
        ### END SOLUTION

    def step(self) -> None:
        """Update every parameter that has a gradient, with the options of its group.

        A parameter whose ``grad`` is None is skipped: no decay, and its velocity stays. The step
        starts from what ``parameter.data`` is now and leaves a ``Tensor`` of its shape there.
        Gradients are read and never changed.
        """
        # TODO: update the velocity and the value of every parameter that has a gradient.
        # Hint: does the length of u matter for the step?
        ### BEGIN SOLUTION
        for index, parameter, options in self.each_parameter():
            if parameter.grad is None:
                continue
            w, g, v = parameter.data.data, parameter.grad.data.data, self.velocity[index]
            rate, momentum = options["learning_rate"], options["momentum"]
            # v <- momentum * v + (1 - momentum) * g
            v *= momentum
            v += (1 - momentum) * g
            u = (1 - momentum) * g + momentum * v
            # w <- w - learning_rate * weight_decay * w
            w *= 1 - rate * options["weight_decay"]
            # w <- w - learning_rate * sqrt(max(1, rows / columns)) * newton_schulz(u)
            scale = math.sqrt(max(1.0, w.shape[0] / w.shape[1]))
            w -= rate * scale * newton_schulz(u, options["steps"])
        ### END SOLUTION


# %% [markdown]
# To try at once: the gradient of the first layer of the digits network, on one batch. Its singular
# values fall by more than three orders of magnitude before. Afterwards most of them are near 1, and
# the smallest are still on their way. Four are zero but for rounding, before and afterwards: as
# many hidden units are off for all 32 images, and their columns of the gradient are 0.

# %%
from tinytorch.parallel.digits import accuracy_of, loss_of, split_digits

digits = split_digits()  # training images and labels, then test images and labels

if __name__ == "__main__":
    network = make_network()
    loss_of(network, digits[0][:32], digits[1][:32]).backward()
    gradient = network[0].grad.data.data
    plt.figure()
    for name, shown in {"before": gradient, "after": newton_schulz(gradient)}.items():
        strengths = np.linalg.svd(shown, compute_uv=False)
        print(f"{name:6} largest {strengths[0]:.3f}, tenth {strengths[9]:.4f}", end=", ")
        print(f"{np.sum(strengths > 0.5)} of {len(strengths)} above 0.5")
        plt.semilogy(range(1, 33), strengths, ".-", label=name)
    plt.gca().set(xlabel="number of the singular value", ylabel="singular value", ylim=(1e-4, 2))
    plt.legend()
    plt.show()

# %% [markdown]
# ### 5.2 What the rate means
#
# The step of Muon has a size of its own, whatever the gradient was. For a matrix of $r$ rows and
# $c$ columns `newton_schulz` gives singular values of about 1, so a Frobenius norm of about
# $\sqrt{\min(r, c)}$. Times the factor that is $\sqrt{r}$: the weights move by about
# $\eta\sqrt{r}$. The factor, $\sqrt{\max(1, r/c)}$, is one of several in use (PyTorch calls it
# "original"). It speaks of rows and columns, and so of a layout: our matrices have a row per input,
# PyTorch's a row per output. For the same layer the factor is not the same, and neither is the
# rate.

# %% nbgrader={"grade": true, "grade_id": "test-muon", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
# Graded: newton_schulz and Muon, 20 points.
# What each part does stands in tinytorch/checks/for_10_modern_optimizers/muon.py.
from tinytorch.checks.for_10_modern_optimizers.muon import checks as muon_checks


def test_unit_muon():
    """Muon: the iteration, the step, its size, decay, groups, and what is no matrix."""
    muon_checks.run(newton_schulz, Muon)


if __name__ == "__main__":
    muon_checks.show(newton_schulz, Muon)

# %% [markdown]
# ### 5.3 On the digits
#
# Muon takes the two matrices, AdamW (without decay, so Adam) the two vectors. `train` is the loop
# of chapter 08, for any number of optimizers; it returns the loss on the training images, and loss
# and accuracy on the test images, after 20 epochs in batches of 64, 440 steps.


# %%
def batches_of(seed, epochs=20, size=64):
    """Give the rows of every batch: each epoch all of the images, in another order."""
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(digits[0]))
        yield from np.split(order, range(size, len(order), size))


def train(make_optimizers, seed):
    """Train the digits network; return its training loss, its test loss and its test accuracy."""
    net = make_network(seed)
    optimizers = make_optimizers(net)
    for batch in batches_of(seed):
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss_of(net, digits[0][batch], digits[1][batch]).backward()
        for optimizer in optimizers:
            optimizer.step()
    test_loss, accuracy = loss_of(net, *digits[2:]).item(), accuracy_of(net, *digits[2:])
    return loss_of(net, *digits[:2]).item(), test_loss, accuracy


# %%
def muon_for_matrices(rate, transposed=False):
    """Return what makes Muon for the matrices and AdamW for the rest of a network."""

    def make(net):
        matrices, rest = (group["parameters"] for group in split_decay(net, 0.0))
        groups = []
        for w in matrices:
            factor = math.sqrt(max(1, np.divide(*w.data.shape))) if transposed else 1
            groups.append({"parameters": [w], "learning_rate": rate / factor})
        return [Muon(groups), AdamW(rest, 0.01, weight_decay=0.0)]

    return make


FAMILIES = {
    "Adam": ((0.01, 0.03, 0.1), lambda rate: lambda net: [Adam(net, rate)]),
    "momentum 0.9": ((0.1, 0.3, 0.5), lambda rate: lambda net: [SGD(net, rate, momentum=0.9)]),
    "Muon": ((0.005, 0.01, 0.02), muon_for_matrices),
    "transposed": ((0.02,), lambda rate: muon_for_matrices(rate, transposed=True)),
}

if __name__ == "__main__":
    runs = {}
    for name, (rates, family) in FAMILIES.items():
        for rate in rates:
            runs[name, rate] = np.transpose([train(family(rate), seed) for seed in range(3)])
            losses, _, accuracies = runs[name, rate]
            row = f"{name:12} {rate:5}: loss {losses.mean():.4f} ({losses.min():.4f} to"
            print(f"{row} {losses.max():.4f}), accuracy {accuracies.mean():.3f}")

# %% [markdown]
# Three seeds each. Muon's best mean is the lowest, by a factor of about five. `transposed` divides
# the factor of the rate out, which for weights stored as outputs times inputs is 1 in both layers.
# In our layout the usual rate of 0.02 is too large already, in the other it is as good as 0.01: a
# rate belongs to a layout. The test accuracies at the best rates lie between 0.98 and 0.99, in no
# order that follows the losses. A larger rate makes Muon worse: steps of a constant size never come
# to rest. That is what lowering the rate is for; the figure of section 6 shows it for 0.05.

# %% [markdown]
# **What this does not show.** The network has 2,410 parameters, the losses are those of the
# training images, and the test cannot tell them apart. A step of Muon costs more arithmetic than
# one of Adam, and we have not counted the time. Whether Muon saves any where time is money, on
# large models, these numbers cannot say.
#
# **To think about.** A layer that widens, from 10 to 64, has the factor 1 in our layout. What is it
# in the other one? And what does Muon do to a gradient of which only one singular value is not
# noise?

# %% [markdown]
# ## 6 Averaging weights
#
# **The problem.** With a constant rate the weights never settle. They circle around a good place,
# thrown about by the noise of the batches, and the run ends wherever they happen to be.
#
# **The idea.** The center of a circle is the mean of its points. Keep a running average of the
# weights beside the training, and evaluate with the average. Training itself knows nothing of it.
#
# **The equation.** With a decay $d$, and $a = w$ at the start, after each step of the optimizer
#
# $$ a \leftarrow d\, a + (1 - d)\, w $$
#
# It is an exponential moving average (EMA), over about $1/(1-d)$ steps: 100 for 0.99. Because it
# begins at the weights and not at zero, it needs no correction. To evaluate, the averages take the
# place of the weights for a while, and afterwards the weights must be back, whatever happened in
# between. In Python such a place is a context manager: `with average.applied(): ...`. The decorator
# `@contextmanager` makes one of a function with one `yield`: what stands before it runs first, then
# the block, then what stands behind it. An exception in the block is raised at the `yield`.


# %% nbgrader={"grade": false, "grade_id": "weight-average", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class WeightAverage:
    """An exponential moving average of weights.

    Parameters
    ----------
    parameters : list of Variable
        Whose weights to average; any shapes.
    decay : float, default 0.99
        Decay d of the average, from 0 to 1.

    Attributes
    ----------
    parameters, decay
        As given.
    averages : list
        One array per parameter, in order. Each begins as a copy of the weights.
    """

    def __init__(self, parameters: Sequence[Variable], decay: float = 0.99) -> None:
        # TODO: keep the arguments, and begin the averages.
        # Hint: what happens to your average when an optimizer changes the weights in place?
        ### BEGIN SOLUTION
        if not 0 <= decay <= 1:
            raise ValueError(f"decay must be from 0 to 1, got {decay!r}")
        self.parameters = list(parameters)
        self.decay = decay
        self.averages = [parameter.data.data.copy() for parameter in self.parameters]
        ### END SOLUTION

    def update(self) -> None:
        """Take the present weights in: ``a <- decay * a + (1 - decay) * w``; they stay as they are.

        Call it after each step of the optimizer. ``averages`` holds the new numbers afterwards.
        """
        # TODO: update every average.
        ### BEGIN SOLUTION
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            average *= self.decay
            average += (1 - self.decay) * parameter.data.data
        ### END SOLUTION

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages in the place of the weights inside a ``with`` block.

        ``parameter.data`` of every parameter is then a ``Tensor`` of its average. When the block
        ends, also by an exception, which goes on its way, the weights are what they were, to the
        bit, and the averages are unchanged. Blocks may stand in one another.
        """
        # TODO: swap, let the block run (that is what `yield` does here), and swap back.
        # Hint: what happens here if the block raises?
        ### BEGIN SOLUTION
        weights = [parameter.data for parameter in self.parameters]
        try:
            for parameter, average in zip(self.parameters, self.averages, strict=True):
                parameter.data = Tensor(average)
            yield
        finally:
            for parameter, kept in zip(self.parameters, weights, strict=True):
                parameter.data = kept
        ### END SOLUTION


# %% [markdown]
# To try at once: the digits, with Muon at a rate that is too large for it. After each epoch we
# look at the loss of the weights and of their average, once with the rate held constant and once
# with a linear decay over the second half.

# %%
def losses_of_average(factor, seed=0):
    """Return the losses of the weights and of their averages after each epoch."""
    net, found = make_network(seed), []
    optimizers = muon_for_matrices(0.05)(net)
    plans = [Schedule(optimizer, factor) for optimizer in optimizers]
    averaged = WeightAverage(net)
    for step, batch in enumerate(batches_of(seed), start=1):
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss_of(net, digits[0][batch], digits[1][batch]).backward()
        for part in (*optimizers, *plans):
            part.step()
        averaged.update()
        if step % 22 == 0:
            with averaged.applied():
                of_averages = loss_of(net, *digits[:2]).item()
            found.append((loss_of(net, *digits[:2]).item(), of_averages))
    return np.array(found)


# %%
if __name__ == "__main__":
    figure, panels = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
    plans = {"constant rate": lambda step: 1.0, "with decay": warmup_stable_decay(0, 220, 220)}
    for panel, (name, factor) in zip(panels, plans.items(), strict=True):
        found = losses_of_average(factor)
        panel.semilogy(range(1, 21), found, ".-", label=["weights", "averages"])
        panel.set_title(name, fontsize="medium")
        panel.set(xlabel="epoch", xticks=range(0, 21, 5))
        weights_end, averages_end = found[-1]
        print(f"{name}: loss of the weights {weights_end:.5f}, of the averages {averages_end:.5f}")
    panels[0].set_ylabel("loss on the training images")
    panels[0].legend()
    plt.show()

# %% [markdown]
# At a constant rate the weights end at a loss of some hundredths. Their average, which cost one
# line a step, lags behind at first, since it still holds where they came from, and ends at a
# hundredth of their loss or less. So an average does much of what decay does, and one can look at
# it before the run is over. (These trainings amplify rounding: with other brackets in
# `newton_schulz` your losses are others.)

# %% nbgrader={"grade": true, "grade_id": "test-weight-average", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Graded: WeightAverage, 5 points.
# What each part does stands in tinytorch/checks/for_10_modern_optimizers/weight_average.py.
from tinytorch.checks.for_10_modern_optimizers.weight_average import (
    checks as weight_average_checks,
)


def test_unit_weight_average():
    """WeightAverage: the average, and weights that come back in any case."""
    weight_average_checks.run(WeightAverage)


if __name__ == "__main__":
    weight_average_checks.show(WeightAverage)

# %% [markdown]
# **To think about.** Weights of two networks that were trained from different starts are averaged.
# Why is that no good network, and why are the weights of one training, a hundred steps apart, a
# different case?

# %% [markdown]
# ## 7 Sharded state
#
# **The problem.** With data parallelism every machine, or *rank*, holds the same weights, and
# Adam's two moments with them: 8 bytes a weight on each rank, all of them the same numbers.
#
# **The idea.** Let each rank keep the moments of its own part of the weights and update that part
# alone. Afterwards the ranks exchange their parts. Rajbhandari et al. (2020) call it ZeRO, stage 1.
#
# **The equation.** All parameters, one behind the other, are one flat array of $n$ numbers, padded
# with zeros until each of $N$ ranks has a part of $\lceil n / N \rceil$. A step is then
#
# 1. **reduce-scatter**: gradients are averaged over the ranks, each of which gets its part of the
#    mean;
# 2. **step**: AdamW, for that part of the weights;
# 3. **all-gather**: every rank gets all parts of the new weights.
#
# In float32 the state is $8 \lceil n/N \rceil$ bytes a rank instead of $8 n$. Reduce-scatter and
# all-gather are the two halves of an all-reduce, so no more is sent than before.

# %% [markdown]
# A *communicator* connects the ranks. It has `rank` and `size`, and two methods that all ranks
# call, in the same order:
#
# | method | takes | returns |
# |---|---|---|
# | `reduce_scatter_mean(array)` | a flat array, a multiple of `size` long | its part of the mean |
# | `all_gather(part)` | this rank's part | the whole array |
#
# To try things out, `run_threads(work, size)` calls `work(communicator)` in so many threads of this
# process. Here are three ranks with gradients 1, 2 and 3:

# %%
from tinytorch.parallel.threads import run_threads


def show_collectives(communicator):
    """Exchange an array of four numbers, which are padded to six."""
    mine = np.full(6, communicator.rank + 1.0)
    mine[4:] = 0.0
    part = communicator.reduce_scatter_mean(mine)
    return part, communicator.all_gather(part)


if __name__ == "__main__":
    for rank, (part, whole) in enumerate(run_threads(show_collectives, 3)):
        print(f"rank {rank}: its part {part}, gathered {whole}")

# %% [markdown]
# Two rules need a thought. Options: one flat array has one set of them, so there is one group. And
# a missing gradient: all ranks run the same model, so it is missing on all of them or on none. Such
# a parameter is skipped as always, wherever its numbers lie in the flat array. Zeros in their place
# would still let the decay at them.


# %% nbgrader={"grade": false, "grade_id": "sharded-adamw", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class ShardedAdamW(Optimizer):
    """AdamW of which each rank keeps the moments of its own part of the weights only.

    Parameters
    ----------
    parameters : list of Variable
        What to train, the same on all ranks; any shapes, one dtype, no groups.
    communicator : object
        With ``rank``, ``size``, ``reduce_scatter_mean(array)`` and ``all_gather(part)``, as above.
        Each step calls each of the two methods once.
    learning_rate, beta1, beta2, epsilon, weight_decay : float
        As `AdamW` has them, with its defaults.

    Attributes
    ----------
    groups : list of one dict
        As `Optimizer` keeps it: the options of AdamW, read at each ``step()``.
    m, v : array, list or dict
        The moments of this rank's part: ``ceil(n / size)`` numbers each, for n numbers in all
        parameters. They may be made when first needed.
    t : int
        Number of calls of ``step()``, 0 at first.

    Notes
    -----
    All parameters in their order, flattened row by row, are one array, padded with zeros to a
    multiple of ``size``. After ``step()`` every rank holds the weights that `AdamW` would have,
    given the mean of the ranks' gradients.

    References
    ----------
    S. Rajbhandari et al., ZeRO: Memory Optimizations Toward Training Trillion Parameter Models,
    2020.
    """

    def __init__(
        self,
        parameters: Sequence[Variable],
        communicator: Any,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        # TODO: hand parameters and options on to Optimizer, and prepare the state of this rank.
        # Hint: how many numbers has your part, and where in the flat array does it begin?
        ### BEGIN SOLUTION
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )
        if len(self.groups) != 1:
            raise ValueError(f"parameters must be one group, got {len(self.groups)}")
        self.communicator = communicator
        part = self._own([parameter.data.data for parameter in self.parameters])
        self.m, self.v = np.zeros_like(part), np.zeros_like(part)
        self.t = 0
        ### END SOLUTION

    def step(self) -> None:
        """Average the gradients and update all weights, each rank those of its part.

        A parameter whose ``grad`` is None, which it then is on all ranks, is skipped: no decay.
        The step starts from what ``parameter.data`` is now and leaves a ``Tensor`` of its shape
        there. Gradients are read and never changed.
        """
        # TODO: reduce-scatter, step, all-gather.
        # Hint: of which numbers must your part of the weights be made, at the start of each step?
        ### BEGIN SOLUTION
        self.t += 1
        arrays = [p.data.data for p in self.parameters]
        gradients = [
            np.zeros_like(p.data.data) if p.grad is None else p.grad.data.data
            for p in self.parameters
        ]
        mean = self.communicator.reduce_scatter_mean(self._flat(gradients))
        part = self._own(arrays)
        given = self._own([np.full(p.data.shape, p.grad is not None) for p in self.parameters])
        part[given] = self._rule(part[given], mean[given], given)
        whole = self.communicator.all_gather(part)
        ends = np.cumsum([array.size for array in arrays])
        for p, piece in zip(self.parameters, np.split(whole, ends)[:-1], strict=True):
            p.data = Tensor(piece.reshape(p.data.shape), dtype=p.data.dtype)
        ### END SOLUTION

    def _rule(self, w: np.ndarray, g: np.ndarray, given: np.ndarray) -> np.ndarray:
        """Return new values of the weights of this rank whose gradients are given."""
        # TODO: optional; yours if it helps.
        ### BEGIN SOLUTION
        options = self.groups[0]
        rate, beta1, beta2 = options["learning_rate"], options["beta1"], options["beta2"]
        w = w - rate * options["weight_decay"] * w
        m = beta1 * self.m[given] + (1 - beta1) * g
        v = beta2 * self.v[given] + (1 - beta2) * g * g
        self.m[given], self.v[given] = m, v
        root = np.sqrt(v / (1 - beta2**self.t))
        return w - rate * (m / (1 - beta1**self.t)) / (root + options["epsilon"])
        ### END SOLUTION

    def _flat(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Return arrays as one, padded with zeros to a multiple of the number of ranks."""
        # TODO: optional; yours if it helps.
        ### BEGIN SOLUTION
        flat = np.concatenate([array.ravel() for array in arrays])
        return np.pad(flat, (0, -len(flat) % self.communicator.size))
        ### END SOLUTION

    def _own(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Return this rank's part of some arrays."""
        # TODO: optional; yours if it helps.
        ### BEGIN SOLUTION
        return np.split(self._flat(arrays), self.communicator.size)[self.communicator.rank]
        ### END SOLUTION


# %% [markdown]
# To try at once: the digits network on batches of 30 images, shared by one, two and three ranks.
# All of them should end where `AdamW` ends with the whole batch, up to the order in which gradients
# were added.


# %%
def bytes_of(optimizer):
    """Return the bytes of both moments, in arrays, lists or dicts."""
    states = [optimizer.m, optimizer.v]
    states = [state.values() if isinstance(state, dict) else state for state in states]
    return sum(np.asarray(item).nbytes for state in states for item in state)


def train_sharded(communicator, steps=20):
    """Train on this rank's share of every batch; return weights and bytes of state."""
    net = make_network()
    optimizer = ShardedAdamW(net, communicator, learning_rate=0.01, weight_decay=0.1)
    for step in range(steps):
        batch = np.arange(30 * step, 30 * step + 30)[communicator.rank :: communicator.size]
        optimizer.zero_grad()
        loss_of(net, digits[0][batch], digits[1][batch]).backward()
        optimizer.step()
    return np.concatenate([p.data.data.ravel() for p in net]), bytes_of(optimizer)


def train_whole(steps=20):
    """Train on whole batches with AdamW; return the weights."""
    net = make_network()
    optimizer = AdamW(net, learning_rate=0.01, weight_decay=0.1)
    for step in range(steps):
        optimizer.zero_grad()
        batch = slice(30 * step, 30 * step + 30)
        loss_of(net, digits[0][batch], digits[1][batch]).backward()
        optimizer.step()
    return np.concatenate([p.data.data.ravel() for p in net])


# %%
def report_sharded(results):
    """Print how far the ranks are from each other and from AdamW, and their bytes."""
    size, expected = len(results), train_whole()
    between = max(np.abs(weights - results[0][0]).max() for weights, _ in results)
    away = np.abs(results[0][0] - expected).max()
    formula = 8 * math.ceil(len(expected) / size)
    print(f"{size} ranks: apart {between:.1e}, from AdamW {away:.1e}", end=", ")
    print(f"bytes of state {[state for _, state in results]}, formula {formula}")


if __name__ == "__main__":
    for size in (1, 2, 3):
        report_sharded(run_threads(train_sharded, size))

# %% [markdown]
# The same function with real processes. What changes is the communicator: this one speaks MPI,
# through the object `ranks` that `launch` hands over in the lab, 09. (While a notebook is graded,
# and where MPI is not installed, the cell says so and goes on.)

# %%
from tinytorch import parallel


class RanksCommunicator:
    """The two methods of a communicator, over MPI."""

    def __init__(self, ranks):
        self._ranks, self.rank, self.size = ranks, ranks.rank, ranks.size

    def reduce_scatter_mean(self, array):
        """Return this rank's part of the mean."""
        part = np.empty(len(array) // self.size, array.dtype)
        self._ranks.reduce_scatter(array, part)
        return part / self.size

    def all_gather(self, part):
        """Return the whole array."""
        whole = np.empty(len(part) * self.size, part.dtype)
        self._ranks.all_gather(part, whole)
        return whole


if __name__ == "__main__":
    no_ranks = parallel.unavailable()
    print(no_ranks or "With processes:")
    for size in () if no_ranks else (2, 3):
        work = lambda ranks: train_sharded(RanksCommunicator(ranks))  # noqa: E731
        report_sharded(parallel.launch(work, ranks=size))

# %% nbgrader={"grade": true, "grade_id": "test-sharded-adamw", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Graded: ShardedAdamW, 10 points.
# What each part does stands in tinytorch/checks/for_10_modern_optimizers/sharded.py.
from tinytorch.checks.for_10_modern_optimizers.sharded import checks as sharded_checks


def test_unit_sharded_adamw():
    """ShardedAdamW: the state of a part, the weights of AdamW, options, missing gradients."""
    sharded_checks.run(ShardedAdamW)


if __name__ == "__main__":
    sharded_checks.show(ShardedAdamW)

# %% [markdown]
# **To think about.** Could Muon be sharded in the same way? What does its step need that a part of
# a flat array does not have? And where would clipping by the global norm go, between the three
# steps?

# %% [markdown]
# ## 8 All of it
#
# A training of today puts most of these together: AdamW, matrices decayed and the rest not, a
# warm-up and a decay of the rate, clipping by the global norm, and averaged weights at the end. Is
# that better than plain Adam? Only a comparison with the same effort on both sides can tell. Here
# each side may try three rates, on three seeds and 440 steps. Nothing else was tuned: the decay is
# 0.1, the warm-up takes 40 steps, the decay of the rate the second half, gradients are clipped at
# 1, and weights averaged with 0.99. Each part can be left out, which shows what it is worth. Plain
# Adam's runs are those of section 5.3.

# %%
from tinytorch.core.optimizers import AdvancedOptimizerFeatures

PARTS = ("decay", "schedule", "clipping", "average")


def train_with(parts, rate, seed):
    """Train the digits network with some of PARTS; return test loss and test accuracy."""
    net, features = make_network(seed), AdvancedOptimizerFeatures()
    optimizer = AdamW(split_decay(net, 0.1 if "decay" in parts else 0.0), rate)
    shape = warmup_stable_decay(40, 180, 220) if "schedule" in parts else linear_warmup(0)
    plan = Schedule(optimizer, shape)
    averaged = WeightAverage(net, 0.99 if "average" in parts else 0.0)
    for batch in batches_of(seed):
        optimizer.zero_grad()
        loss_of(net, digits[0][batch], digits[1][batch]).backward()
        if "clipping" in parts:
            features.apply_gradient_clipping(optimizer, 1.0)
        optimizer.step()
        plan.step()
        averaged.update()
    with averaged.applied():
        return loss_of(net, *digits[2:]).item(), accuracy_of(net, *digits[2:])


# %%
def show_row(name, rate, runs):
    """Print the mean of three runs, and the range of their losses."""
    losses, accuracies = np.transpose(runs)
    row = f"{name:22} rate {rate:4}: test loss {losses.mean():.3f} ({losses.min():.3f} to"
    print(f"{row} {losses.max():.3f}), accuracy {accuracies.mean():.4f}")


if __name__ == "__main__":
    for rate in FAMILIES["Adam"][0]:
        show_row("plain Adam", rate, runs["Adam", rate][1:].T)
    for rate in FAMILIES["Adam"][0]:
        show_row("all of it", rate, [train_with(PARTS, rate, seed) for seed in range(3)])

# %%
if __name__ == "__main__":
    for left_out in PARTS:
        parts = [part for part in PARTS if part != left_out]
        show_row(f"without {left_out}", 0.03, [train_with(parts, 0.03, seed) for seed in range(3)])
    images = len(digits[2])
    print(f"standard error of 0.985 on {images} images: {math.sqrt(0.985 * 0.015 / images):.4f}")

# %% [markdown]
# An accuracy of 0.985 on 397 images is known to within about its standard error. So the accuracies,
# 0.96 to 0.99, tell the worst rate from the rest at best. The losses tell more. At 0.01 and 0.03
# plain Adam has the lower one, and the one part that changes much is the decay: without it the loss
# is below Adam's. Decay keeps the scores small, and on digits that are as easy as these the loss
# rewards scores that are large. What the other parts buy is tolerance: at 0.1, where plain Adam's
# loss has risen and spreads from seed to seed, all of it together has its own lowest, as low as
# Adam's best.
#
# That is a fair summary of such lists of parts. None is better as such; each answers a problem, and
# a small network on easy images has few of them. (We looked at test images to compare rates.
# Whoever *chooses* by them needs other images for the final number.)
#
# **To think about.** Which of the parts would you keep if you could try each rate only once? And
# which experiment would convince you that weight decay of 0.1 is too much here?

# %% [markdown]
# ## 9 Where libraries differ
#
# The same name does not mean the same numbers. All that follows was run, not read: one step on one
# number at a time, in PyTorch 2.13.0, optax 0.2.8, Keras 3.15.1 and MLX 0.32.4. The script is
# `findings/conventions_of_libraries.sh` in the course's repository, and for the last row
# `findings/schedules_under_accumulation.sh`.
#
# | | here | PyTorch | optax | Keras | MLX |
# |---|---|---|---|---|---|
# | decay of AdamW | 0.01 | 0.01 | 0.0001 | 0.004 | 0.01 |
# | decay of Muon | 0 | 0.1 | 0 | 0.004 | 0.01 |
# | Adam: $\epsilon$ and correction | after | after | after | before | after |
# | RMSprop: $\epsilon$ and root | outside | outside | inside | inside | outside |
# | Adam: first step, in rates | 1 | 1 | 1 | 1 | 3.16 |
# | Nesterov: rate in the velocity | no | no | no | yes | no |
# | Muon: factor of the rate | 1.4 | 1.4 | 1.0 | 1.6 | 1.4 |
# | a schedule counts | calls | calls | updates | batches | not tried |

# %% [markdown]
# The decays are defaults. MLX does no bias correction unless it is told to. Muon's factors are
# those of one and the same array of 64 rows and 32 columns: optax takes its rows for inputs, as
# they are in our networks, PyTorch and MLX for outputs. The last row is about gradients that are
# accumulated over several batches. In one thing all agree: AdamW decays first and steps then.
#
# ### Schedules and state in PyTorch
#
# `tests/parity` compares the reference with PyTorch, step by step. AdamW, RMSprop and Nesterov
# agree to 10 digits, Muon to 3, since PyTorch orthogonalizes in bfloat16. `LambdaLR` sets the rates
# of `Schedule`. The others differ at their ends:
#
# - `CosineAnnealingLR` follows `cosine` to its last step, and then rises again.
# - `LinearLR` counts the intervals between rates: for `linear_warmup(n)` it must be told `n - 1`.
#   Told 0, it stays at its first factor for good, where `linear_warmup(0)` is 1.
# - `OneCycleLR` reaches its top one step earlier than our function above, ends above 0, and moves
#   the momentum as well.

# %% [markdown]
# Two things happen to state, each with a script in `findings/`:
#
# - A loss scaler skips a first step that overflows. `SGD(momentum=0.9, fused=True)` then keeps a
#   velocity in memory that was never filled; in deterministic mode all weights are NaN one step
#   later.
# - A run is resumed, and its `LinearLR` made after the optimizer's state was loaded, before its own
#   was. The rate stays at a tenth to the end: the constructor has multiplied it once more.
#
# **What it means for a comparison.** Where your numbers differ from a library's, compare one step,
# from the same state, on one number. Defaults show there at once; so write all options out. The
# place of $\epsilon$ shows only for gradients that are not large against it. What a velocity
# contains shows when the rate changes. And of a schedule, print the rates that were *used*,
# over its end and after resuming. `Schedule` sets a base times a factor of the step, and multiplies
# nothing it finds: that is why it can be resumed without a jump.

# %% [markdown]
# ## Questions
#
# Two questions, answered in writing and graded by hand. Half a page each is enough. Say what you
# would do and why, with the numbers and names of this module where they help.

# %% [markdown] nbgrader={"grade": false, "grade_id": "prompt-1-choice-of-optimizer", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Question 1: an optimizer for a model that somebody pays for (10 points)
#
# A team trains a transformer of 1 billion weights. The run costs 50,000 dollars and can be paid for
# once. There is money for experiments worth a tenth of it. The team has always used Adam with a
# constant rate, and has read that Muon is faster.
#
# - Which optimizer and which options do you propose, for which parameters? What needs how much
#   memory?
# - Which schedule, and what if after half of the run the team wants to train longer?
# - How do you spend the money for experiments, so that the comparison is fair?
# - What in the run makes you stop, or go back?
#
# ### BEGIN MARK SCHEME
# Rubric, 3 + 3 + 2 + 2 points:
#
# - **3 points, optimizer and groups.** AdamW, or Muon for the hidden matrices with AdamW for
#   embeddings, norms, biases and output, with a reason (one point). Matrices decayed, biases and
#   norms not; decay apart from the gradient (one point). Memory right for the choice: in float32
#   AdamW keeps 8 bytes a weight, 8 GB, beside 4 + 4 for weight and gradient; Muon one moment for
#   its matrices, 4 bytes (one point).
# - **3 points, schedule.** Warm-up with a reason: early gradients and moments are poor (one point).
#   A decay at the end, cosine or linear, with a reason: steps of constant size do not settle (one
#   point). Warm-up-stable-decay, or averaged weights, let the end stay open; a cosine has used up
#   its rate (one point).
# - **2 points, experiments.** The same effort on both sides: a sweep of rates for each candidate on
#   smaller models or shorter runs, also for the old Adam (one point). Several seeds, or a known
#   spread, or a loss on held-out data; care in carrying rates over to the large model (one point).
# - **2 points, watching.** Loss and gradient norm, spikes, NaN, tested for explicitly (one point).
#   Checkpoints that hold optimizer state and position in the schedule, and a way back to the last
#   good one, perhaps with a lower rate (one point).
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "question-1-choice-of-optimizer", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# I would take AdamW as the base, because its behaviour at this size is known, and let Muon apply
# for the job in the experiments. Groups: matrices with a decay of 0.1, biases and gains of norms
# without. If Muon wins, it gets the hidden matrices only; embeddings, output, norms and biases stay
# with AdamW. In float32 weights and gradients take 8 GB, the two moments of AdamW another 8; Muon
# keeps one moment, so 4 GB for its matrices.
#
# The rate warms up over one or two thousand steps, since early gradients are erratic and the
# moments rest on few of them. Then it stays constant, and falls to zero over the last tenth or
# fifth. The decay is needed because steps of constant size circle around the minimum. I prefer this
# to a cosine, since the team may want to go on: from a checkpoint of the stable phase one can train
# on and decay later. An average of the weights shows meanwhile what a decay would give.
#
# The 5,000 dollars go into a model of a tenth of the size. Old Adam, AdamW and Muon get the same
# number of runs, three or four rates each, the best of each on three seeds, and are compared by the
# loss on held-out text at equal cost in time, not in steps. A rate found on the small model is a
# starting point; I check it and half of it in the first hundredth of the large run.
#
# In the run I watch loss and gradient norm against their running medians, and test for NaN. A spike
# that does not come back within some hundred steps means: back to the last checkpoint, which holds
# weights, moments, the step of the schedule and of the data, past the bad batches or at a lower
# rate.
# ### END SOLUTION

# %% [markdown] nbgrader={"grade": false, "grade_id": "prompt-2-more-machines", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Question 2: what breaks first at 10 machines, and at 1,000 (10 points)
#
# A training with AdamW, a warm-up of 500 steps, a cosine and clipping runs on one machine, with
# batches of 64 and 16 bytes of model state a weight, which nearly fill its memory. You move it to
# 10 machines with sharded state, and later to 1,000.
#
# - What does each machine hold and send in a step? Which bytes shrink with the machines, which not?
# - Which options and which lengths of the schedule change with the batch, and how?
# - What breaks first at 10 machines?
# - What breaks first at 1,000?
#
# ### BEGIN MARK SCHEME
# Rubric, 3 + 3 + 2 + 2 points:
#
# - **3 points, bytes.** Every rank holds all weights and gradients, 8 bytes a weight, and a part of
#   the moments: 8 + 8/N in all (one point). Reduce-scatter of gradients and all-gather of weights,
#   as much as one all-reduce, about 2 (N-1)/N times their size (one point). So memory goes from 16
#   to 8.8 at 10 and to about 8 at 1,000: beyond that gradients and weights must be sharded as well;
#   traffic per machine does not shrink (one point).
# - **3 points, options.** The batch grows with N if each keeps 64; a larger rate, tuned, with the
#   square root or linear as a start (one point). Lengths counted in steps, warm-up and cosine, must
#   be counted in samples, or be divided (one point). Clipping by the norm of the mean gradient,
#   which needs one number from all ranks; every rank the same factor (one point).
# - **2 points, at 10.** One of: communication over a slow network against a small batch per
#   machine; a rate or schedule that no longer fits; ranks that drift apart because random numbers,
#   skipping or data differ; with a reason (two points; one without a reason).
# - **2 points, at 1,000.** One of: the batch is beyond its critical size, so that steps are no
#   longer saved; stragglers and failures, of which one stops all, so that checkpoints and restarts
#   decide; latency of collectives, which grows with the ranks; with a reason (two points; one
#   without).
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "question-2-more-machines", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Every machine holds all weights and gradients, 8 bytes a weight, and its part of the moments, 8/N.
# From 16 bytes that is 8.8 at 10 machines and 8.008 at 1,000; to go lower, gradients and weights
# themselves would have to be sharded. In a step a machine sends its gradients in the reduce-scatter
# and its new weights in the all-gather, together about 2 (N-1)/N times their size, as an all-reduce
# does. That does not shrink with more machines.
#
# With 64 images each, the batch is 640 and then 64,000. Its gradient is less noisy and bears a
# larger rate; for AdamW I would start from the square root of the factor and try around it. Epochs
# have fewer steps, so 500 steps of warm-up become 50, or better, warm-up and cosine count samples;
# with the larger rate I would not let the warm-up get that short. Clipping needs the norm of the
# mean gradient: each rank adds up the squares of its part, one number is summed over all, and all
# apply the same factor.
#
# At 10 machines the network breaks first: with 64 images a machine computes for a short time and
# then waits for all weights to cross the wire. I would raise the batch per machine into the memory
# that sharding has freed, and send while the backward pass is still computing.
#
# At 1,000 the batch breaks first. 64,000 images are more than the gradient can use: ten times the
# machines no longer save a tenth of the steps. Close behind come failures. If a machine fails once
# in three years, one of 1,000 fails every day, and stops all of them; so checkpoints must be
# frequent, sharded as well, and loadable by 999.
# ### END SOLUTION

# %% [markdown]
# ## Summary
#
# You have written what stands between Adam and a training of today: groups with options of their
# own, RMSprop and Nesterov's look-ahead, decay apart from the gradient, schedules as functions that
# compose, an optimizer that sees matrices, averages that show the center of a noisy run, and state
# that no rank holds alone. Each is a few lines, and each has a convention that libraries differ in.
# When you meet the next one, look for its problem first, then for its equation, and then for the
# convention.
