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
# # Optimizers
#
# Backpropagation tells us, for every weight of a network, in which direction the loss rises and how
# steeply. It does not tell us what to do about it. The rule that turns gradients into new weights
# is the optimizer, and it decides whether training takes minutes, takes days, or fails.
#
# In this module we write the optimizers that most networks are trained with: gradient descent, SGD
# with momentum, and Adam. We add a learning-rate schedule, train a real classifier of handwritten
# digits with our own code, and then build the tools that tell us how a training run is doing and
# the features that make it survive in production.

# %% [markdown]
# ## Learning goals
#
# - Derive gradient descent, and say what limits it: one rate for directions of different curvature.
# - Implement heavy-ball momentum and Adam exactly as PyTorch defines them, and know which
#   conventions other libraries use instead.
# - Explain bias correction and epsilon, with numbers.
# - Schedule a learning rate, and know on which call a schedule changes it.
# - Put optimizer, schedule and autograd together in a training loop, and read its curves.
# - Measure convergence, stability, memory and sensitivity to the learning rate.
# - Implement what production training adds: clipping, warm-up, gradient accumulation, loss scaling
#   and the averaging of distributed training.

# %% [markdown]
# ## Build, use, reflect
#
# - **Build.** Seven solution cells. Each states its rules in full, equation and convention
#   included.
# - **Use.** After every cell there is something to try at once, and after five of them a network
#   that reads digits.
# - **Reflect.** Each section ends with a question to think about. Three longer questions at the end
#   are answered in writing.
#
# A solution cell raises `NotImplementedError` until you have replaced that line. A graded cell is
# locked: run it and it shows the points of each behaviour it checked, what it expected, what it
# got, and a hint. It checks behaviour and never the way the code is written, and it checks nothing
# that the text does not say. Demonstration cells are yours to change.

# %% [markdown]
# ## What you will be able to do
#
# At the end you can write an optimizer from the equation in a paper, down to the details in which
# implementations differ: where the learning rate stands, where epsilon stands, when a counter
# starts. You can tell from a loss curve whether the rate is too small, too large or about right.
# You can say what an optimizer costs in memory before you run it, and you can defend the choice of
# an optimizer, a rate and a schedule for a model that somebody pays for.

# %% [markdown]
# ## A reality check
#
# What we build is small, and it is the real thing.
#
# - **The rules are those of PyTorch.** With the same arguments, `torch.optim.SGD` and
#   `torch.optim.Adam` take the same steps as ours, to rounding.
# - **State costs memory.** In float32 a weight and its gradient take 8 bytes. Momentum makes it 12,
#   Adam 16. A model of 7 billion weights needs 112 GB for training with Adam before it has
#   processed a single input.
# - **Adam leaves the learning rate alone.** It does not measure the norm of the gradient. It
#   divides each element's step by that element's own recent size; `learning_rate` changes only when
#   we, or a schedule, change it.
# - **No optimizer is best everywhere.** ResNets were trained with SGD and momentum 0.9, the rate
#   divided by 10 on plateaus; GPT-3 with Adam, warm-up, cosine decay and clipping.
# - **Production adds engineering, not other equations**: fewer passes over memory, state spread
#   over many machines, steps skipped when a gradient overflows.

# %% [markdown]
# ## Where this code lives
#
# The solution cells of this notebook are exported to `tinytorch.core.optimizers`. From then on any
# program can use them:
#
# ```python
# from tinytorch.core.optimizers import SGD, Adam, StepLR
# ```
#
# The module imports two earlier ones and nothing else but NumPy:
#
# - `tinytorch.core.tensor`: a `Tensor` owns a NumPy array, found in its `data`.
# - `tinytorch.core.autograd`: a `Variable` is a `Tensor` with a gradient, and `add`, `multiply`,
#   `matmul` and their like build the graph that `backward()` walks.
#
# So for a parameter `w` the array is `w.data.data`, the gradient is `w.grad`, and the array in it
# is `w.grad.data.data`. Before the first `backward()` the gradient is `None`. `backward()` *adds*
# to a gradient that is already there, which is why every optimizer has a `zero_grad()`.

# %%
#| default_exp core.optimizers

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import importlib.util

for package, command in {
    "numpy": "python -m pip install numpy",
    "matplotlib": "python -m pip install matplotlib",
    "tinytorch": "python -m pip install -e .   (in the folder of the course)",
}.items():
    if importlib.util.find_spec(package) is None:
        raise ModuleNotFoundError(
            f"this notebook needs {package}, which is not installed. Run: {command}\n"
            "Then restart the kernel."
        )

# %% nbgrader={"grade": false, "grade_id": "imports", "locked": true, "schema_version": 3, "solution": false, "task": false}
#| export
import math  # noqa: F401
import time  # noqa: F401
from collections import defaultdict  # noqa: F401
from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: F401, UP035

import numpy as np

from tinytorch.core.autograd import (  # noqa: F401
    Variable,
    add,
    divide,
    exp,
    log,
    matmul,
    mean,
    multiply,
    power,
    relu,
    reshape,
    sigmoid,
    softmax_cross_entropy,
    subtract,
    tanh,
    transpose,
)
from tinytorch.core.tensor import Tensor

# %% [markdown]
# Everything imported above may be used in your solutions, and is there in the exported module too.
# One function of autograd is missing on purpose: imported, `sum` would hide Python's own. Call the
# method instead, `w.sum()`. The next cell prepares the figures; the exported module does without.

# %% nbgrader={"grade": false, "grade_id": "setup-figures", "locked": true, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.4),
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "legend.frameon": False,
        }
    )

# %% [markdown]
# ## What optimizers are for
#
# Picture the loss as a landscape over the weights. Training walks downhill, and the gradient is all
# it sees of the ground. The simplest rule takes a step against the gradient, of a length set by a
# learning rate $\eta$. Three things go wrong with it.
#
# - **Slow convergence.** Where the ground is nearly flat, gradients are small and so are the steps.
# - **Oscillation.** Across a narrow valley the gradient is large. The step overshoots, and the walk
#   jumps from wall to wall instead of going along the valley.
# - **One rate for all parameters.** A rate small enough for the steep direction is too small for
#   the flat one. Real networks have both: the weights of a rare feature get a gradient now and
#   then, others at every step.
#
# A bowl with two curvatures shows all three.

# %% [markdown]
# Take the loss $L(w) = \frac{1}{2}(1 \cdot w_1^2 + 20 \cdot w_2^2)$. Its gradient is
# $(w_1, 20 w_2)$, so one step $w \leftarrow w - \eta \nabla L$ multiplies the first coordinate by
# $1 - \eta$ and the second by $1 - 20 \eta$. We can write down the whole walk without an optimizer:
# after $k$ steps a coordinate is its factor to the power $k$.

# %%
if __name__ == "__main__":
    steps = np.arange(60)
    figure, panels = plt.subplots(1, 3, figsize=(10, 3), sharey=True)
    for panel, rate in zip(panels, (0.01, 0.095, 0.102), strict=True):
        flat, steep = 1 - rate, 1 - 20 * rate
        panel.plot(steps, flat**steps, ".-", linewidth=0.8, label="curvature 1")
        panel.plot(steps, steep**steps, ".-", linewidth=0.8, label="curvature 20")
        panel.set_title(f"rate {rate}: factors {flat:.3g} and {steep:.3g}", fontsize="medium")
        panel.set(xlabel="step", ylim=(-2.2, 2.2))
    panels[0].set_ylabel("coordinate")
    panels[0].legend(loc="lower right")
    plt.show()

# %% [markdown]
# At 0.01 the flat direction has hardly moved. At 0.095 it is fine, and the steep one swings from
# side to side. Just above $2/20 = 0.1$ the steep direction grows without end. The larger the ratio
# $\kappa$ of the curvatures, the worse it gets: with the best fixed rate, the error shrinks by
# $(\kappa - 1)/(\kappa + 1)$ a step.
#
# There are three ways out, and we build the first two.
#
# - **Momentum** remembers the direction. Swings across the valley cancel, steps along it add up; at
#   its best the factor becomes $(\sqrt\kappa - 1)/(\sqrt\kappa + 1)$.
# - **Adaptive rates** give each parameter a step of its own, from the size of its own gradients.
# - **Curvature.** Newton's method divides by the second derivative and crosses this bowl in one
#   step. For $n$ weights that is an $n \times n$ matrix, too large for a network. L-BFGS, K-FAC and
#   Shampoo approximate it; they are an outlook, not part of this module.

# %% [markdown]
# ## 1 Gradient descent
#
# **The problem.** A parameter holds a value and a gradient. We want a value with a lower loss.
#
# **The idea.** Near the present value the loss is almost a straight line, and the gradient is its
# slope. Moving against the slope lowers the loss as long as the step is short enough for the
# straight line to be a fair picture. The learning rate says how far we trust it.
#
# **The equation.** With the learning rate $\eta$ and the gradient $g = \partial L / \partial w$,
#
# $$ w \leftarrow w - \eta\, g $$
#
# Each element of $w$ has its own element of $g$; nothing is averaged or summed. The gradient is
# read and must stay as it is: others may still need it, for logging, for clipping, or because more
# micro-batches will be added to it. The reference also keeps the dtype of the parameter; if your
# arithmetic turns float32 into float64, that costs memory but no points.

# %% nbgrader={"grade": false, "grade_id": "gradient-descent-function", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def gradient_descent_step(parameter: Variable, learning_rate: float) -> None:
    """Move a parameter one step against its gradient.

    Parameters
    ----------
    parameter : Variable
        Of any shape, 0-d included. Afterwards ``parameter.data`` is still a ``Tensor``, of the
        same shape, with the new values.
    learning_rate : float
        Step length eta, at least 0.

    Notes
    -----
    The rule is ``w <- w - learning_rate * g``, element by element, where ``w`` is the array
    ``parameter.data.data`` and ``g`` the array ``parameter.grad.data.data``.

    Where ``parameter.grad`` is None the parameter stays as it is. The gradient is read and never
    changed.

    References
    ----------
    A. Cauchy, Methode generale pour la resolution des systemes d'equations simultanees, 1847.
    """
    # TODO: move the parameter against its gradient, if it has one.
    # Hint: which of the objects involved may you write to, and what type must it keep?
    ### BEGIN SOLUTION
    if parameter.grad is None:
        return
    w = parameter.data.data
    g = parameter.grad.data.data
    # The dtype is named because a NumPy scalar as rate would turn float32 into float64.
    parameter.data = Tensor(w - learning_rate * g, dtype=w.dtype)
    ### END SOLUTION

# %% [markdown]
# Try it by hand. At $w = 3$ the loss $(w - 1)^2$ has the gradient 4, and autograd finds it for us.
# With $\eta = 0.1$ each step brings $w$ a fifth closer to 1.

# %%
if __name__ == "__main__":
    w = Variable(3.0)
    for step in range(5):
        error = subtract(w, Variable(1.0, requires_grad=False))
        w.grad = None
        multiply(error, error).backward()
        print(f"step {step}: w = {w.data.item():.4f}, gradient = {w.grad.data.item():.4f}")
        gradient_descent_step(w, learning_rate=0.1)

# %% [markdown]
# Now the bowl from above, this time walked by your code. `follow` records where the parameter goes
# (the mean of two numbers is half their sum, so the loss is the $L$ of before), and `draw_paths`
# shows the walk from above and the loss along it. We will use both again for momentum and Adam.

# %%
CURVATURES = np.array([1.0, 20.0])


def follow(take_step, w, steps=40):
    """Record the positions of w on the bowl while take_step() updates it."""
    path = [w.data.data.copy()]
    for _ in range(steps):
        w.grad = None
        loss = mean(multiply(Variable(CURVATURES, requires_grad=False), multiply(w, w)))
        loss.backward()
        take_step()
        path.append(w.data.data.copy())
    return np.array(path)


# %%
def draw_paths(paths):
    """Draw paths over the level lines of the bowl, and the loss along each of them."""
    figure, (bowl, curve) = plt.subplots(1, 2, figsize=(10, 3.6))
    x, y = np.meshgrid(np.linspace(-2.3, 2.3, 120), np.linspace(-1.4, 1.4, 120))
    bowl.contour(x, y, x**2 / 2 + 10 * y**2, np.geomspace(0.02, 20, 12), colors="0.8", zorder=0)
    for label, path in paths.items():
        bowl.plot(*path.T, ".-", label=label, linewidth=1, markersize=4)
        curve.semilogy(path**2 @ CURVATURES / 2, label=label)
    bowl.plot(0, 0, "k+", markersize=10)
    bowl.set(xlabel="$w_1$ (curvature 1)", ylabel="$w_2$ (curvature 20)", ylim=(-1.4, 1.4))
    curve.set(xlabel="step", ylabel="loss")
    figure.legend(*curve.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    plt.show()


# %%
def walk_with_gradient_descent(rate):
    """Walk the bowl with gradient_descent_step at this rate."""
    w = Variable([-2.0, 1.0])
    return follow(lambda: gradient_descent_step(w, rate), w)


if __name__ == "__main__":
    draw_paths({f"rate {rate}": walk_with_gradient_descent(rate) for rate in (0.01, 0.05, 0.095)})

# %% [markdown]
# The graded cell drives your function with small inputs and shows what it saw.

# %% nbgrader={"grade": true, "grade_id": "test-gradient-descent", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
import numpy as np
from tinytorch.checks import Checks, snapshot
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor

gradient_descent_checks = Checks("test-gradient-descent", points=10)


@gradient_descent_checks.part(
    points=3,
    given={"start": [1.0, -2.0, 0.5], "gradient": [0.5, -1.0, 4.0], "rate": 0.1},
    expect={"w": [0.95, -1.9, 0.1]},
    hint="Work out the first element by hand. Is the rate applied once, and against the gradient?",
)
def each_element_moves_against_its_own_gradient(start, gradient, rate):
    """Each element moves against its own gradient: w - learning_rate * g."""
    w = Variable(start)
    w.grad = Variable(gradient)
    gradient_descent_step(w, rate)
    return {"w": snapshot(w)}


@gradient_descent_checks.part(
    points=1,
    given={"start": 3.0, "gradient": 2.0, "rates": [0.5, 0.01, 0.0]},
    expect={"w for each rate": [2.0, 2.98, 3.0]},
    hint="Each call has its own learning_rate. Where does yours come from?",
)
def the_rate_is_the_one_given(start, gradient, rates):
    """Each call uses the learning rate it is given, 0 included."""
    values = []
    for rate in rates:
        w = Variable(start)
        w.grad = Variable(gradient)
        gradient_descent_step(w, rate)
        values.append(snapshot(w))
    return {"w for each rate": values}


@gradient_descent_checks.part(
    points=2,
    given={"starts": [1.0, [1.0, 2.0], [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[7.0]]]},
    expect={
        "w.data is a Tensor": [True, True, True, True],
        "shapes": [[], [2], [2, 3], [1, 1]],
    },
    hint="w.data was a Tensor of this shape before the step. What is it afterwards?",
)
def data_stays_a_tensor_of_its_shape(starts):
    """parameter.data stays a Tensor of the same shape: scalar, vector, matrix."""
    kinds, shapes = [], []
    for start in starts:
        w = Variable(start)
        w.grad = Variable(np.ones(np.shape(start)))
        gradient_descent_step(w, 0.1)
        kinds.append(isinstance(w.data, Tensor))
        shapes.append(list(snapshot(w).shape))
    return {"w.data is a Tensor": kinds, "shapes": shapes}


@gradient_descent_checks.part(
    points=2,
    given={"start": [1.0, 2.0]},
    expect={"w without a gradient": [1.0, 2.0], "w moves once it has a gradient": True},
    hint="What is parameter.grad before the first backward(), and what should a step do then?",
)
def a_parameter_without_gradient_stays(start):
    """Without a gradient (grad is None) a parameter is left as it is."""
    w = Variable(start)
    w.grad = None
    gradient_descent_step(w, 0.1)
    before = snapshot(w)
    w.grad = Variable(start)
    gradient_descent_step(w, 0.1)
    return {
        "w without a gradient": before,
        "w moves once it has a gradient": not np.array_equal(before, snapshot(w)),
    }


@gradient_descent_checks.part(
    points=2,
    given={"start": [1.0, 2.0], "gradient": [3.0, -4.0]},
    expect={"gradient after two steps": [3.0, -4.0], "w moves": True},
    hint="Does a line of yours write into the gradient's array, or replace w.grad?",
)
def the_gradient_is_not_changed(start, gradient):
    """Gradients are read and never changed."""
    w = Variable(start)
    w.grad = Variable(gradient)
    gradient_descent_step(w, 0.1)
    gradient_descent_step(w, 0.1)
    return {
        "gradient after two steps": snapshot(w.grad),
        "w moves": not np.array_equal(start, snapshot(w)),
    }


def test_unit_gradient_descent_step():
    """Gradient descent: values, rates, shapes, missing and untouched gradients."""
    gradient_descent_checks.run()


if __name__ == "__main__":
    gradient_descent_checks.show()

# %% [markdown]
# **To think about.** In the figure the rate 0.05 wins at first and 0.095 later. Which of the two
# coordinates decides each phase? For which rate are the factors $1 - \eta$ and $1 - 20\eta$ of
# equal size, and what is the loss curve like there? Try it.

# %% [markdown]
# ## 2 SGD with momentum
#
# **The problem.** In the valley, gradient descent swings across and creeps along. In practice the
# gradient is noisy as well: *stochastic* gradient descent (SGD) takes it from a small batch of
# samples, which is a thousand times cheaper than the full gradient and only roughly right.
#
# **The idea.** A heavy ball does not turn at every bump. We keep a velocity per parameter, let it
# decay a little at each step and add the new gradient; then we move along the velocity. Components
# that change sign cancel in it, components that agree add up.
#
# **The equation.** With momentum $\mu$, and $v = 0$ before the first gradient,
#
# $$ v \leftarrow \mu\, v + g \qquad\qquad w \leftarrow w - \eta\, v $$
#
# With $\mu = 0$ this is gradient descent. For a constant gradient $v$ tends to $g/(1-\mu)$: at
# $\mu = 0.9$ the steps become ten times as long.

# %% [markdown]
# ### Three conventions
#
# Papers and libraries write "momentum" for rules that are not the same. Check which one is meant
# before you copy a learning rate.
#
# | convention | velocity | step | where |
# |---|---|---|---|
# | **sum, rate outside** | $\mu v + g$ | $-\eta v$ | PyTorch, optax; this module |
# | average | $\mu v + (1-\mu) g$ | $-\eta v$ | needle (CMU), the fast.ai course |
# | sum, rate inside | $\mu v - \eta g$ | $+v$ | Keras, CS231n, Sutskever et al. (2013) |
#
# The velocity of the first rule is a decaying sum, not an average. The average has the factor
# $1-\mu$, so its steps are ten times shorter at $\mu = 0.9$: a rate tuned for one is wrong for the
# other.

# %% [markdown]
# The third rule equals the first as long as $\eta$ is constant. Once a schedule lowers $\eta$, the
# first rule obeys at once. In the third the old rate is baked into the velocity, and fades over
# some $1/(1-\mu)$ steps. We can see that with plain numbers: a constant gradient of 1, $\mu = 0.9$,
# and a rate that falls from 0.1 to 0.01 after step 30.

# %%
if __name__ == "__main__":
    outside = inside = 0.0
    lengths = []
    for step in range(1, 61):
        rate = 0.1 if step <= 30 else 0.01
        outside = 0.9 * outside + 1.0
        inside = 0.9 * inside + rate * 1.0
        lengths.append((rate * outside, inside))
    plt.figure()
    plt.plot(range(1, 61), lengths, label=["rate outside the velocity", "rate inside"])
    plt.axvline(30.5, color="0.6", linestyle=":")
    plt.gca().set(xlabel="step (the rate drops after step 30)", ylabel="length of the step")
    plt.legend()
    plt.show()

# %% [markdown]
# ### What the class keeps
#
# An optimizer is an object because it remembers: its parameters, its settings, and one velocity per
# parameter. Three rules follow from that.
#
# - **State belongs to a parameter**, not to a shape or to the optimizer as a whole. Two weight
#   matrices of the same shape have two velocities.
# - **A missing gradient is not a zero gradient.** A parameter whose `grad` is `None` took no part
#   in the loss. It is skipped: it stays, and so does its velocity. It does not coast.
# - **`learning_rate` is read at each `step()`**, so that a schedule can change it in between.
#
# `zero_grad()` sets every gradient to `None` and touches nothing else. PyTorch does the same since
# version 2.0: `None` needs no memory, and it says "no gradient" where a zero would say "do not
# move".

# %% nbgrader={"grade": false, "grade_id": "sgd-class", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class SGD:
    """Stochastic gradient descent with heavy-ball momentum.

    Parameters
    ----------
    parameters : list of Variable
        What to train; any shapes.
    learning_rate : float, default 0.01
        Step length eta, at least 0.
    momentum : float, default 0.0
        Decay mu of the velocity, at least 0 and in use below 1. With 0 there is no velocity.

    Attributes
    ----------
    parameters, learning_rate, momentum
        As given. ``learning_rate`` is read at each ``step()``.
    velocity : list or dict
        One entry per parameter, once a ``step()`` with ``momentum > 0`` has seen all gradients.
        It may be filled at construction or when it is first needed.

    Notes
    -----
    The rule is ``v <- momentum * v + g``, then ``w <- w - learning_rate * v``, with v = 0 before
    the first gradient: a decaying sum without a factor (1 - momentum), the rate outside the
    velocity, no weight decay. This is ``torch.optim.SGD``.

    References
    ----------
    H. Robbins, S. Monro, A Stochastic Approximation Method, 1951. B. Polyak, Some Methods of
    Speeding up the Convergence of Iteration Methods, 1964. I. Sutskever et al., On the Importance
    of Initialization and Momentum in Deep Learning, 2013.
    """

    def __init__(
        self, parameters: list[Variable], learning_rate: float = 0.01, momentum: float = 0.0
    ) -> None:
        # TODO: keep the arguments under their own names and prepare the velocity.
        ### BEGIN SOLUTION
        if not learning_rate >= 0:
            raise ValueError(f"learning_rate must be at least 0, got {learning_rate!r}")
        if not momentum >= 0:
            raise ValueError(f"momentum must be at least 0, got {momentum!r}")
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocity: dict[int, Any] = {}
        ### END SOLUTION

    def step(self) -> None:
        """Update every parameter that has a gradient.

        A parameter whose ``grad`` is None is skipped: neither it nor its velocity changes. Each
        ``parameter.data`` stays a ``Tensor`` of its shape. Gradients are read and never changed.
        """
        # TODO: update the velocity and the value of every parameter that has a gradient.
        # Hint: which arrays must survive from one call to the next, and does anyone else hold them?
        ### BEGIN SOLUTION
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            w = parameter.data.data
            v = parameter.grad.data.data
            if self.momentum > 0:
                v = self.momentum * self.velocity.get(index, 0.0) + v
                self.velocity[index] = v
            parameter.data = Tensor(w - self.learning_rate * v, dtype=w.dtype)
        ### END SOLUTION

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None; values and velocities stay."""
        # TODO: forget the gradients, and only them.
        ### BEGIN SOLUTION
        for parameter in self.parameters:
            parameter.grad = None
        ### END SOLUTION

# %% [markdown]
# Three numbers to try at once: with a gradient of 1 and momentum 0.9 the velocity is 1, then 1.9,
# then 2.71. So with the rate 0.1 the weight goes from 0 to -0.1, -0.29 and -0.561.

# %%
if __name__ == "__main__":
    w = Variable(0.0)
    optimizer = SGD([w], learning_rate=0.1, momentum=0.9)
    for step in range(1, 4):
        w.grad = Variable(1.0)
        optimizer.step()
        print(f"after step {step}: w = {w.data.item():.3f}")

# %%
def walk_with_sgd(rate, momentum):
    """Walk the bowl with SGD."""
    w = Variable([-2.0, 1.0])
    return follow(SGD([w], learning_rate=rate, momentum=momentum).step, w)


if __name__ == "__main__":
    rates = {0.0: 0.095, 0.6: 0.1, 0.9: 0.02}
    draw_paths({f"momentum {mu}, rate {eta}": walk_with_sgd(eta, mu) for mu, eta in rates.items()})

# %% [markdown]
# A moderate momentum damps the swings across the valley and speeds up the walk along it. A large
# one overshoots even along the flat direction: the ball rolls past the minimum and comes back. That
# is no reason against 0.9 in a noisy problem with a million directions, but it is why momentum and
# rate are chosen together.

# %% nbgrader={"grade": true, "grade_id": "test-sgd", "locked": true, "points": 15, "schema_version": 3, "solution": false, "task": false}
import numpy as np
from tinytorch.checks import Checks, GreaterThan, snapshot
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor

sgd_checks = Checks("test-sgd", points=15)


def sgd_steps(optimizer, parameters, gradients):
    """Call step() with each of these gradients; return the steps of each parameter."""
    paths = [[snapshot(parameter)] for parameter in parameters]
    for row in gradients:
        for parameter, gradient in zip(parameters, row, strict=True):
            parameter.grad = None if gradient is None else Variable(gradient)
        optimizer.step()
        for parameter, path in zip(parameters, paths, strict=True):
            path.append(snapshot(parameter))
    return [np.diff(np.array(path, dtype=np.float64), axis=0) for path in paths]


@sgd_checks.part(
    points=2,
    given={
        "start": [1000.0, -2000.0],
        "gradients": [[1.0, -8.0], [-3.0, 0.0]],
        "rate": 0.5,
    },
    expect={"w after each step": [[999.5, -1996.0], [1001.0, -1996.0]]},
    hint="Without momentum an element moves by learning_rate times its own gradient: nothing else "
    "pulls at it, and nothing is remembered.",
    rtol=1e-6,
)
def plain_sgd_follows_the_gradient_alone(start, gradients, rate):
    """Without momentum a step is w - learning_rate * g, and nothing else moves w."""
    w = Variable(start)
    optimizer = SGD([w], learning_rate=rate)
    values = []
    for gradient in gradients:
        w.grad = Variable(gradient)
        optimizer.step()
        values.append(snapshot(w))
    return {"w after each step": values}


@sgd_checks.part(
    points=1,
    given={
        "starts": [1.0, [1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]],
        "gradients": [20.0, [30.0, 10.0], [[-40.0, 50.0], [60.0, -70.0]]],
    },
    expect={
        "parameters": [-1.0, [-2.0, 1.0], [[5.0, -3.0], [-3.0, 11.0]]],
        "data is a Tensor": [True, True, True],
    },
    hint="Does one call of step() visit all parameters, and keep each in its shape?",
)
def every_parameter_moves_and_keeps_its_shape(starts, gradients):
    """Every parameter moves, keeps its shape, and its data stays a Tensor."""
    parameters = [Variable(start) for start in starts]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = Variable(gradient)
    SGD(parameters, learning_rate=0.1).step()
    return {
        "parameters": [snapshot(parameter) for parameter in parameters],
        "data is a Tensor": [isinstance(parameter.data, Tensor) for parameter in parameters],
    }


@sgd_checks.part(
    points=3,
    given={
        "gradients": [[1.0, 10.0], [1.0, 10.0], [-1.0, 0.0]],
        "rate": 0.1,
        "momentum": 0.9,
    },
    expect={"w after each step": [[-0.1, -1.0], [-0.29, -2.9], [-0.361, -4.61]]},
    hint="With g = 1 and momentum 0.9, is the velocity 1, then 1.9? Which factor stands before g?",
)
def momentum_accumulates(gradients, rate, momentum):
    """Velocity is a decaying sum: with g = 1 and momentum 0.9 it is 1, then 1.9."""
    w = Variable([0.0, 0.0])
    optimizer = SGD([w], learning_rate=rate, momentum=momentum)
    values = []
    for gradient in gradients:
        w.grad = Variable(gradient)
        optimizer.step()
        values.append(snapshot(w))
    return {"w after each step": values}


@sgd_checks.part(
    points=2,
    given={"gradients": [[1.0, 2.0], [-5.0, 0.0], [3.0, 3.0]], "momentum": 0.5},
    expect={
        "steps, as multiples of the first number": [[1.0, 2.0], [-5.0, 0.0], [3.0, 3.0]],
        "entries in velocity": 3,
    },
    hint="Constant gradients, so each velocity should end up along its own gradient. By what do "
    "you find the velocity of a parameter again, and can two parameters share it?",
    rtol=1e-3,
)
def every_parameter_has_its_own_velocity(gradients, momentum):
    """Parameters of the same shape have their own velocities."""
    parameters = [Variable([0.0, 0.0]) for _ in gradients]
    optimizer = SGD(parameters, learning_rate=1.0, momentum=momentum)
    last = np.array([steps[-1] for steps in sgd_steps(optimizer, parameters, [gradients] * 30)])
    return {
        "steps, as multiples of the first number": last / last[0, 0],
        "entries in velocity": len(optimizer.velocity),
    }


@sgd_checks.part(
    points=2,
    given={"rates": [0.1, 0.01], "momenta": [0.0, 0.9]},
    expect={"step after the rate fell to a tenth, in lengths of the one before": [0.1, 0.1]},
    hint="When is learning_rate read? And does the velocity still hold the rate of earlier steps?",
    rtol=1e-3,
)
def a_new_rate_counts_at_once(rates, momenta):
    """Each step reads learning_rate; a new rate counts for all that the velocity has gathered."""
    ratios = []
    for momentum in momenta:
        w = Variable(0.0)
        optimizer = SGD([w], learning_rate=rates[0], momentum=momentum)
        before = sgd_steps(optimizer, [w], [[1.0]] * 150)[0][-1]
        optimizer.learning_rate = rates[1]
        after = sgd_steps(optimizer, [w], [[1.0]])[0][-1]
        ratios.append(float(after / before))
    return {"step after the rate fell to a tenth, in lengths of the one before": ratios}


@sgd_checks.part(
    points=2,
    given={"momentum": 0.5},
    expect={
        "steps while the gradient of one is missing": {"that one": [0.0, 0.0], "other": [1.0, 1.0]},
        "its next step, in lengths of the last": 1.0,
        "first step, where the gradient is missing at first": 0.0,
        "later step of that parameter": 1.0,
    },
    hint="A parameter without a gradient is skipped. Does it move on with its old velocity, does "
    "the velocity decay meanwhile, and do the other parameters still get their turn?",
    rtol=1e-3,
)
def a_missing_gradient_skips_the_parameter(momentum):
    """Without a gradient a parameter is skipped: no coasting, its velocity waits."""
    parameters = [Variable(0.0), Variable(0.0), Variable(0.0)]
    optimizer = SGD(parameters, learning_rate=0.1, momentum=momentum)
    gradients = [[None, 1.0, 1.0]] + [[1.0] * 3] * 30 + [[1.0, None, 1.0]] * 2 + [[1.0] * 3]
    late, middle, always = sgd_steps(optimizer, parameters, gradients)
    unit = always[30]  # after so many equal gradients the velocity hardly changes any more
    return {
        "steps while the gradient of one is missing": {
            "that one": middle[31:33] / unit,
            "other": always[31:33] / unit,
        },
        "its next step, in lengths of the last": float(middle[33] / unit),
        "first step, where the gradient is missing at first": float(late[0] / unit),
        "later step of that parameter": float(late[33] / unit),
    }


@sgd_checks.part(
    points=1,
    given={"gradients": [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]], "momenta": [0.0, 0.9]},
    expect={
        "gradients afterwards": [
            [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]],
            [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]],
        ],
        "w moves": [True, True],
    },
    hint="Is your velocity, after the first step, an array of its own or the gradient's array?",
)
def gradients_are_not_changed(gradients, momenta):
    """Gradients are never changed, neither by this step nor by a later one."""
    seen, moves = [], []
    for momentum in momenta:
        w = Variable([0.0, 0.0])
        optimizer = SGD([w], learning_rate=0.1, momentum=momentum)
        given = [Variable(gradient) for gradient in gradients]
        for gradient in given:
            w.grad = gradient
            optimizer.step()
        seen.append([snapshot(gradient) for gradient in given])
        moves.append(bool(np.any(snapshot(w) != 0)))
    return {"gradients afterwards": seen, "w moves": moves}


@sgd_checks.part(
    points=1,
    given={"start": 3.0},
    expect={
        "grads after zero_grad()": [None, None, None],
        "moved by zero_grad()": 0.0,
        "second step, in lengths of the first": GreaterThan(1.2),
    },
    hint="zero_grad() sets each grad to None, not to zeros. What else does yours touch?",
)
def zero_grad_forgets_gradients_and_nothing_else(start):
    """zero_grad() sets every grad to None; values and velocities stay."""
    parameters = [Variable(start) for _ in range(3)]
    optimizer = SGD(parameters, learning_rate=0.1, momentum=0.9)
    row = [1.0, 1.0, None]
    first = sgd_steps(optimizer, parameters, [row])[0][0]
    before = snapshot(parameters[0])
    optimizer.zero_grad()
    left = [snapshot(parameter.grad) for parameter in parameters]
    moved = float(snapshot(parameters[0]) - before)
    second = sgd_steps(optimizer, parameters, [row])[0][0]
    return {
        "grads after zero_grad()": left,
        "moved by zero_grad()": moved,
        "second step, in lengths of the first": float(second / first),
    }


@sgd_checks.part(
    points=1,
    given={"rate": 0.3, "momentum": 0.7},
    expect={
        "defaults of learning_rate and momentum": [0.01, 0.0],
        "learning_rate and momentum as given": [0.3, 0.7],
        "parameters are those given": [True, True],
    },
    hint="Compare the names and the defaults in the docstring with your constructor.",
)
def arguments_are_kept(rate, momentum):
    """Arguments are kept under their own names; the defaults are 0.01 and 0.0."""
    parameters = [Variable(1.0), Variable([2.0])]
    default = SGD(parameters)
    optimizer = SGD(parameters, rate, momentum)
    return {
        "defaults of learning_rate and momentum": [default.learning_rate, default.momentum],
        "learning_rate and momentum as given": [optimizer.learning_rate, optimizer.momentum],
        "parameters are those given": [
            kept is given for kept, given in zip(optimizer.parameters, parameters, strict=True)
        ],
    }


def test_unit_sgd_optimizer():
    """SGD: plain steps, momentum, changing rates, missing and untouched gradients."""
    sgd_checks.run()


if __name__ == "__main__":
    sgd_checks.show()

# %% [markdown]
# **To think about.** For a bowl with curvatures from 1 to $\kappa$ the best heavy ball has
# $\sqrt\mu = (\sqrt\kappa - 1)/(\sqrt\kappa + 1)$ and $\sqrt\eta = 2/(\sqrt\kappa + 1)$. What are
# they for our $\kappa = 20$? Put them into `walk_with_sgd` and compare with the curves above. And
# what do you have to know about a loss before you could use that formula for a network?

# %% [markdown]
# ## 3 Adam
#
# **The problem.** Momentum still has one rate for all. Where the gradients of two weights differ by
# a factor of a thousand, no single rate suits both.
#
# **The idea.** We keep two running averages per element: of the gradient (the first moment $m$) and
# of its square (the second moment $v$). The step is $m$ divided by $\sqrt v$: direction from the
# first, and the unit of the gradient cancels. So each element moves by about $\eta$ a step where
# its gradients agree, and by less where they contradict each other.
#
# **The equation.** With $\beta_1 = 0.9$, $\beta_2 = 0.999$ and $t$ counting from 1,
#
# $$ m \leftarrow \beta_1 m + (1 - \beta_1) g \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2 $$
#
# $$ \hat m = \frac{m}{1 - \beta_1^t} \qquad \hat v = \frac{v}{1 - \beta_2^t} \qquad
# w \leftarrow w - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon} $$
#
# These *are* averages, with their factors $1 - \beta$.

# %% [markdown]
# ### Why the correction
#
# Both averages begin at 0, so at first they are too small. After $t$ steps the weights of the
# gradients in $m$ add up to $1 - \beta_1^t$ instead of 1, and dividing by that sum repairs it. It
# matters because the two are wrong by different amounts: $m$ is a tenth of $g$ after the first
# step, but $\sqrt v$ only a thirtieth of $|g|$. For a constant gradient of 2, the right ratio is 1:

# %%
if __name__ == "__main__":
    m = v = 0.0
    print("   t       m   m_hat         v   v_hat   m/sqrt(v)   m_hat/sqrt(v_hat)")
    for t in range(1, 3001):
        m = 0.9 * m + 0.1 * 2.0
        v = 0.999 * v + 0.001 * 2.0**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        if t in (1, 2, 3, 10, 100, 1000, 3000):
            row = f"{t:4} {m:7.4f} {m_hat:7.4f} {v:9.6f} {v_hat:7.4f}"
            print(f"{row} {m / v**0.5:11.4f} {m_hat / v_hat**0.5:19.4f}")

# %% [markdown]
# Without the correction the first step is $0.1/\sqrt{0.001} = 3.16$ times too long, the tenth more
# than six times, and it takes a few thousand steps to become right: a network is most easily
# wrecked in just these.

# %% [markdown]
# ### Epsilon
#
# $\epsilon$ keeps the division finite where gradients are 0. It stands **outside the root and after
# the correction**, as in PyTorch and in the paper's algorithm. Keras adds it before the correction
# is applied, and the fast.ai course adds it inside the root. The difference shows where
# $\sqrt{\hat v}$ is not much larger than $\epsilon$: an element whose gradients are smaller than
# $\epsilon$ moves by less than $\eta$, because its step is about $\eta\, \hat m / \epsilon$.
#
# ### What t counts
#
# The attribute `t` counts calls of `step()`. If some parameter had no gradient on an earlier call,
# its averages have seen fewer gradients than `t`. PyTorch corrects with a count per parameter, the
# number of gradients its averages hold. Correcting with `t` is simpler and accepted here; the two
# differ only after missing gradients.

# %% nbgrader={"grade": false, "grade_id": "adam-class", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class Adam:
    """Adam: running averages of gradients and of their squares, corrected for their start at 0.

    Parameters
    ----------
    parameters : list of Variable
        What to train; any shapes.
    learning_rate : float, default 0.001
        Step length eta, at least 0.
    beta1, beta2 : float, default 0.9 and 0.999
        Decay of the first and the second moment, from 0 to below 1.
    epsilon : float, default 1e-8
        Added to the root of the corrected second moment, at least 0.

    Attributes
    ----------
    parameters, learning_rate, beta1, beta2, epsilon
        As given. ``learning_rate`` is read at each ``step()``.
    m, v : list or dict
        First and second moments: one entry per parameter, once a ``step()`` has seen all gradients.
        They may be filled at construction or when they are first needed.
    t : int
        Number of calls of ``step()``, 0 at first; one call counts once, however many parameters.

    Notes
    -----
    ``m <- beta1 * m + (1 - beta1) * g`` and ``v <- beta2 * v + (1 - beta2) * g * g``, both 0 at
    first, then ``w <- w - learning_rate * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) +
    epsilon)``: epsilon outside the root and after the correction, no weight decay. This is
    ``torch.optim.Adam``. After missing gradients the exponent may be ``t`` or, as in PyTorch, the
    number of gradients this parameter has had.

    References
    ----------
    D. Kingma, J. Ba, Adam: A Method for Stochastic Optimization, 2015.
    """

    def __init__(
        self,
        parameters: list[Variable],
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        # TODO: keep the arguments under their own names and prepare m, v and t.
        ### BEGIN SOLUTION
        for name, value in {"learning_rate": learning_rate, "epsilon": epsilon}.items():
            if not value >= 0:
                raise ValueError(f"{name} must be at least 0, got {value!r}")
        for name, value in {"beta1": beta1, "beta2": beta2}.items():
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be from 0 to below 1, got {value!r}")
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        # Python floats: in float32, 1 - beta2**t would keep only four digits at first.
        self.beta1 = float(beta1)
        self.beta2 = float(beta2)
        self.epsilon = float(epsilon)
        self.m: dict[int, Any] = {}
        self.v: dict[int, Any] = {}
        self.t = 0
        self._seen: dict[int, int] = {}
        ### END SOLUTION

    def step(self) -> None:
        """Update every parameter that has a gradient, and count the call in ``t``.

        A parameter whose ``grad`` is None is skipped: neither it nor its moments change. Each
        ``parameter.data`` stays a ``Tensor`` of its shape. Gradients are read and never changed.
        """
        # TODO: count the call, then update moments and value of every parameter with a gradient.
        # Hint: with one gradient of any size, how long must the very first step be?
        ### BEGIN SOLUTION
        self.t += 1
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            w, g = parameter.data.data, parameter.grad.data.data
            n = self._seen.get(index, 0) + 1  # equals t unless gradients were missing
            m = self.beta1 * self.m.get(index, 0.0) + (1 - self.beta1) * g
            v = self.beta2 * self.v.get(index, 0.0) + (1 - self.beta2) * g * g
            m_hat = m / (1 - self.beta1**n)
            v_hat = v / (1 - self.beta2**n)
            update = self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)
            parameter.data = Tensor(w - update, dtype=w.dtype)
            self._seen[index], self.m[index], self.v[index] = n, m, v
        ### END SOLUTION

    def zero_grad(self) -> None:
        """Set the ``grad`` of every parameter to None; values, moments and ``t`` stay."""
        # TODO: forget the gradients, and only them.
        ### BEGIN SOLUTION
        for parameter in self.parameters:
            parameter.grad = None
        ### END SOLUTION

# %% [markdown]
# To try at once: two weights whose gradients differ by a factor of a million. The first step is 0.1
# for both, whatever the gradient, and its sign is all that is left of it. When a gradient turns
# round, the step shrinks: its element is told different things.

# %%
if __name__ == "__main__":
    w = Variable([0.0, 0.0])
    optimizer = Adam([w], learning_rate=0.1)
    for gradient in ([1000.0, 0.001], [1000.0, 0.001], [-1000.0, 0.001]):
        w.grad = Variable(gradient)
        optimizer.step()
        print(f"t = {optimizer.t}, gradient {gradient}: w = {w.data.data.round(4)}")

# %% [markdown]
# The three optimizers on the bowl. Gradient descent follows the slope and zigzags; momentum swings
# wide and arrives; Adam, blind to the unit of the gradient, heads for the minimum almost as if the
# bowl were round, at a pace set by its rate.

# %%
def walk_with_adam(rate):
    """Walk the bowl with Adam."""
    w = Variable([-2.0, 1.0])
    return follow(Adam([w], learning_rate=rate).step, w)


if __name__ == "__main__":
    draw_paths(
        {
            "gradient descent, rate 0.09": walk_with_gradient_descent(0.09),
            "momentum 0.7, rate 0.04": walk_with_sgd(0.04, 0.7),
            "Adam, rate 0.2": walk_with_adam(0.2),
        }
    )

# %% [markdown]
# A constant rate does not suit Adam near the end: its steps shrink only when gradients contradict
# each other, so it overshoots and circles the minimum. That is one reason for the schedules of the
# next section.

# %% nbgrader={"grade": true, "grade_id": "test-adam", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
import numpy as np
from tinytorch.checks import Between, Checks, snapshot
from tinytorch.core.autograd import Variable
from tinytorch.core.tensor import Tensor

adam_checks = Checks("test-adam", points=20)


def adam_steps(optimizer, parameters, gradients, rate=1.0):
    """Call step() with each of these gradients; return each parameter's steps, in rates."""
    paths = [[snapshot(parameter)] for parameter in parameters]
    for row in gradients:
        for parameter, gradient in zip(parameters, row, strict=True):
            parameter.grad = None if gradient is None else Variable(gradient)
        optimizer.step()
        for parameter, path in zip(parameters, paths, strict=True):
            path.append(snapshot(parameter))
    return [np.diff(np.array(path, dtype=np.float64), axis=0) / rate for path in paths]


@adam_checks.part(
    points=4,
    given={"gradients": [[1.0, -10.0, 0.01], -3.0], "rate": 0.1},
    expect={
        "steps in learning rates": [
            [[-1.0, 1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, 1.0, -1.0]],
            [1.0, 1.0, 1.0],
        ]
    },
    hint="Work out m, v and both corrected moments for t = 1 and t = 2. What is left of the "
    "gradient's size? Is t the same for all parameters within one call?",
    rtol=5e-3,
)
def corrected_steps_are_as_long_as_the_rate(gradients, rate):
    """Both moments are corrected: with a constant gradient every step is as long as the rate."""
    parameters = [Variable([0.0, 0.0, 0.0]), Variable(0.0)]
    optimizer = Adam(parameters, learning_rate=rate)
    return {"steps in learning rates": adam_steps(optimizer, parameters, [gradients] * 3, rate)}


@adam_checks.part(
    points=3,
    given={
        "history": [1.0, 2.0],
        "gradients": [[-1.0, -2.0], [-1.0, 2.0], [1.0, 2.0]],
        "rate": 1e-4,
        "betas": {"beta1": 0.9, "beta2": 0.5},
    },
    expect={"steps in learning rates": [[-0.8, -0.8], [-0.62, -0.82], [-0.658, -0.838]]},
    hint="After many gradients of 1, m is 1. After a gradient of -1, is it 0.9 * 1 + 0.1 * (-1)?",
    rtol=1e-3,
)
def first_moment_is_a_running_average(history, gradients, rate, betas):
    """First moment: a running average of the gradients, with decay beta1."""
    w = Variable([0.0, 0.0])
    optimizer = Adam([w], learning_rate=rate, **betas)
    adam_steps(optimizer, [w], [[history]] * 150)
    steps = adam_steps(optimizer, [w], [[gradient] for gradient in gradients], rate)
    return {"steps in learning rates": steps[0]}


@adam_checks.part(
    points=3,
    given={
        "history": [1.0, 2.0],
        "gradients": [[2.0, 2.0], [0.5, -4.0], [0.25, 1.0]],
        "rate": 1e-4,
        "betas": {"beta1": 0.0, "beta2": 0.75},
    },
    expect={
        "steps in learning rates": [
            [-1.511858, -1.0],
            [-0.426401, 1.511858],
            [-0.244339, -0.426401],
        ]
    },
    hint="With beta1 = 0 the step is g / sqrt(v). After many gradients of 1 comes a 2: is v then "
    "0.75 * 1 + 0.25 * 4, for each element on its own?",
    rtol=1e-3,
)
def second_moment_is_a_running_average_of_squares(history, gradients, rate, betas):
    """Second moment: a running average of the squares, with decay beta2."""
    w = Variable([0.0, 0.0])
    optimizer = Adam([w], learning_rate=rate, **betas)
    adam_steps(optimizer, [w], [[history]] * 80)
    steps = adam_steps(optimizer, [w], [[gradient] for gradient in gradients], rate)
    return {"steps in learning rates": steps[0]}


@adam_checks.part(
    points=1,
    given={"start": [0.0, 0.0, 5.0], "gradient": [1.0, 3.0, 0.0], "epsilons": [1.0, 1e-8]},
    expect={"w after two steps": [[-1.0, -1.5, 5.0], [-2.0, -2.0, 5.0]]},
    hint="With both betas 0, g = 1 and epsilon = 1 a step is 1 / (1 + 1). Where does your epsilon "
    "stand, and what moves an element whose gradient is 0?",
    rtol=1e-5,
)
def epsilon_stands_outside_the_root(start, gradient, epsilons):
    """Epsilon is added outside the root, and an element with gradient zero stays."""
    values = []
    for epsilon in epsilons:
        w = Variable(start)
        optimizer = Adam([w], learning_rate=1.0, beta1=0.0, beta2=0.0, epsilon=epsilon)
        adam_steps(optimizer, [w], [[gradient]] * 2)
        values.append(snapshot(w))
    return {"w after two steps": values}


@adam_checks.part(
    points=1,
    given={"gradient": [1.0, 3.0], "epsilon": 1.0},
    expect={"first step": [-0.5, -0.75]},
    hint="For g = 1 the corrected v is 1, so with epsilon = 1 the first step is 1 / (1 + 1).",
)
def epsilon_is_added_after_the_correction(gradient, epsilon):
    """Epsilon is added after the bias correction."""
    w = Variable([0.0, 0.0])
    optimizer = Adam([w], learning_rate=1.0, epsilon=epsilon)
    return {"first step": adam_steps(optimizer, [w], [[gradient]])[0][0]}


@adam_checks.part(
    points=1,
    given={"settings": [0.3, 0.8, 0.95, 1e-3]},
    expect={
        "defaults": [0.001, 0.9, 0.999, 1e-8],
        "settings as given": [0.3, 0.8, 0.95, 1e-3],
        "parameters are those given": [True, True],
        "t after 0, 1, 2, 3 calls": [0, 1, 2, 3],
    },
    hint="t counts calls of step(), not parameters. Compare names and defaults with the docstring.",
    atol=0.0,
)
def arguments_are_kept_and_t_counts_calls(settings):
    """Arguments are kept under their own names, and t counts the calls of step()."""
    parameters = [Variable(1.0), Variable([2.0])]
    names = ["learning_rate", "beta1", "beta2", "epsilon"]
    default = Adam(parameters)
    optimizer = Adam(parameters, *settings)
    kept = [one is other for one, other in zip(optimizer.parameters, parameters, strict=True)]
    values = [getattr(optimizer, name) for name in names]
    counts = [optimizer.t]
    for _ in range(3):
        adam_steps(optimizer, parameters, [[1.0, [1.0]]])
        counts.append(optimizer.t)
    return {
        "defaults": [getattr(default, name) for name in names],
        "settings as given": values,
        "parameters are those given": kept,
        "t after 0, 1, 2, 3 calls": counts,
    }


@adam_checks.part(
    points=2,
    given={
        "gradients": [1.0, [1.0, 4.0], [-5.0, 2.0], [[1.0], [-2.0]]],
        "rate": 1e-3,
        "betas": {"beta1": 0.5, "beta2": 0.5},
    },
    expect={
        "last step in learning rates": [-1.0, [-1.0, -1.0], [1.0, -1.0], [[-1.0], [1.0]]],
        "data is a Tensor": [True, True, True, True],
        "entries in m and v": [4, 4],
    },
    hint="Constant gradients, so each element should end up moving by the rate. By what do you "
    "find the moments of a parameter again, and can two parameters share them?",
    rtol=1e-3,
)
def every_parameter_has_its_own_moments(gradients, rate, betas):
    """Every parameter, of any shape, has its own moments and stays a Tensor."""
    parameters = [Variable(np.zeros(np.shape(gradient))) for gradient in gradients]
    optimizer = Adam(parameters, learning_rate=rate, **betas)
    steps = adam_steps(optimizer, parameters, [gradients] * 40, rate)
    return {
        "last step in learning rates": [array[-1] for array in steps],
        "data is a Tensor": [isinstance(parameter.data, Tensor) for parameter in parameters],
        "entries in m and v": [len(optimizer.m), len(optimizer.v)],
    }


@adam_checks.part(
    points=1,
    given={"rates": [0.1, 0.01, 1.0]},
    expect={"w after each step": [-0.1, -0.11, -1.11]},
    hint="With both betas 0 every step is as long as the rate. When does yours read it?",
    rtol=5e-3,
)
def each_step_of_adam_reads_the_rate(rates):
    """Each step reads learning_rate."""
    w = Variable(0.0)
    optimizer = Adam([w], learning_rate=rates[0], beta1=0.0, beta2=0.0)
    values = []
    for rate in rates:
        optimizer.learning_rate = rate
        adam_steps(optimizer, [w], [[1.0]])
        values.append(float(snapshot(w)))
    return {"w after each step": values}


@adam_checks.part(
    points=2,
    given={"rate": 1e-3, "betas": {"beta1": 0.8, "beta2": 0.5}},
    expect={
        "steps while the gradient of one is missing": {
            "that one": [0.0, 0.0],
            "other": [-1.0, -1.0],
        },
        "its step when a gradient of -1 follows": -0.6,
        "first step, where the gradient is missing at first": 0.0,
        "later step of that parameter": -1.0,
    },
    hint="A parameter without a gradient is skipped. Does it move on, do its moments decay "
    "meanwhile, and do the other parameters still get their turn?",
    rtol=1e-3,
)
def a_missing_gradient_skips_the_parameter_in_adam(rate, betas):
    """Without a gradient a parameter is skipped: no coasting, its moments wait."""
    parameters = [Variable(0.0), Variable(0.0), Variable(0.0)]
    optimizer = Adam(parameters, learning_rate=rate, **betas)
    gradients = [[None, 1.0, 1.0]] + [[1.0] * 3] * 70 + [[1.0, None, 1.0]] * 2 + [[1.0, -1.0, 1.0]]
    late, middle, always = adam_steps(optimizer, parameters, gradients, rate)
    return {
        "steps while the gradient of one is missing": {
            "that one": middle[71:73],
            "other": always[71:73],
        },
        "its step when a gradient of -1 follows": float(middle[73]),
        "first step, where the gradient is missing at first": float(late[0]),
        "later step of that parameter": float(late[73]),
    }


@adam_checks.part(
    points=1,
    given={"gradients": [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]]},
    expect={"gradients afterwards": [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]], "w moves": True},
    hint="Is your m, after the first step, an array of its own? Do you square a gradient in place?",
)
def gradients_are_not_changed_by_adam(gradients):
    """Gradients are never changed, neither by this step nor by a later one."""
    w = Variable([0.0, 0.0])
    optimizer = Adam([w], learning_rate=0.1)
    given = [Variable(gradient) for gradient in gradients]
    for gradient in given:
        w.grad = gradient
        optimizer.step()
    return {
        "gradients afterwards": [snapshot(gradient) for gradient in given],
        "w moves": bool(np.any(snapshot(w) != 0)),
    }


@adam_checks.part(
    points=1,
    given={"gradients": [1.0, -1.0]},
    expect={
        "grads after zero_grad()": [None, None, None],
        "moved by zero_grad()": 0.0,
        "second step, in lengths of the first": Between(0.0, 0.3),
    },
    hint="zero_grad() sets each grad to None, not to zeros. What else does yours touch?",
)
def zero_grad_of_adam_forgets_gradients_and_nothing_else(gradients):
    """zero_grad() sets every grad to None; values, moments and t stay."""
    parameters = [Variable(0.0), Variable(0.0), Variable(0.0)]
    optimizer = Adam(parameters, learning_rate=0.1)
    first = adam_steps(optimizer, parameters, [[gradients[0], gradients[0], None]])[0][0]
    before = snapshot(parameters[0])
    optimizer.zero_grad()
    left = [snapshot(parameter.grad) for parameter in parameters]
    moved = float(snapshot(parameters[0]) - before)
    second = adam_steps(optimizer, parameters, [[gradients[1], gradients[1], None]])[0][0]
    return {
        "grads after zero_grad()": left,
        "moved by zero_grad()": moved,
        "second step, in lengths of the first": float(abs(second / first)),
    }


def test_unit_adam_optimizer():
    """Adam: moments, correction, epsilon, counts, rates, missing and untouched gradients."""
    adam_checks.run()


if __name__ == "__main__":
    adam_checks.show()

# %% [markdown]
# **To think about.** Multiply the loss by 1000. How does the path of SGD change, and how that of
# Adam? What does it mean for Adam if the gradients of a network get smaller and smaller as training
# succeeds? And for which of the two does a penalty $\frac{\lambda}{2} w^2$ added to the loss still
# pull every weight to zero with a strength of $\eta\lambda w$? (The answer is why AdamW, by
# Loshchilov and Hutter, 2019, subtracts $\eta\lambda w$ apart from the gradient.)

# %% [markdown]
# ## 4 Learning-rate schedules
#
# **The problem.** Early in training we are far from a minimum and long steps pay. Late in training
# the noise of the batches keeps a long step from settling. No constant rate is right for both.
#
# **The idea.** We let the rate depend on time. A schedule holds the optimizer and, whenever it is
# told that time has passed, writes a new `learning_rate` into it. The optimizer knows nothing of
# this: it reads its rate at each step. The simplest schedule is a staircase.
#
# **The equation.** On call number $n$ of the schedule's `step()`, counting from 1, with $s$ for
# `step_size`,
#
# $$ \eta = \eta_0\, \gamma^{\lfloor (n - 1) / s \rfloor} $$
#
# So calls 1 to $s$ leave the initial rate, and the first drop comes on call $s + 1$. The rate is
# computed from $\eta_0$, the rate the optimizer had when the schedule was made.

# %% [markdown]
# ### One call earlier in PyTorch
#
# PyTorch's `StepLR` has $\lfloor n / s \rfloor$ in the exponent and drops on call $s$. Neither is
# wrong; they expect to be called at different times.
#
# - **Ours** is called at the *start* of an epoch. Call $n$ sets the rate for epoch $n$.
# - **PyTorch's** is called at the *end* of an epoch, after the optimizer's steps. Call $n$ sets the
#   rate for epoch $n + 1$.
#
# Used each in its own way, both give $s$ epochs at every rate. Used the other way round, one epoch
# has the wrong rate. With $\eta_0 = 0.1$, $s = 3$ and $\gamma = 0.1$:

# %%
if __name__ == "__main__":
    print("call    ours, (n-1)//3    PyTorch, n//3")
    for n in range(1, 8):
        print(f"{n:4} {0.1 * 0.1 ** ((n - 1) // 3):16.4f} {0.1 * 0.1 ** (n // 3):16.4f}")

# %% nbgrader={"grade": false, "grade_id": "steplr-class", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class StepLR:
    """A staircase: the learning rate is multiplied by gamma after every step_size calls.

    Parameters
    ----------
    optimizer : SGD or Adam
        Any object with an attribute ``learning_rate``. Making a schedule does not change it.
    step_size : int
        Calls on each stair, at least 1.
    gamma : float, default 0.1
        Factor from one stair to the next, at least 0.

    Attributes
    ----------
    optimizer, step_size, gamma
        As given.
    initial_lr : float
        The optimizer's rate when the schedule was made.
    step_count : int
        Number of calls of ``step()``, 0 at first.

    Notes
    -----
    Call number n of ``step()`` sets ``optimizer.learning_rate`` to
    ``initial_lr * gamma ** ((n - 1) // step_size)``, whatever it was before. The first drop comes
    on call ``step_size + 1``; ``torch.optim.lr_scheduler.StepLR`` drops one call earlier.

    References
    ----------
    K. He et al., Deep Residual Learning for Image Recognition, 2016, divides its rate in stairs.
    """

    def __init__(self, optimizer: "SGD | Adam", step_size: int, gamma: float = 0.1) -> None:
        # TODO: keep the arguments, the initial rate and a count of calls.
        ### BEGIN SOLUTION
        if not step_size >= 1:
            raise ValueError(f"step_size must be at least 1, got {step_size!r}")
        if not gamma >= 0:
            raise ValueError(f"gamma must be at least 0, got {gamma!r}")
        self.optimizer = optimizer
        self.step_size = step_size
        self.gamma = gamma
        self.initial_lr = optimizer.learning_rate
        self.step_count = 0
        ### END SOLUTION

    def step(self) -> None:
        """Count the call in ``step_count`` and set the optimizer's rate for it."""
        # TODO: set the rate that belongs to this call.
        # Hint: how many drops lie behind call 1, call step_size and call step_size + 1?
        ### BEGIN SOLUTION
        self.step_count += 1
        drops = (self.step_count - 1) // self.step_size
        self.optimizer.learning_rate = self.initial_lr * self.gamma**drops
        ### END SOLUTION

    def get_lr(self) -> float:
        """Return the optimizer's current rate, whoever set it, and change nothing."""
        # TODO: return the rate the optimizer would use now.
        ### BEGIN SOLUTION
        return self.optimizer.learning_rate
        ### END SOLUTION

# %% [markdown]
# To try at once: seven calls with `step_size=3`. The rates should be those of the column "ours".

# %%
if __name__ == "__main__":
    optimizer = SGD([Variable(0.0)], learning_rate=0.1)
    schedule = StepLR(optimizer, step_size=3)
    for call in range(1, 8):
        schedule.step()
        print(f"call {call}: {schedule.get_lr():.4f}")

# %% [markdown]
# ### Three other shapes
#
# A schedule is a function from time to a rate, so each fits in one line. With $T$ the length of the
# run and $T_w$ that of the warm-up:
#
# - **Exponential** decay multiplies by the same factor at every step: $\eta_0\, \gamma^t$. It is
#   the staircase without stairs.
# - **Cosine** decay falls slowly, then fast, then slowly:
#   $\frac{1}{2} \eta_0 (1 + \cos(\pi t / T))$ (Loshchilov and Hutter, 2017). It spends much of the
#   run at a high rate, ends at zero, and has nothing to tune but $T$.
# - **Warm-up** raises the rate linearly, $\eta_0 \min(1, t / T_w)$ (Goyal et al., 2017). At first
#   the weights are random and gradients large and erratic, and Adam's averages rest on a handful of
#   them. Short steps bridge that time. Warm-up is usually followed by a decay; large language
#   models mostly use warm-up with cosine.

# %%
def exponential_rate(t, initial=0.1, gamma=0.97):
    """Multiply by gamma at every step."""
    return initial * gamma**t


def cosine_rate(t, initial=0.1, total=100):
    """Half a cosine wave, from initial to 0 at step total."""
    return initial * (1 + math.cos(math.pi * t / total)) / 2


def warmup_cosine_rate(t, initial=0.1, warmup=10, total=100):
    """Rise in a straight line to initial, then fall along half a cosine wave to 0."""
    if t < warmup:
        return initial * t / warmup
    return cosine_rate(t - warmup, initial, total - warmup)


# %%
def staircase_rates(total):
    """Rates that StepLR sets on its first calls."""
    schedule = StepLR(SGD([Variable(0.0)], learning_rate=0.1), step_size=30, gamma=0.3)
    return [(schedule.step(), schedule.get_lr())[1] for _ in range(total)]


if __name__ == "__main__":
    plt.figure()
    plt.plot(staircase_rates(101), drawstyle="steps-post", label="StepLR, 0.3 every 30")
    plt.plot([exponential_rate(t) for t in range(101)], label="exponential, 0.97")
    plt.plot([cosine_rate(t) for t in range(101)], label="cosine")
    plt.plot([warmup_cosine_rate(t) for t in range(101)], label="warm-up 10, then cosine")
    plt.gca().set(xlabel="step", ylabel="learning rate", ylim=(0, 0.13))
    plt.legend(ncols=2, loc="upper right")
    plt.show()

# %% nbgrader={"grade": true, "grade_id": "test-step-scheduler", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
from types import SimpleNamespace

from tinytorch.checks import Checks

step_scheduler_checks = Checks("test-step-scheduler", points=10)


def optimizer_with(rate):
    """Make an optimizer of which only the rate exists: a schedule needs no more."""
    kind = globals().get("SGD", SimpleNamespace)
    optimizer = kind.__new__(kind)
    optimizer.parameters = []
    optimizer.learning_rate = rate
    return optimizer


def rates_of(schedule, optimizer, calls):
    """Rates of the optimizer after each of the next calls."""
    rates = []
    for _ in range(calls):
        schedule.step()
        rates.append(optimizer.learning_rate)
    return rates


@step_scheduler_checks.part(
    points=3,
    given={"rate": 0.1, "step_size": 3, "gamma": 0.1},
    expect={"rate after calls 1 to 4": [0.1, 0.1, 0.1, 0.01]},
    hint="Calls 1 to step_size leave the initial rate. What is (n - 1) // step_size on each call?",
)
def the_first_drop_comes_after_step_size_calls(rate, step_size, gamma):
    """First drop: on call step_size + 1, in the optimizer itself."""
    optimizer = optimizer_with(rate)
    schedule = StepLR(optimizer, step_size=step_size, gamma=gamma)
    return {"rate after calls 1 to 4": rates_of(schedule, optimizer, 4)}


@step_scheduler_checks.part(
    points=2,
    given={"rate": 0.8, "step_size": 4, "gamma": 0.5},
    expect={"rate after calls 2, 6, 10 and 14": [0.8, 0.4, 0.2, 0.1]},
    hint="Each stair is gamma times the one before. Which power of gamma belongs to the third?",
)
def every_stair_is_gamma_times_the_last(rate, step_size, gamma):
    """Every step_size calls it drops again, by gamma each time."""
    optimizer = optimizer_with(rate)
    schedule = StepLR(optimizer, step_size=step_size, gamma=gamma)
    return {"rate after calls 2, 6, 10 and 14": rates_of(schedule, optimizer, 14)[1::4]}


@step_scheduler_checks.part(
    points=1,
    given={"rate": 0.4, "step_size": 4, "other": 7.0},
    expect={"rate after calls 2 and 6": [0.4, 0.04]},
    hint="From which rate do you compute the new one, and when did you read it?",
)
def the_rate_is_computed_from_the_initial_one(rate, step_size, other):
    """Rates come from initial_lr, whatever was set in between; gamma is 0.1 by default."""
    optimizer = optimizer_with(rate)
    schedule = StepLR(optimizer, step_size)
    seen = []
    for _ in range(6):
        optimizer.learning_rate = other
        seen += rates_of(schedule, optimizer, 1)
    return {"rate after calls 2 and 6": [seen[1], seen[5]]}


@step_scheduler_checks.part(
    points=2,
    given={"rate": 0.5, "other": 0.03, "step_size": 4},
    expect={
        "get_lr() before any call": 0.5,
        "get_lr() after another rate was set": [0.03, 0.03, 0.03],
        "rate of the optimizer afterwards": 0.03,
        "get_lr() after call 6": 0.05,
    },
    hint="get_lr() reports the rate the optimizer would use now. Does asking change anything?",
)
def get_lr_reports_and_changes_nothing(rate, other, step_size):
    """get_lr() returns the optimizer's current rate and changes nothing."""
    optimizer = optimizer_with(rate)
    schedule = StepLR(optimizer, step_size=step_size, gamma=0.1)
    first = schedule.get_lr()
    optimizer.learning_rate = other
    asked = [schedule.get_lr() for _ in range(3)]
    after = optimizer.learning_rate
    for _ in range(6):
        schedule.step()
        schedule.get_lr()
    return {
        "get_lr() before any call": first,
        "get_lr() after another rate was set": asked,
        "rate of the optimizer afterwards": after,
        "get_lr() after call 6": schedule.get_lr(),
    }


@step_scheduler_checks.part(
    points=2,
    given={"rate": 0.25, "step_size": 5, "gamma": 0.7},
    expect={
        "step_size, gamma, initial_lr": [5, 0.7, 0.25],
        "default of gamma": 0.1,
        "optimizer is the one given": True,
        "rate once the schedule is made": 0.25,
        "step_count after 0 to 7 calls": [0, 1, 2, 3, 4, 5, 6, 7],
        "initial_lr after 7 calls": 0.25,
    },
    hint="Compare the names in the docstring with your constructor. Which may step() change?",
)
def attributes_are_kept_and_calls_counted(rate, step_size, gamma):
    """Arguments and initial_lr are kept, step_count counts, and making it changes no rate."""
    optimizer = optimizer_with(rate)
    schedule = StepLR(optimizer, step_size, gamma)
    made = optimizer.learning_rate
    kept = [schedule.step_size, schedule.gamma, schedule.initial_lr]
    counts = [schedule.step_count]
    for _ in range(7):
        schedule.step()
        counts.append(schedule.step_count)
    return {
        "step_size, gamma, initial_lr": kept,
        "default of gamma": StepLR(optimizer, step_size).gamma,
        "optimizer is the one given": schedule.optimizer is optimizer,
        "rate once the schedule is made": made,
        "step_count after 0 to 7 calls": counts,
        "initial_lr after 7 calls": schedule.initial_lr,
    }


def test_unit_step_scheduler():
    """StepLR: when it drops, by how much, what it keeps and what it leaves alone."""
    step_scheduler_checks.run()


if __name__ == "__main__":
    step_scheduler_checks.show()

# %% [markdown]
# **To think about.** A run of 90 epochs is interrupted after epoch 45 and continued from saved
# weights with a new optimizer and a new `StepLR`. Which rate does epoch 46 get, and which should it
# get? List what a checkpoint must hold so that the continued run is the same as an uninterrupted
# one, for SGD with momentum and for Adam.

# %% [markdown]
# ## 5 A complete training loop
#
# **The problem.** We have gradients from autograd, optimizers and a schedule. What is missing is
# the loop that uses them in the right order.
#
# **The idea.** Every training loop repeats four lines:
#
# 1. `optimizer.zero_grad()` forgets old gradients, because `backward()` adds to them.
# 2. The forward pass computes predictions and the loss, and records the graph.
# 3. `loss.backward()` fills `grad` of every parameter.
# 4. `optimizer.step()` moves the parameters.
#
# **The equation.** Our first model is a line, $\hat y = w x + b$, with the squared error
# $(\hat y - y)^2$ for a loss. The data are five points of the line $y = 2x + 1$, at
# $x = 1, \dots, 5$, so we know the answer: $w = 2$, $b = 1$. We start from $w = 0.1$, $b = 0$,
# where the mean squared error is 52.

# %% [markdown]
# ### What to expect
#
# The reference takes one sample at a time for 60 epochs, 300 steps, once with
# `SGD(learning_rate=0.01, momentum=0.9)` and once with `Adam(learning_rate=0.01)`. SGD arrives: $w$
# and $b$ are within 0.1 of 2 and 1, in fact much closer. Adam is still on its way, at $w = 1.60$
# and $b = 1.68$. That is no mistake. Adam's steps are about as long as its rate, so at the start it
# walks 0.01 a step where SGD's velocity carries it far; and $w$ and $b$ move at the same pace
# although $b$ has half the way to go. More epochs or a higher rate bring Adam home as well.
#
# You may choose other batches, epochs, rates, or a `StepLR`. What counts is that both fits come
# from training with your optimizers, each from the same start.

# %% nbgrader={"grade": false, "grade_id": "training-integration", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def train_simple_model() -> tuple[float, float, float, float]:
    """Fit y = w * x + b to x = 1, 2, 3, 4, 5 and y = 2 * x + 1: with SGD, then with Adam.

    Prints progress, for example the loss every 20 epochs.

    Returns
    -------
    sgd_w, sgd_b : float
        The fit with ``SGD``: each within 0.1 of 2 and 1.
    adam_w, adam_b : float
        The fit with ``Adam``: each within 1.0 of 2 and 1, and their mean squared error on the five
        points less than a fifth of the start's, which is 52.1.

    Notes
    -----
    Each of the two runs starts from w = 0.1 and b = 0.0 and has an optimizer of its own with these
    two as its parameters. What is returned is where ``step()`` has left them, with gradients from
    ``backward()``: if either did nothing, the fit must not come out right.

    The reference takes 60 epochs, one sample at a time, with ``SGD(learning_rate=0.01,
    momentum=0.9)`` and ``Adam(learning_rate=0.01)``. Choose batches, epochs, rates or a schedule
    as you like.
    """
    # TODO: train with SGD, train again from the same start with Adam, and return both fits.
    # Hint: what of the first run must not leak into the second?
    ### BEGIN SOLUTION
    xs = [1.0, 2.0, 3.0, 4.0, 5.0]
    samples = [(Variable(x, False), Variable(2 * x + 1, False)) for x in xs]
    fits = []
    for name in ("SGD", "Adam"):
        w, b = Variable(0.1), Variable(0.0)
        if name == "SGD":
            optimizer = SGD([w, b], learning_rate=0.01, momentum=0.9)
        else:
            optimizer = Adam([w, b], learning_rate=0.01)
        for epoch in range(1, 61):
            total = 0.0
            for x, y in samples:
                optimizer.zero_grad()
                error = subtract(add(multiply(w, x), b), y)
                loss = multiply(error, error)
                loss.backward()
                optimizer.step()
                total += loss.data.item()
            if epoch % 20 == 0:
                print(f"{name:4} epoch {epoch}: mean loss {total / len(samples):.4f}")
        fits += [w.data.item(), b.data.item()]
    sgd_w, sgd_b, adam_w, adam_b = fits
    return sgd_w, sgd_b, adam_w, adam_b
    ### END SOLUTION

# %% [markdown]
# To try at once: four numbers, and the lines they stand for.

# %%
if __name__ == "__main__":
    sgd_w, sgd_b, adam_w, adam_b = train_simple_model()
    x = np.array([0.5, 5.5])
    plt.figure()
    plt.plot(np.arange(1, 6), 2 * np.arange(1, 6) + 1, "ko", label="data, y = 2x + 1")
    plt.plot(x, 0.1 * x, ":", color="0.5", label="start, y = 0.1x")
    plt.plot(x, sgd_w * x + sgd_b, label=f"SGD, y = {sgd_w:.2f}x + {sgd_b:.2f}")
    plt.plot(x, adam_w * x + adam_b, label=f"Adam, y = {adam_w:.2f}x + {adam_b:.2f}")
    plt.gca().set(xlabel="x", ylabel="y")
    plt.legend()
    plt.show()

# %% [markdown]
# The graded cell also watches the training: it notes where the parameters are at the first step,
# and it trains again with `SGD.step`, with `Adam.step` and with `backward` switched off in turn.

# %% nbgrader={"grade": true, "grade_id": "test-training-integration", "locked": true, "points": 25, "schema_version": 3, "solution": false, "task": false}
import contextlib
import functools
import io
from unittest.mock import patch

import numpy as np
from tinytorch.checks import Between, Checks, GreaterThan, snapshot
from tinytorch.core.autograd import Variable

training_checks = Checks("test-training-integration", points=25)


@functools.cache
def watched_training():
    """Train once; note the fits, the first positions, the calls of step() and what was printed."""
    starts, calls, printed = {}, {"SGD": 0, "Adam": 0}, io.StringIO()

    def watch(name, kind):
        original = kind.step

        def step(self, *args, **kwargs):
            calls[name] += 1
            if name not in starts:
                parameters = getattr(self, "parameters", [])
                values = [np.ravel(snapshot(parameter)) for parameter in parameters]
                starts[name] = np.sort(np.concatenate([[], *values]))
            return original(self, *args, **kwargs)

        return patch.object(kind, "step", step)

    with watch("SGD", SGD), watch("Adam", Adam), contextlib.redirect_stdout(printed):
        sgd_w, sgd_b, adam_w, adam_b = train_simple_model()
    fits = {"SGD": (sgd_w, sgd_b), "Adam": (adam_w, adam_b)}
    fits = {name: [float(np.reshape(snapshot(x), ())) for x in fit] for name, fit in fits.items()}
    return fits, starts, calls, printed.getvalue()


class GaveUp(Exception):
    """A training loop went on for long although nothing changed."""


def distances_without(owner, name, patience=4000):
    """Train with a method that does nothing; return how far each fit is from (2, 1)."""
    calls = 0

    def do_nothing(self, *args, **kwargs):
        nonlocal calls
        calls += 1
        if calls > patience:  # a loop that waits for the loss to fall would never end
            raise GaveUp

    watched_training()  # a function that cannot train at all fails here
    try:
        with patch.object(owner, name, do_nothing):
            fit = np.array([float(np.reshape(snapshot(x), ())) for x in train_simple_model()])
    except Exception:  # whatever a student's code raises when nothing happens: it has no fit
        fit = np.full(4, np.inf)
    errors = np.nan_to_num(np.abs(fit - [2, 1, 2, 1]), nan=np.inf, posinf=np.inf)
    return {"SGD": float(errors[:2].max()), "Adam": float(errors[2:].max())}


@training_checks.part(
    points=6,
    expect={"w": Between(1.9, 2.1), "b": Between(0.9, 1.1), "calls of SGD.step()": GreaterThan(0)},
    hint="Does the loss fall from epoch to epoch? Check data, order of the four lines and rate.",
)
def sgd_finds_the_line():
    """Training with SGD comes within 0.1 of w = 2 and b = 1."""
    fits, _, calls, _ = watched_training()
    return {"w": fits["SGD"][0], "b": fits["SGD"][1], "calls of SGD.step()": calls["SGD"]}


@training_checks.part(
    points=5,
    given={"xs": [1.0, 2.0, 3.0, 4.0, 5.0], "ys": [3.0, 5.0, 7.0, 9.0, 11.0]},
    expect={
        "w": Between(1.0, 3.0),
        "b": Between(0.0, 2.0),
        "mean squared error": Between(0.0, 10.4),
        "calls of Adam.step()": GreaterThan(0),
    },
    hint="Adam walks about learning_rate a step. Are steps times rate enough for the way to go?",
)
def adam_gets_near_the_line(xs, ys):
    """Training with Adam comes within 1.0 of w = 2 and b = 1, with a far lower loss."""
    fits, _, calls, _ = watched_training()
    w, b = fits["Adam"]
    return {
        "w": w,
        "b": b,
        "mean squared error": float(np.mean((w * np.array(xs) + b - np.array(ys)) ** 2)),
        "calls of Adam.step()": calls["Adam"],
    }


@training_checks.part(
    points=4,
    expect={"distance of the SGD fit from (2, 1)": GreaterThan(0.1)},
    hint="With SGD.step() doing nothing, the SGD fit came out right all the same. Who found it?",
)
def the_sgd_fit_comes_from_sgd():
    """Without SGD.step() there is no SGD fit."""
    return {"distance of the SGD fit from (2, 1)": distances_without(SGD, "step")["SGD"]}


@training_checks.part(
    points=4,
    expect={"distance of the Adam fit from (2, 1)": GreaterThan(1.0)},
    hint="With Adam.step() doing nothing, the Adam fit came out right all the same. Who found it?",
)
def the_adam_fit_comes_from_adam():
    """Without Adam.step() there is no Adam fit."""
    return {"distance of the Adam fit from (2, 1)": distances_without(Adam, "step")["Adam"]}


@training_checks.part(
    points=3,
    expect={"parameters at the first step": {"SGD": [0.0, 0.1], "Adam": [0.0, 0.1]}},
    hint="Where do w and b stand when Adam takes its first step, and where should they?",
)
def both_start_from_the_same_point():
    """Both runs start from w = 0.1 and b = 0.0."""
    return {"parameters at the first step": watched_training()[1]}


@training_checks.part(
    points=2,
    expect={
        "distance of the SGD fit from (2, 1)": GreaterThan(0.1),
        "distance of the Adam fit from (2, 1)": GreaterThan(1.0),
    },
    hint="Where do your gradients come from, if not from backward()?",
)
def the_gradients_come_from_autograd():
    """Without backward() there is no fit."""
    distances = distances_without(Variable, "backward")
    return {f"distance of the {name} fit from (2, 1)": far for name, far in distances.items()}


@training_checks.part(
    points=1,
    expect={"printed lines with a number": GreaterThan(0)},
    hint="A run that prints nothing cannot be told from one that hangs.",
)
def progress_is_printed():
    """Progress is printed."""
    lines = watched_training()[3].splitlines()
    return {"printed lines with a number": sum(any(map(str.isdigit, line)) for line in lines)}


def test_module_unit_training():
    """Training: both fits, from the same start, by the student's optimizers and autograd."""
    training_checks.run()


if __name__ == "__main__":
    training_checks.show()

# %% [markdown]
# ### The same loop on real data
#
# A line has two parameters. The same four lines train a network that reads handwritten digits:
# 1,797 images of 8 by 8 pixels, collected by Alpaydin and Kaynak (1998). We shuffle them once with
# a fixed seed and keep 397 images for the test; the network never trains on those.

# %%
from tinytorch.datasets import load_digits


def split_digits(seed=0):
    """Split the digits into 1,400 images to train on and 397 to test on."""
    images, labels = load_digits()
    order = np.random.default_rng(seed).permutation(len(images))
    train, test = order[:1400], order[1400:]
    return images[train], labels[train], images[test], labels[test]


if __name__ == "__main__":
    digits = split_digits()
    figure, panels = plt.subplots(1, 10, figsize=(9, 1.2))
    for digit, panel in enumerate(panels):
        first = np.flatnonzero(digits[1] == digit)[0]
        panel.imshow(digits[0][first].reshape(8, 8), cmap="gray_r")
        panel.set(title=digit, xticks=[], yticks=[])
    plt.show()

# %% [markdown]
# The network is a perceptron with one hidden layer: 64 pixels, 32 hidden units, 10 classes. It has
# $64 \cdot 32 + 32 + 32 \cdot 10 + 10 = 2{,}410$ weights. They start at random with a spread of
# $\sqrt{2 / \text{inputs}}$, which keeps signals at about the same size through a layer with `relu`
# (He et al., 2015). The loss is the cross-entropy of the softmax: the mean of minus the log of the
# probability that the network gives to the right class.

# %%
def make_network(seed=0):
    """Return weights and biases of a 64-32-10 perceptron."""
    rng = np.random.default_rng(seed)
    network = []
    for inputs, outputs in ((64, 32), (32, 10)):
        weights = rng.normal(0.0, math.sqrt(2 / inputs), (inputs, outputs))
        network += [Variable(weights.astype(np.float32)), Variable(np.zeros(outputs, np.float32))]
    return network


def scores_of(network, images):
    """Return the scores of the ten classes, one row per image."""
    weights1, biases1, weights2, biases2 = network
    hidden = relu(add(matmul(Variable(images, requires_grad=False), weights1), biases1))
    return add(matmul(hidden, weights2), biases2)


def accuracy_of(network, images, labels):
    """Return the share of images whose highest score belongs to the right class."""
    return float(np.mean(scores_of(network, images).data.data.argmax(axis=1) == labels))


# %%
def train_network(make_optimizer, data, epochs=20, batch_size=32, seed=0):
    """Train a network; return its loss and its test accuracy after each epoch."""
    images, labels, test_images, test_labels = data
    network = make_network(seed)
    optimizer = make_optimizer(network)
    rng = np.random.default_rng(seed)
    losses, accuracies = [], []
    for _ in range(epochs):
        for batch in np.split(rng.permutation(len(images)), range(batch_size, 1400, batch_size)):
            optimizer.zero_grad()
            loss = softmax_cross_entropy(scores_of(network, images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
        losses.append(softmax_cross_entropy(scores_of(network, images), labels).data.item())
        accuracies.append(accuracy_of(network, test_images, test_labels))
    return losses, accuracies


# %%
OPTIMIZERS = {
    "SGD, rate 0.1": lambda network: SGD(network, learning_rate=0.1),
    "SGD, momentum 0.9, rate 0.1": lambda network: SGD(network, learning_rate=0.1, momentum=0.9),
    "Adam, rate 0.01": lambda network: Adam(network, learning_rate=0.01),
}

if __name__ == "__main__":
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4))
    for name, make_optimizer in OPTIMIZERS.items():
        losses, accuracies = train_network(make_optimizer, digits)
        left.semilogy(range(1, 21), losses, label=name)
        right.plot(range(1, 21), accuracies)
        print(f"{name:28} loss {losses[-1]:.4f}, test accuracy {accuracies[-1]:.3f}")
    left.set(xlabel="epoch", ylabel="loss on the training images", xticks=range(0, 21, 5))
    right.set(xlabel="epoch", ylabel="accuracy on the test images", xticks=range(0, 21, 5))
    right.set_ylim(0.8, 1.0)
    left.legend()
    plt.show()

# %% [markdown]
# Momentum and Adam classify at least 95 of 100 unseen images after 20 epochs. Plain SGD at the same
# rate is behind: where gradients agree its steps are a tenth of those of momentum. Look at the
# second half of the curves. The loss on the training images goes on falling, to a fraction of what
# it was at epoch 10, while the accuracy on the test images hardly rises: from there on the network
# mostly learns the training images by heart. The curve that counts is the one on the right.
#
# Now the question that decides more than the choice of the optimizer: which rate? We train for five
# epochs at each of eleven rates and draw the loss at the end.

# %%
if __name__ == "__main__":
    rates = np.geomspace(1e-4, 10, 11)
    families = {
        "SGD": lambda network, rate: SGD(network, rate),
        "momentum 0.9": lambda network, rate: SGD(network, rate, 0.9),
        "Adam": lambda network, rate: Adam(network, rate),
    }
    plt.figure()
    for name, make in families.items():
        runs = [train_network(lambda n, r=r, f=make: f(n, r), digits, epochs=5) for r in rates]
        plt.loglog(rates, [losses[-1] for losses, _ in runs], ".-", label=name)
    plt.axhline(math.log(10), color="0.6", linestyle=":", label="guessing, log(10)")
    plt.gca().set(xlabel="learning rate", ylabel="loss after 5 epochs", ylim=(None, 20))
    plt.legend(ncols=2, loc="upper left")
    plt.show()

# %% [markdown]
# Each curve is a valley. Left of it the steps are too short for five epochs; right of it training
# ends no better than guessing, and the slope is steep there. The valley of momentum lies about a
# factor of ten to the left of the one of plain SGD, which is the factor $1/(1-\mu)$ of section 2.
# Adam's lies still further left and is its own: rates do not carry over from one optimizer to
# another. Search on a logarithmic scale, and search again when the optimizer changes.
#
# **To think about.** Which optimizer has the lowest point of all in this figure, and which would
# you trust most if you could afford one single run? Train the digits with Adam at 0.1 and with a
# `StepLR` that divides the rate by 10 after ten epochs: what do you expect of the last ten?
