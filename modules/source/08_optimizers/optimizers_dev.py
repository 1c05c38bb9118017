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
# > Rules that turn gradients into new weights, and what production training puts around them.
#
# Backpropagation tells us, for every weight of a network, in which direction the loss rises and how
# steeply. The rule that turns gradients into new weights is the optimizer, and it decides whether
# training takes minutes, takes days, or fails.
#
# In this module we write those that most of deep learning rests on, as PyTorch defines them:
# gradient descent, SGD with momentum, and Adam. We add a learning-rate schedule, train a classifier
# of handwritten digits with our own code, and build the tools that tell how a training is doing and
# the features that let it survive in production. At the end you can write an optimizer from the
# equation in a paper, down to the details in which libraries differ.

# %% [markdown]
# ## Build, use, reflect
#
# - **Build.** Seven solution cells. Each states its rules in full, equation and convention
#   included.
# - **Use.** After every cell there is something to try at once. Demonstration cells are yours to
#   change.
# - **Reflect.** Each section ends with a question to think about. Three longer ones at the end are
#   answered in writing.
#
# A function or method you have not written raises `NotImplementedError` when it is called. Until
# then, Run All stops at the first demonstration that needs it.

# %% [markdown]
# ## Graded cells
#
# A graded cell is locked. Run it and it shows the points of each behaviour it checked, what it
# expected, what it got, and a hint. Each part has 3 seconds. It checks behaviour and never the way
# the code is written, and it checks nothing that the text does not say. When the notebook is
# graded, the same parts run on other numbers too, so an answer must be right for any input.
# (JupyterLab folds its source: a click unfolds it. The Validate button only tells which cells lose
# points; the tables tell why.)

# %% [markdown]
# ## A reality check
#
# - **The rules are those of PyTorch.** With the same settings, `torch.optim.SGD` and
#   `torch.optim.Adam` take the same steps as ours, to rounding.
# - **State costs memory.** In float32 a weight and its gradient take 8 bytes. Momentum makes it 12,
#   Adam 16. A model of 7 billion weights needs 112 GB for training with Adam, not counted what the
#   forward pass keeps for `backward()`.
# - **Adam leaves the learning rate alone.** It divides each element's step by the recent size of
#   that element's gradients; `learning_rate` changes only when we, or a schedule, change it.

# %% [markdown]
# ## Where this code lives
#
# The solution cells of this notebook are exported to `tinytorch.core.optimizers`, which imports two
# earlier modules and NumPy:
#
# - `tinytorch.core.tensor`: a `Tensor` owns a NumPy array, found in its `data`.
# - `tinytorch.core.autograd`: a `Variable` holds a `Tensor` (`data`) and its gradient (`grad`), and
#   `add`, `multiply`, `matmul` and their like build the graph that `backward()` walks.
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
import time  # noqa: F401
from collections import defaultdict  # noqa: F401
from collections.abc import Callable
from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: F401, UP035

import numpy as np

from tinytorch.core.autograd import Variable, add, divide, exp, log, matmul  # noqa: F401
from tinytorch.core.autograd import mean, multiply, power, relu, reshape  # noqa: F401
from tinytorch.core.autograd import sigmoid, softmax_cross_entropy, subtract, tanh  # noqa: F401
from tinytorch.core.autograd import transpose  # noqa: F401
from tinytorch.core.tensor import Tensor

# %% [markdown]
# Everything the cell above imports may be used in your solutions. One function of autograd is
# missing on purpose: imported, `sum` would hide Python's own. Call the method instead, `w.sum()`.
# The next cell prepares the figures; the exported module does without.

# %% nbgrader={"grade": false, "grade_id": "setup-figures", "locked": true, "schema_version": 3, "solution": false, "task": false}
if __name__ == "__main__":
    import matplotlib.pyplot as plt

    from tinytorch.figures import prepare_figures

    prepare_figures()

# %% [markdown]
# ## What optimizers are for
#
# Picture the loss as a landscape over the weights. The simplest rule takes a step against the
# gradient, of a length set by a learning rate $\eta$. Where the ground is nearly flat, gradients
# are small and so are the steps; across a narrow valley the gradient is large, and the walk jumps
# from wall to wall. Real networks have both, and one rate for all.
#
# Take the loss $L(w) = \frac{1}{2}(1 \cdot w_1^2 + 20 \cdot w_2^2)$. Its gradient is
# $(w_1, 20 w_2)$, and its second derivatives, 1 and 20, are the **curvatures** of the two
# directions. One step $w \leftarrow w - \eta \nabla L$ multiplies the first coordinate by
# $1 - \eta$ and the second by $1 - 20 \eta$: after $k$ steps a coordinate is its factor to the
# power $k$.

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
# At 0.01 the flat direction has not come half way in 60 steps. At 0.095 it moves well, and the
# steep one swings from side to side. Just above $2/20 = 0.1$ the steep direction grows without end.
# The larger the ratio $\kappa$ of the curvatures, the worse it gets: with the best fixed rate, each
# step multiplies the error by $(\kappa - 1)/(\kappa + 1)$. Two ways out:
#
# - **Momentum** remembers the direction. Swings across the valley cancel, steps along it add up; at
#   its best the factor becomes $(\sqrt\kappa - 1)/(\sqrt\kappa + 1)$.
# - **Adaptive rates** give each parameter a step of its own, from the size of its own gradients.

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
# read and must stay as it is: others may still need it. The reference, the course's own solution,
# also keeps the dtype of the parameter. Whether your arithmetic runs in float32 or in float64 costs
# no points, here and in all later cells.
#
# `Tensor(array)` and `Variable(array)` copy what they are given: what you write into the array
# afterwards does not reach them.

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

    Where ``parameter.grad`` is None the parameter stays as it is; NaN in a gradient is no reason to
    skip it. The gradient is read and never changed.

    References
    ----------
    A. Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées, 1847.
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
# Now the loss $L$, a bowl seen from above, this time walked by your code. `follow` records where
# the parameter goes (the mean of two numbers is half their sum, so the loss is the $L$ of before),
# and `draw_paths` shows the walk from above and the loss along it. We will use both again for
# momentum and Adam.

# %%
def draw_paths(paths):
    """Draw paths over the level lines of the bowl, and the loss along each of them."""
    figure, (bowl, curve) = plt.subplots(1, 2, figsize=(10, 3.6))
    x, y = np.meshgrid(np.linspace(-2.3, 2.3, 120), np.linspace(-1.4, 1.4, 120))
    loss = (CURVATURES[0] * x**2 + CURVATURES[1] * y**2) / 2
    bowl.contour(x, y, loss, np.geomspace(0.02, 20, 12), colors="0.8", zorder=0)
    for label, path in paths.items():
        bowl.plot(*path.T, ".-", label=label, linewidth=1, markersize=4)
        curve.semilogy(path**2 @ CURVATURES / 2, label=label)
    bowl.plot(0, 0, "k+", markersize=10)
    labels = [f"$w_{axis}$ (curvature {CURVATURES[axis - 1]:g})" for axis in (1, 2)]
    bowl.set(xlabel=labels[0], ylabel=labels[1], ylim=(-1.4, 1.4))
    curve.set(xlabel="step", ylabel="loss")
    lines = curve.get_legend_handles_labels()
    figure.legend(*lines, loc="upper center", ncols=3)
    plt.show()


# %%
CURVATURES = (1.0, 20.0)


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


def walk_with_gradient_descent(rate):
    """Walk the bowl with gradient_descent_step at this rate."""
    w = Variable([-2.0, 1.0])
    return follow(lambda: gradient_descent_step(w, rate), w)


if __name__ == "__main__":
    draw_paths({f"rate {rate}": walk_with_gradient_descent(rate) for rate in (0.01, 0.05, 0.095)})

# %% nbgrader={"grade": true, "grade_id": "test-gradient-descent", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Graded: gradient_descent_step, 10 points.
# What each part does stands in tinytorch/checks/for_08_optimizers/gradient_descent.py.
from tinytorch.checks.for_08_optimizers.gradient_descent import checks as gradient_descent_checks


def test_unit_gradient_descent_step():
    """Gradient descent: values, rates, shapes, missing and untouched gradients."""
    gradient_descent_checks.run(gradient_descent_step)


if __name__ == "__main__":
    gradient_descent_checks.show(gradient_descent_step)

# %% [markdown]
# **To think about.** In the figure the rate 0.05 wins at first and 0.095 later. Which of the two
# coordinates decides each phase? For which rate are the factors $1 - \eta$ and $1 - 20\eta$ of
# equal size, and why is the curve of 0.095 nearly straight?

# %% [markdown]
# ## 2 SGD with momentum
#
# **The problem.** In the valley, gradient descent swings across and creeps along. In practice the
# gradient is noisy as well: *stochastic* gradient descent (SGD) takes it from a small batch of
# samples, which is far cheaper than the full gradient and only roughly right.
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
# - **The optimizer keeps one velocity for each parameter**, not for a shape and not on the
#   parameter. Two weight matrices of the same shape have two velocities, and a second optimizer
#   over the same parameters begins with velocities of its own.
# - **A missing gradient is not a zero gradient.** A parameter whose `grad` is `None` took no part
#   in the loss. It stays, and so does its velocity: it does not coast. A gradient of zeros is no
#   missing one, and neither is one of NaN: a step that hides it hides the fault.
# - **`learning_rate` is read at each `step()`**, so that a schedule can change it in between. So is
#   `parameter.data`: somebody may have assigned other weights, say from a file. The velocity stays
#   then: it belongs to the parameter, not to its array.
#
# `zero_grad()` sets every gradient to `None` and touches nothing else. PyTorch does the same since
# version 2.0: `None` needs no memory, and unlike an array of zeros it cannot be taken for a
# gradient.

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
        As given. ``learning_rate`` is read at each ``step()``; ``momentum`` need not be.
    velocity : list or dict
        One entry per parameter, once a ``step()`` with ``momentum > 0`` has seen all gradients;
        the keys of a dict are up to you. It may be filled at construction or when first needed.

    Raises
    ------
    ValueError
        In the reference, for a setting outside its range. This is not graded.

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
        self.velocity = [np.zeros_like(p.data.data) for p in self.parameters if momentum > 0]
        self._scratch = np.zeros(0, np.uint8)  # memory for intermediate results of any dtype
        ### END SOLUTION

    def step(self) -> None:
        """Update every parameter that has a gradient.

        A parameter whose ``grad`` is None is skipped: neither it nor its velocity changes. The
        step starts from what ``parameter.data`` is now, also where it was assigned, and leaves a
        ``Tensor`` of its shape there. Gradients are read and never changed: neither their numbers
        nor the attribute ``grad``.
        """
        # TODO: update the velocity and the value of every parameter that has a gradient.
        # Hint: which arrays must survive from one call to the next, and does anyone else hold them?
        ### BEGIN SOLUTION
        # Python floats, because a NumPy scalar as rate would be computed with in float64.
        rate, momentum = float(self.learning_rate), float(self.momentum)
        if momentum > 0 and not self.velocity:  # it was switched on later
            self.velocity = [np.zeros_like(p.data.data) for p in self.parameters]
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            w, g = parameter.data.data, parameter.grad.data.data
            if self._scratch.size < w.nbytes:
                self._scratch = np.zeros(w.nbytes, np.uint8)
            s = self._scratch[: w.nbytes].view(w.dtype).reshape(w.shape)
            v = g
            if momentum > 0:
                # v <- momentum * v + g
                v = self.velocity[index]
                v *= momentum
                v += g
            # w <- w - learning_rate * v
            w -= np.multiply(v, rate, out=s)
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
# Graded: SGD, 15 points.
# What each part does stands in tinytorch/checks/for_08_optimizers/sgd.py.
from tinytorch.checks.for_08_optimizers.sgd import checks as sgd_checks


def test_unit_sgd_optimizer():
    """SGD: plain steps, momentum, changing rates, missing and untouched gradients."""
    sgd_checks.run(SGD)


if __name__ == "__main__":
    sgd_checks.show(SGD)

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
# of its square (the second moment $v$, which has nothing to do with the velocity of section 2). The
# step is $m$ divided by $\sqrt v$: direction from the first, and the unit of the gradient cancels.
# So each element moves by about $\eta$ a step where its gradients agree, and by less where they
# contradict each other.
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
# than six times, and after 3,000 steps it is still 2.6 % too long. The first of these are the steps
# that most easily ruin a network.

# %% [markdown]
# ### Epsilon
#
# $\epsilon$ keeps the division finite where gradients are 0. It stands **outside the root and after
# the correction**, as in PyTorch and in the paper's algorithm. Keras adds it before the correction
# is applied, and the fast.ai course adds it inside the root.
#
# With our placement $\epsilon$ shows where $\sqrt{\hat v}$ is not much larger: an element whose
# gradients are much smaller than $\epsilon$ moves by about $\eta\, \hat m / \epsilon$, less than
# $\eta$. Before the correction, $\epsilon$ counts 32 times as much in the first step; inside the
# root it acts like $\sqrt\epsilon = 10^{-4}$. Here is the length of the first step, in units of
# $\eta$:

# %%
if __name__ == "__main__":
    print("gradient    ours   before correction   inside root")
    for g in (1e-3, 1e-5, 1e-7):
        before, inside = g / (g + 1e-8 / 0.001**0.5), g / (g * g + 1e-8) ** 0.5
        print(f"{g:8.0e} {g / (g + 1e-8):7.4f} {before:19.4f} {inside:13.4f}")

# %% [markdown]
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
        As given. ``learning_rate`` is read at each ``step()``; the others need not be.
    m, v : list or dict
        First and second moments: one entry per parameter, once a ``step()`` has seen all gradients;
        the keys of a dict are up to you. They may be filled at construction or when first needed,
        and stay when other weights are assigned to ``parameter.data``.
    t : int
        Number of calls of ``step()``, 0 at first; one call counts once, however many parameters.

    Raises
    ------
    ValueError
        In the reference, for a setting outside its range. This is not graded.

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
        self.m = [np.zeros_like(p.data.data) for p in self.parameters]
        self.v = [np.zeros_like(p.data.data) for p in self.parameters]
        self.t = 0
        self._missed = [0] * len(self.parameters)  # calls of step() that met no gradient, of each
        self._scratch = np.zeros(0, np.uint8)  # memory for intermediate results of any dtype
        ### END SOLUTION

    def step(self) -> None:
        """Update every parameter that has a gradient, and count the call in ``t``.

        A parameter whose ``grad`` is None is skipped: neither it nor its moments change. The step
        starts from what ``parameter.data`` is now, also where it was assigned, and leaves a
        ``Tensor`` of its shape there. Gradients are read and never changed: neither their numbers
        nor the attribute ``grad``.
        """
        # TODO: count the call, then update moments and value of every parameter with a gradient.
        # Hint: with one gradient, far from epsilon in size, how long must the very first step be?
        ### BEGIN SOLUTION
        self.t += 1
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                self._missed[index] += 1
                continue
            w, g = parameter.data.data, parameter.grad.data.data
            m, v = self.m[index], self.v[index]
            n = self.t - self._missed[index]  # how many gradients m and v hold, as PyTorch counts
            if self._scratch.size < w.nbytes:
                self._scratch = np.zeros(w.nbytes, np.uint8)
            s = self._scratch[: w.nbytes].view(w.dtype).reshape(w.shape)
            # m <- beta1 * m + (1 - beta1) * g
            m *= self.beta1
            m += np.multiply(g, 1 - self.beta1, out=s)
            # v <- beta2 * v + (1 - beta2) * g * g
            v *= self.beta2
            np.multiply(g, g, out=s)
            v += np.multiply(s, 1 - self.beta2, out=s)
            # w <- w - learning_rate * (m / (1 - beta1**n)) / (sqrt(v / (1 - beta2**n)) + epsilon),
            # with both corrections moved to where they are numbers and no arrays
            root = math.sqrt(1 - self.beta2**n)
            np.sqrt(v, out=s)
            s += self.epsilon * root
            np.divide(m, s, out=s)
            w -= np.multiply(s, float(self.learning_rate) * root / (1 - self.beta1**n), out=s)
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
# for both: of a gradient only the sign matters. When the sign changes, $m$ becomes small while
# $\sqrt v$ does not, and the step shrinks.

# %%
if __name__ == "__main__":
    w = Variable([0.0, 0.0])
    optimizer = Adam([w], learning_rate=0.1)
    for gradient in ([1000.0, 0.001], [1000.0, 0.001], [-1000.0, 0.001]):
        w.grad = Variable(gradient)
        optimizer.step()
        print(f"t = {optimizer.t}, gradient {gradient}: w = {w.data.data.round(4)}")

# %% [markdown]
# The three optimizers on the bowl. Gradient descent follows the slope and zigzags. Momentum swings
# as well, and gains speed along the valley. At the start one slope is ten times the other. Adam
# does not see that: both coordinates begin with steps of the same length, along the diagonal.

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
# Here Adam is the last to arrive. Its first moment is a momentum of 0.9, which carries it past the
# minimum, and it spirals in slowly. With noisy gradients and a constant rate it would never settle;
# that is one reason for the schedules of the next section. What Adam buys shows when the problem
# changes. Set `CURVATURES` to 1 and 30 and run its cell and this picture again: Adam's path stays
# the same, and gradient descent, whose rate is now above $2/30$, leaves the picture.

# %% nbgrader={"grade": true, "grade_id": "test-adam", "locked": true, "points": 20, "schema_version": 3, "solution": false, "task": false}
# Graded: Adam, 20 points.
# What each part does stands in tinytorch/checks/for_08_optimizers/adam.py.
from tinytorch.checks.for_08_optimizers.adam import checks as adam_checks


def test_unit_adam_optimizer():
    """Adam: moments, correction, epsilon, counts, rates, missing and untouched gradients."""
    adam_checks.run(Adam)


if __name__ == "__main__":
    adam_checks.show(Adam)

# %% [markdown]
# **To think about.** Multiply the loss by 1000. How does the path of SGD change, and how that of
# Adam? What does it mean for Adam if the gradients of a network get smaller and smaller as training
# succeeds? And for which of the two does a penalty $\frac{\lambda}{2} w^2$ added to the loss still
# pull every weight to zero with a strength of $\eta\lambda w$? (Chapter 10 takes this up.)

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
# So calls 1 to $s$ set the initial rate, and the first drop comes on call $s + 1$. The rate is
# computed from $\eta_0$, the rate the optimizer had when the schedule was made, and not from what
# it is at the time.

# %% [markdown]
# ### One call earlier in PyTorch
#
# PyTorch's `StepLR` has $\lfloor n / s \rfloor$ in the exponent and drops on call $s$. Neither is
# wrong; they expect to be called at different times.
#
# - **Ours** is called at the *start* of an epoch, one pass over the data. Call $n$ sets the rate
#   for epoch $n$.
# - **PyTorch's** is called at the *end* of an epoch, after the optimizer's steps. Call $n$ sets the
#   rate for epoch $n + 1$.
#
# Used each in its own way, both give $s$ epochs at every rate. Used the other way round, every drop
# comes one epoch late or one epoch early. With $\eta_0 = 0.1$, $s = 3$ and $\gamma = 0.1$:

# %%
if __name__ == "__main__":
    print("call    ours, (n-1)//3    PyTorch, n//3")
    for n in range(1, 8):
        print(f"{n:4} {0.1 * 0.1 ** ((n - 1) // 3):16.4f} {0.1 * 0.1 ** (n // 3):16.4f}")

# %% nbgrader={"grade": false, "grade_id": "steplr-class", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class StepLR:
    """A staircase: every step_size calls the learning rate is lower by a factor of gamma.

    Parameters
    ----------
    optimizer : SGD or Adam
        Only its attribute ``learning_rate`` is used. Making a schedule does not change it.
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

    Raises
    ------
    ValueError
        In the reference, for a setting outside its range. This is not graded.

    Notes
    -----
    Call number n of ``step()`` sets ``optimizer.learning_rate`` to
    ``initial_lr * gamma ** ((n - 1) // step_size)``, whatever it was before. The first drop comes
    on call ``step_size + 1``; ``torch.optim.lr_scheduler.StepLR`` drops one call earlier.

    References
    ----------
    K. He et al., Deep Residual Learning for Image Recognition, 2016: on CIFAR-10 the rate is
    divided by 10 at steps 32,000 and 48,000.
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
        """Count the call in ``step_count`` and set the optimizer's rate, and nothing else of it."""
        # TODO: set the rate that belongs to this call.
        # Hint: how many drops lie behind call 1, call step_size and call step_size + 1?
        ### BEGIN SOLUTION
        self.step_count += 1
        drops = (self.step_count - 1) // self.step_size
        self.optimizer.learning_rate = float(self.initial_lr) * float(self.gamma) ** drops
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
# - **Warm-up** raises the rate linearly, $\eta_0 \min(1, t / T_w)$. (Goyal et al., 2017, who made
#   it popular, begin at the rate of a small batch and not at 0.) At first the weights are random
#   and gradients large and erratic, and Adam's averages rest on a handful of them. Short steps
#   bridge that time. Warm-up is usually followed by a decay: GPT-3 and Llama use a cosine.

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
    rates = []
    for _ in range(total):
        schedule.step()
        rates.append(schedule.get_lr())
    return rates


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
# Graded: StepLR, 10 points.
# What each part does stands in tinytorch/checks/for_08_optimizers/step_lr.py.
from tinytorch.checks.for_08_optimizers.step_lr import checks as step_scheduler_checks


def test_unit_step_scheduler():
    """StepLR: when it drops, by how much, what it keeps and what it leaves alone."""
    step_scheduler_checks.run(StepLR)


if __name__ == "__main__":
    step_scheduler_checks.show(StepLR)

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
# from training with your optimizers, each from the same start, and that one call takes well under a
# second: a part of the check trains up to four times, and has 3 seconds for it.

# %% nbgrader={"grade": false, "grade_id": "training-integration", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
def train_simple_model() -> tuple[float, float, float, float]:
    """Fit y = w * x + b to x = 1, 2, 3, 4, 5 and y = 2 * x + 1: with SGD, then with Adam.

    Prints progress: several lines with a number, for example the loss every 20 epochs.

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
    two as its parameters. What is returned is where the last ``step()`` has left them, as it is:
    no earlier place that was better, nothing rounded, and NaN where training ended there. The
    gradients come from ``backward()``. If ``step()`` or ``backward()`` did nothing, the fit must
    not come out right.

    The reference takes 60 epochs, one sample at a time, with ``SGD(learning_rate=0.01,
    momentum=0.9)`` and ``Adam(learning_rate=0.01)``. Choose batches, epochs, rates or a schedule
    as you like. One call must take well under a second.
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
# The graded cell also watches the training. It notes where the parameters are at the first step.
# Then it trains again with other parts in the place of yours: an `SGD.step` and an `Adam.step` that
# only set all parameters to one number, which must then be what you return; and a `backward` whose
# gradients are all NaN, "not a number", to see that nothing but `step()` moves the parameters.
# Nearly all that is computed from NaN is NaN, so it leaves a trace.

# %% nbgrader={"grade": true, "grade_id": "test-training-integration", "locked": true, "points": 25, "schema_version": 3, "solution": false, "task": false}
# Graded: train_simple_model, 25 points.
# What each part does stands in tinytorch/checks/for_08_optimizers/training.py.
from tinytorch.checks.for_08_optimizers.training import checks as training_checks


def test_module_unit_training():
    """Training: both fits, from the same start, by the student's optimizers and autograd."""
    training_checks.run(train_simple_model, SGD, Adam)


if __name__ == "__main__":
    training_checks.show(train_simple_model, SGD, Adam)

# %% [markdown]
# ### The same loop on real data
#
# The same four lines train a network that reads handwritten digits (Alpaydin and Kaynak, 1998):
# 1,400 images of 8 by 8 pixels to train on, 397 for the test.

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
    firsts = [np.flatnonzero(digits[1] == digit)[0] for digit in range(10)]
    plt.figure(figsize=(9, 1.2))
    plt.imshow(np.hstack([digits[0][first].reshape(8, 8) for first in firsts]), cmap="gray_r")
    plt.axis("off")
    plt.show()

# %% [markdown]
# The network, 64-32-10, has $64 \cdot 32 + 32 + 32 \cdot 10 + 10 = 2{,}410$ parameters. Weights
# start at random; the loss is the cross-entropy of the softmax.

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
def train_network(make_optimizer, data, epochs=10, batch_size=64, seed=0):
    """Train a network; return its loss and its test accuracy after each epoch."""
    images, labels, test_images, test_labels = data
    network = make_network(seed)
    optimizer = make_optimizer(network)
    rng = np.random.default_rng(seed)
    losses, accuracies = [], []
    for _ in range(epochs):
        order = rng.permutation(len(images))
        for batch in np.split(order, range(batch_size, len(order), batch_size)):
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
        left.semilogy(range(1, 11), losses, label=name)
        right.plot(range(1, 11), accuracies)
        print(f"{name:28} loss {losses[-1]:.4f}, test accuracy {accuracies[-1]:.3f}")
    left.set(xlabel="epoch", ylabel="loss on the training images")
    right.set(xlabel="epoch", ylabel="accuracy on the test images")
    right.set_ylim(0.8, 1.0)
    left.legend()
    plt.show()

# %% [markdown]
# All three classify at least 94 of 100 unseen images after 10 epochs. What decides more than the
# choice of the optimizer is the rate. We train for one epoch, 44 steps, at each of eight.

# %%
if __name__ == "__main__":
    rates = np.geomspace(1e-3, 3, 8)
    families = {
        "SGD": lambda rate: lambda network: SGD(network, rate),
        "momentum 0.9": lambda rate: lambda network: SGD(network, rate, momentum=0.9),
        "Adam": lambda rate: lambda network: Adam(network, rate),
    }
    plt.figure()
    for name, family in families.items():
        runs = [train_network(family(rate), digits, 1, batch_size=32) for rate in rates]
        plt.loglog(rates, [losses[-1] for losses, _ in runs], ".-", label=name)
    plt.axhline(math.log(10), color="0.6", linestyle=":", label="guessing, log(10)")
    plt.gca().set(xlabel="learning rate", ylabel="loss after 1 epoch", ylim=(None, 20))
    plt.legend(ncols=2, loc="upper left")
    plt.show()

# %% [markdown]
# Each curve is a valley, and momentum's lies to the left of plain SGD's: its steps are longer, by
# up to the factor $1/(1-\mu)$ of section 2. Rates do not carry over from one optimizer to another.
#
# **To think about.** Adam at 0.1 is past its lowest point. Where would that point of the curve move
# if a `StepLR` took the rate to 0.01 for the second half of the steps?

# %% [markdown]
# ## 6 The convergence profiler
#
# A loss that does not fall looks the same for many reasons. So after each call of the training step
# we write down four numbers, and compute everything else from these lists when the run is over. A
# profiler only watches: it moves no parameter, no gradient and no rate.

# %% [markdown]
# ### 6.1 What is recorded
#
# `training_function()` does one step and returns its loss. After each call we record the loss, the
# optimizer's rate (or the one just before the call), the duration in seconds, and the **global
# gradient norm** over all parameters $p$ that have a gradient, one root over everything:
#
# $$\lVert g \rVert = \sqrt{\sum_p \sum_i g_{p,i}^2}$$
#
# A step leaves its gradient in place for the profiler, and clears it at its beginning.
#
# A run ends after `max_steps` calls, or earlier: a step that raises any `Exception` ends it (what
# was recorded before stays), and so does a gradient norm above $10^6$, infinity included. A loss of
# NaN ends nothing, and a norm of NaN need not. Two things are left to you: whether the exploding
# step itself is recorded (the verdict on the gradients, below, must show it either way), and what a
# second run under the same name does to the record of the first.

# %% [markdown]
# ### 6.2 What is computed from the record
#
# Steps are counted from 0, and $L_k$ is the loss of step $k$. **Convergence step**: the first $k
# \ge 1$ with $|L_k - L_{k-1}| < 10^{-6}$, or None.
#
# **Stability**, from the mean $\bar L$ and the standard deviation $\sigma$ of the last 10 losses:
#
# $$s = \frac{1}{1 + \sigma / (|\bar L| + 10^{-8})}$$
#
# It lies in $[0, 1]$ and is 0.0 before there are 10 losses. Any other score of them with these
# properties, and higher for steadier runs, is as good. Where one of them is infinite or NaN, the
# score is up to you.
#
# **Gradient health**, the first line that applies:
#
# | verdict | when |
# |---|---|
# | `"exploding"` | a norm was above $10^6$, infinite or NaN, recorded or not |
# | `"unknown"` | no step was recorded |
# | `"vanishing"` | the mean norm is below $10^{-8}$ |
# | `"unstable"` | standard deviation / mean of the norms is above 2 |
# | `"healthy"` | otherwise |

# %% [markdown]
# ### 6.3 Comparing runs
#
# Four numbers compare runs: the convergence step (lower is better), the final loss (lower), the
# stability (higher), and the **efficiency**, the loss reduction per second (higher):
#
# $$e = \frac{L_\text{initial} - L_\text{final}}{\text{seconds of all steps}}$$
#
# A run that never converged ranks behind those that did; NaN, which compares false with everything,
# behind all numbers; a run that failed in its first step must not crash anything. Of two equal
# values either may come first.
#
# The best overall is the run with the best places in all four rankings together. How you weigh the
# places is up to you, with two conditions: a run that leads all four rankings must win; and where
# three runs are compared, one that leads three of the rankings must win, even if it is last in the
# fourth. (The reference adds up the places in the first three rankings; of equal sums, the run with
# more first places wins.)

# %% [markdown]
# ### 6.4 How sensitive is it to the rate?
#
# Each rate trains from the same start: `training_function(lr, steps)` returns two lists, losses and
# gradient norms. A rate at which the training raises, or returns nothing, counts as loss infinity
# and as an explosion, and the sweep goes on. The best rate has the lowest *finite* final loss among
# the runs that did not explode, and
#
# $$\text{optimal range} = \left(\tfrac{1}{10}\,\eta_\text{best},\; 10\,\eta_\text{best}\right)$$
#
# is where a finer search should look; it is None where no run qualifies.

# %% [markdown]
# ### 6.5 How much memory?
#
# Every parameter, its gradient and each number the optimizer keeps for it is a float32 of 4 bytes.
# We write MB for $2^{20}$ bytes and count model state only, no activations.
#
# | optimizer | bytes of parameter + gradient + state |
# |---|---|
# | SGD | 4 + 4 + 0 = 8 |
# | SGD with momentum | 4 + 4 + 4 = 12 |
# | Adam | 4 + 4 + 8 = 16 |

# %% [markdown]
# ### 6.6 From measurements to advice
#
# The last method turns whatever analyses it is given into lines of text under headings:
#
# | heading | when, and with what |
# |---|---|
# | `OPTIMIZER SELECTION GUIDE:` | always |
# | `LEARNING RATE GUIDANCE:` | given a range: both its ends, as numbers, to within 1 % |
# | `PRODUCTION DEPLOYMENT:` | always |
# | no heading asked for | given a comparison: the lines of its summary |
#
# Advice, without points: `CONVERGENCE OPTIMIZATION:` above the summary, `SCALING CONSIDERATIONS:`
# and `MONITORING & DEBUGGING:` complete it.
#
# Now write the class. Only the public methods are checked, by what they record and return, and of
# the attributes the four records; the others are yours to keep as you like, with these thresholds,
# and the helpers are a suggestion. Keep every record on the object (`self`): two profilers know
# nothing of each other.

# %% nbgrader={"grade": false, "grade_id": "convergence-profiler", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class OptimizerConvergenceProfiler:
    """Watch training runs, compare them, and turn the comparison into advice.

    Attributes
    ----------
    convergence_history, gradient_norms, learning_rates, step_times : dict of str to list of float
        By optimizer name, one number per recorded step: loss, global gradient norm, rate, seconds.
    memory_usage, convergence_rates, stability_scores : dict of str to float
        By optimizer name: MB of model state, and two entries of the profile.
    optimizer_rankings : dict of str to list of str
        The rankings of the last comparison.
    hyperparameter_suggestions : dict of str to dict
        By optimizer class: the range of rates found by the last sweep.
    convergence_threshold : float
        1e-6; a loss that changes by less has converged.
    stability_window : int
        10; the number of last losses that stability looks at.
    gradient_explosion_threshold : float
        1e6; a gradient norm above it is an explosion.
    """

    def __init__(self) -> None:
        """Start with empty records, which belong to this object alone."""
        # TODO: begin the four records, and what else you keep.
        ### BEGIN SOLUTION
        self.convergence_history: dict[str, list[float]] = {}
        self.gradient_norms: dict[str, list[float]] = {}
        self.learning_rates: dict[str, list[float]] = {}
        self.step_times: dict[str, list[float]] = {}
        self.memory_usage: dict[str, float] = {}
        self.convergence_rates: dict[str, float] = {}
        self.stability_scores: dict[str, float] = {}
        self.optimizer_rankings: dict[str, list[str]] = {}
        self.hyperparameter_suggestions: dict[str, dict] = {}
        self.convergence_threshold = 1e-6
        self.stability_window = 10
        self.gradient_explosion_threshold = 1e6
        self._profiles: dict[str, dict[str, Any]] = {}
        ### END SOLUTION

    def profile_optimizer_convergence(
        self, optimizer_name: str, optimizer: "SGD | Adam",
        training_function: Callable[[], float], initial_loss: float, max_steps: int = 100,
    ) -> dict[str, Any]:
        """Train for some steps, record each, and sum the run up.

        Parameters
        ----------
        optimizer_name : str
            The name of the run in all records.
        optimizer : SGD or Adam
            Whose `parameters` and `learning_rate` are watched; nothing of it is changed.
        training_function : callable
            Called without arguments: does one step, leaves its gradients, returns its loss.
        initial_loss : float
            The loss before the first step.
        max_steps : int, default 100
            The largest number of calls, at least 0. A call that raises any `Exception` ends the
            run, and what was recorded stays; so does a gradient norm over
            `gradient_explosion_threshold`, infinity included. A loss of NaN does not end it.

        Returns
        -------
        dict
            ``optimizer_name``; ``total_steps`` recorded; ``convergence_step``: the first step,
            counted from 0, whose loss differs from the one of the step before by less than
            `convergence_threshold` in absolute value, or None; ``final_loss``: the last recorded;
            ``initial_loss``, as given; ``loss_reduction``: initial minus final loss (not graded:
            that the initial loss is the given one, and not the first recorded one);
            ``convergence_rate``: loss reduction / total steps; ``stability_score``, from 0 to 1;
            ``average_step_time`` in seconds; ``gradient_health``: "unknown", "exploding",
            "vanishing", "unstable" or "healthy". More keys are welcome: why the run ended, say.

        Notes
        -----
        Without a recorded step `total_steps` is 0, and the health unknown unless the first step
        exploded and was not recorded. The reference then gives an infinite final loss and 0.0 for
        the other numbers, and you may give others.
        """
        # TODO: record every step in the four lists, then return the profile of the run.
        # Hint: what should the four lists hold when step 7 raises?
        ### BEGIN SOLUTION
        losses = self.convergence_history[optimizer_name] = []
        norms = self.gradient_norms[optimizer_name] = []
        rates = self.learning_rates[optimizer_name] = []
        times = self.step_times[optimizer_name] = []
        stopped_by = None
        for step in range(max_steps):
            start = time.perf_counter()
            try:
                loss = float(training_function())
            except Exception as error:  # it ends this run, not the comparison
                stopped_by = f"step {step} raised {error!r}"
                break
            times.append(time.perf_counter() - start)
            losses.append(loss)
            norms.append(self._gradient_norm(optimizer.parameters))
            rates.append(float(optimizer.learning_rate))
            if norms[-1] > self.gradient_explosion_threshold:
                stopped_by = f"the gradient norm was {norms[-1]:.3g} at step {step}"
                break
        size = sum(parameter.data.data.size for parameter in optimizer.parameters)
        self.memory_usage[optimizer_name] = self.estimate_memory_usage(optimizer, size)["total_mb"]
        profile = {**self._profile(optimizer_name, float(initial_loss)), "stopped_by": stopped_by}
        self._profiles[optimizer_name] = dict(profile)
        return profile
        ### END SOLUTION

    def compare_optimizers(self, profiles: dict[str, dict]) -> dict[str, Any]:
        """Rank runs that this object has profiled.

        Parameters
        ----------
        profiles : dict of str to dict
            By optimizer name, what `profile_optimizer_convergence` returned; may be empty, and a
            run may have no step. Only these are compared, and what an earlier call returned stays
            as it was. (The reference takes profiles with some of the keys, too, and
            looks the others up in its records; without them the run ranks last.)

        Returns
        -------
        dict
            ``convergence_speed`` (convergence step), ``final_performance`` (final loss),
            ``stability``, ``efficiency`` (loss reduction per second): each a dict from name to
            value, where a run without such a value may be missing or hold a stand-in.
            ``rankings``: for each of these four keys the names, best first: low speed values and
            losses, high stability and efficiency. A run that did not converge ranks behind those
            that did, and NaN behind all numbers.
            ``recommendations``: a dict whose ``"summary"`` is a list of lines that begin, after
            any symbol you like, with "Best overall optimizer: NAME", "Fastest convergence: NAME",
            "Most stable training: NAME", "Most compute-efficient: NAME"; the last three name the
            first of a ranking. A run that leads all four rankings must be the best overall. Of
            three runs, so must one that leads three of the rankings, wherever it is in the fourth.
        """
        # TODO: fill the four tables, rank each of them, and name the winners.
        # Hint: what does sorted do with NaN? What would you have it do?
        ### BEGIN SOLUTION
        speed, loss, stability, efficiency = {}, {}, {}, {}
        for name, given in profiles.items():
            profile = {**self._profiles.get(name, {}), **given}
            if "convergence_step" in profile:
                step = profile["convergence_step"]
                speed[name] = math.inf if step is None else step
            if "final_loss" in profile:
                loss[name] = profile["final_loss"]
            if "stability_score" in profile:
                stability[name] = profile["stability_score"]
            if {"loss_reduction", "average_step_time", "total_steps"} <= set(profile):
                seconds = profile["average_step_time"] * profile["total_steps"]
                efficiency[name] = profile["loss_reduction"] / seconds if seconds else math.nan
        by_loss = self._ranked(list(profiles), loss)  # decides where another table has a tie
        self.optimizer_rankings = {
            "convergence_speed": self._ranked(by_loss, speed),
            "final_performance": by_loss,
            "stability": self._ranked(by_loss, stability, highest_first=True),
            "efficiency": self._ranked(by_loss, efficiency, highest_first=True),
        }
        return {
            "convergence_speed": speed,
            "final_performance": loss,
            "stability": stability,
            "efficiency": efficiency,
            "rankings": self.optimizer_rankings,
            "recommendations": {"summary": self._summary(self.optimizer_rankings, speed)},
        }
        ### END SOLUTION

    def analyze_learning_rate_sensitivity(
        self, optimizer_class: type, learning_rates: list[float],
        training_function: Callable[[float, int], tuple[list[float], list[float]]],
        steps: int = 50,
    ) -> dict[str, Any]:
        """Train once at each rate, and find the range that is worth a finer search.

        Parameters
        ----------
        optimizer_class : type
            SGD or Adam: names the result; the training function makes the optimizer.
        learning_rates : list of float
            The rates to try.
        training_function : callable
            ``training_function(lr, steps)`` trains from a fresh start and returns two lists, the
            losses and the gradient norms. It may raise, or return None or two empty lists.
        steps : int, default 50
            Passed on to the training function.

        Returns
        -------
        dict
            Lists with one entry per rate, in the order given: ``learning_rates``;
            ``final_losses``; ``convergence_steps`` (as in a profile; any value for a run that did
            not converge); ``stability_scores`` (as in a profile); ``gradient_explosions`` (True
            where a norm was over the threshold, infinity included; advice: or NaN). A run that
            raised or returned nothing has the final loss inf, the stability 0.0, and counts as an
            explosion.
            ``optimal_range``: (best / 10, best * 10), where the best rate has the lowest finite
            final loss without an explosion, or None where there is none.
            ``recommendations``: a list of lines about the result.
        """
        # TODO: train at every rate, keep the lists aligned, and derive the range.
        # Hint: the lowest final loss of all may belong to a run that cannot be trusted.
        ### BEGIN SOLUTION
        runs = [self._run_at(rate, steps, training_function) for rate in learning_rates]
        final_losses = [losses[-1] if losses else math.inf for losses, _ in runs]
        limit = self.gradient_explosion_threshold
        explosions = [
            not losses or any(not norm <= limit for norm in norms) for losses, norms in runs
        ]
        trusted = [
            (loss, rate)
            for loss, rate, exploded in zip(final_losses, learning_rates, explosions, strict=True)
            if math.isfinite(loss) and not exploded
        ]
        best = min(trusted)[1] if trusted else None
        optimal_range = (best / 10, best * 10) if trusted else None
        name = getattr(optimizer_class, "__name__", str(optimizer_class))
        self.hyperparameter_suggestions[name] = {"learning_rate_range": optimal_range}
        return {
            "learning_rates": list(learning_rates),
            "final_losses": final_losses,
            "convergence_steps": [self._convergence_step(losses) for losses, _ in runs],
            "stability_scores": [self._stability(losses) for losses, _ in runs],
            "gradient_explosions": explosions,
            "optimal_range": optimal_range,
            "recommendations": self._rate_advice(best, learning_rates, explosions),
        }
        ### END SOLUTION

    def estimate_memory_usage(
        self, optimizer: "SGD | Adam", num_parameters: int
    ) -> dict[str, float]:
        """Estimate the model state of a training in float32, with MB for 2**20 bytes.

        Parameters
        ----------
        optimizer : SGD or Adam
            Its kind decides the state: nothing for SGD, one number per parameter with momentum,
            two for Adam.
        num_parameters : int
            The number of parameters. Advice: for 0 all amounts are 0.0, and nothing raises.

        Returns
        -------
        dict
            ``parameters_mb``, ``gradients_mb``, ``optimizer_state_mb``, ``total_mb`` (their sum),
            ``memory_efficiency`` (parameters / total), ``overhead_ratio`` (state / parameters).
        """
        # TODO: count the bytes of parameters, gradients and state.
        # Hint: do the two ratios depend on the number of parameters at all?
        ### BEGIN SOLUTION
        parameters = num_parameters * 4 / 2**20
        if hasattr(optimizer, "beta2"):  # Adam, or one that takes its steps
            copies = 2
        else:
            copies = 1 if optimizer.momentum > 0 else 0
        return {
            "parameters_mb": parameters,
            "gradients_mb": parameters,
            "optimizer_state_mb": copies * parameters,
            "total_mb": (2 + copies) * parameters,
            "memory_efficiency": 1 / (2 + copies),
            "overhead_ratio": float(copies),
        }
        ### END SOLUTION

    def generate_production_recommendations(self, analysis_results: dict[str, Any]) -> list[str]:
        """Turn analyses into advice.

        Parameters
        ----------
        analysis_results : dict
            Any of ``"learning_rate_analysis"`` (what `analyze_learning_rate_sensitivity` returned),
            ``"convergence_comparison"`` (what `compare_optimizers` returned), ``"memory_analysis"``
            (by name, what `estimate_memory_usage` returned); none of them is needed.

        Returns
        -------
        list of str
            Always with the headings "OPTIMIZER SELECTION GUIDE:" and "PRODUCTION DEPLOYMENT:";
            with a learning-rate analysis that found a range also "LEARNING RATE GUIDANCE:" and both
            ends of it, as numbers, to within 1 %; with a comparison also the lines of its
            summary. Advice: "CONVERGENCE OPTIMIZATION:" above these lines, "SCALING
            CONSIDERATIONS:" and "MONITORING & DEBUGGING:" complete it.
        """
        # TODO: return the headings and, below them, what the analyses say.
        ### BEGIN SOLUTION
        rates = analysis_results.get("learning_rate_analysis")
        comparison = analysis_results.get("convergence_comparison")
        lines = [
            "OPTIMIZER SELECTION GUIDE:",
            "  Adam: a good first choice, forgiving about the rate; 16 bytes per parameter.",
            "  SGD with momentum: 12 bytes per parameter; often as good or better once tuned.",
        ]
        if rates:
            lines.append("LEARNING RATE GUIDANCE:")
            if rates.get("optimal_range"):
                lines.append("  Search from {:.3g} to {:.3g}.".format(*rates["optimal_range"]))
            lines += [f"  {line}" for line in rates.get("recommendations", [])]
        if comparison:
            lines.append("CONVERGENCE OPTIMIZATION:")
            summary = comparison.get("recommendations", {}).get("summary", [])
            lines += [f"  {line}" for line in summary]
        lines += ["SCALING CONSIDERATIONS:", "  A larger batch needs the rate tuned again."]
        for name, memory in analysis_results.get("memory_analysis", {}).items():
            if "total_mb" in memory:
                lines.append(f"  {name}: {memory['total_mb']:.3g} MB of model state.")
        return lines + [
            "PRODUCTION DEPLOYMENT:",
            "  Save the optimizer's state and the schedule's counter with the parameters.",
            "  Warm up, clip the global norm, and skip steps with infinite or NaN gradients.",
            "MONITORING & DEBUGGING:",
            "  Log loss, gradient norm and rate at every step; compare with the runs before.",
        ]
        ### END SOLUTION

    def _gradient_norm(self, parameters: list[Variable]) -> float:
        """Return the root of the sum of squares over all gradients there are."""
        # TODO: return the global norm as a float; parameters without a gradient add nothing.
        # Hint: the square of 1e20 does not fit into float32.
        ### BEGIN SOLUTION
        gradients = [p.grad.data.data for p in parameters if p.grad is not None]
        return math.sqrt(sum(float(np.sum(np.square(g, dtype=np.float64))) for g in gradients))
        ### END SOLUTION

    def _convergence_step(self, losses: list[float]) -> int | None:
        """Return the first step whose loss is that of the step before, within the threshold."""
        # TODO: return the step, counted from 0, or None.
        ### BEGIN SOLUTION
        for step in range(1, len(losses)):
            if abs(losses[step] - losses[step - 1]) < self.convergence_threshold:
                return step
        return None
        ### END SOLUTION

    def _stability(self, losses: list[float]) -> float:
        """Return how steady the last losses are: 0.0 before the window is full, at most 1.0."""
        # TODO: return the score of the last window.
        ### BEGIN SOLUTION
        recent = np.asarray(losses[-self.stability_window :], dtype=np.float64)
        if len(recent) < self.stability_window or not np.all(np.isfinite(recent)):
            return 0.0
        return float(1 / (1 + recent.std() / (abs(recent.mean()) + 1e-8)))
        ### END SOLUTION

    def _gradient_health(self, norms: list[float]) -> str:
        """Return the verdict on a run's gradient norms, by the table in 6.2."""
        # TODO: return one of the five verdicts.
        ### BEGIN SOLUTION
        if not norms:
            return "unknown"
        if not np.all(np.isfinite(norms)) or max(norms) > self.gradient_explosion_threshold:
            return "exploding"
        mean, spread = np.mean(norms), np.std(norms)
        if mean < 1e-8:
            return "vanishing"
        return "unstable" if spread / mean > 2 else "healthy"
        ### END SOLUTION

    def _profile(self, name: str, initial_loss: float) -> dict[str, Any]:
        """Return the profile of a recorded run."""
        # TODO: return the ten entries that profile_optimizer_convergence promises.
        ### BEGIN SOLUTION
        losses, times = self.convergence_history[name], self.step_times[name]
        steps = len(losses)
        reduction = initial_loss - losses[-1] if losses else 0.0
        self.convergence_rates[name] = reduction / steps if losses else 0.0
        self.stability_scores[name] = self._stability(losses)
        return {
            "optimizer_name": name,
            "total_steps": steps,
            "convergence_step": self._convergence_step(losses),
            "final_loss": losses[-1] if losses else math.inf,
            "initial_loss": initial_loss,
            "loss_reduction": reduction,
            "convergence_rate": self.convergence_rates[name],
            "stability_score": self.stability_scores[name],
            "average_step_time": sum(times) / steps if losses else 0.0,
            "gradient_health": self._gradient_health(self.gradient_norms[name]),
        }
        ### END SOLUTION

    def _ranked(
        self, names: list[str], values: dict[str, float], highest_first: bool = False
    ) -> list[str]:
        """Return the names by their values, best first, with NaN behind all numbers."""
        # TODO: return the sorted names.
        ### BEGIN SOLUTION
        sign = -1 if highest_first else 1
        known = {name: sign * values.get(name, math.nan) for name in names}
        return sorted(names, key=lambda name: (math.isnan(known[name]), known[name]))
        ### END SOLUTION

    def _summary(self, rankings: dict[str, list[str]], speed: dict[str, float]) -> list[str]:
        """Return the four lines that name the winners, or none where there was no run."""
        # TODO: return the summary's lines.
        # Hint: add up a run's places; which sum is best, and what do you do when two are equal?
        ### BEGIN SOLUTION
        if not rankings["final_performance"]:
            return []
        first = {metric: ranking[0] for metric, ranking in rankings.items()}
        timeless = [ranking for metric, ranking in rankings.items() if metric != "efficiency"]

        def merit(name: str) -> tuple[int, int]:
            places = [ranking.index(name) for ranking in timeless]
            return sum(places), -places.count(0)

        fastest = first["convergence_speed"]
        converged = math.isfinite(speed.get(fastest, math.inf))
        note = "" if converged else ", though no run converged within its steps"
        return [
            f"Best overall optimizer: {min(rankings['final_performance'], key=merit)}",
            f"Fastest convergence: {fastest}{note}",
            f"Most stable training: {first['stability']}",
            f"Most compute-efficient: {first['efficiency']}",
        ]
        ### END SOLUTION

    def _run_at(self, rate: float, steps: int, training_function: Any) -> tuple[list, list]:
        """Return the losses and norms of one run of a sweep; two empty lists if it failed."""
        # TODO: return two lists, whatever the training function does.
        ### BEGIN SOLUTION
        try:
            losses, norms = training_function(rate, steps)
            return [float(loss) for loss in losses], [float(norm) for norm in norms]
        except Exception:  # whatever it raises: a failed rate is a result, and the sweep goes on
            return [], []
        ### END SOLUTION

    def _rate_advice(
        self, best: float | None, rates: list[float], explosions: list[bool]
    ) -> list[str]:
        """Return lines about the best rate of a sweep and the rates that failed."""
        # TODO: return at least one line.
        ### BEGIN SOLUTION
        if best is None:
            return ["No rate trained without an explosion: try lower ones."]
        lines = [f"The best rate of the sweep is {best:.3g}."]
        if len(rates) > 1 and best in (min(rates), max(rates)):
            lines.append("It lies at the edge of the sweep: extend the sweep on that side.")
        failed = [rate for rate, exploded in zip(rates, explosions, strict=True) if exploded]
        if failed:
            lines.append(f"Training failed or exploded at {', '.join(f'{r:.3g}' for r in failed)}.")
        return lines
        ### END SOLUTION


# %% [markdown]
# **Method by method.** Begin with `__init__` and the helpers at the end of the class: the first
# three methods need them, and `compare_optimizers` is checked with profiles of yours. Then write
# one method, run the class and its line below: it shows what the checks say of that method alone.
# Nothing counts yet; the graded cell follows at the end of the section.

# %%
from tinytorch.checks.for_08_optimizers.profiler import checks as profiler_checks

if __name__ == "__main__":
    profiler_checks.show(OptimizerConvergenceProfiler, about="profile_optimizer_convergence")

# %%
if __name__ == "__main__":
    profiler_checks.show(OptimizerConvergenceProfiler, about="compare_optimizers")

# %%
if __name__ == "__main__":
    profiler_checks.show(OptimizerConvergenceProfiler, about="analyze_learning_rate_sensitivity")

# %%
if __name__ == "__main__":
    profiler_checks.show(OptimizerConvergenceProfiler, about="estimate_memory_usage")

# %%
if __name__ == "__main__":
    profiler_checks.show(OptimizerConvergenceProfiler, about="generate_production_recommendations")

# %% [markdown]
# ### 6.7 The profiler at work
#
# Three optimizers train the digits network from the same start, on every fourth image. All 450 of
# these are in every step, so that the curves show the optimizer and not the luck of the batches.
# `train_step` clears the gradients first, so that they are still there when the profiler looks. The
# first loss is that of a network that knows nothing, about $\ln 10 \approx 2.3$.

# %%
def digits_network(data):
    """Make a fresh 64-32-10 network; return its parameters and a function from rows to the loss."""
    images, labels = data
    network = make_network()

    def loss_on(rows):
        return softmax_cross_entropy(scores_of(network, images[rows]), labels[rows])

    return network, loss_on


def start_digits_run(data, make_optimizer):
    """Return an optimizer on a fresh network, and a function that trains it for one step."""
    parameters, loss_on = digits_network(data)
    optimizer = make_optimizer(parameters)

    def train_step():
        optimizer.zero_grad()
        loss = loss_on(slice(None))
        loss.backward()
        optimizer.step()
        return loss.item()

    return optimizer, train_step


# %%
if __name__ == "__main__":
    all_digits = load_digits()
    some_digits = all_digits[0][::4], all_digits[1][::4]
    candidates = {
        "SGD": lambda parameters: SGD(parameters, learning_rate=0.1),
        "momentum": lambda parameters: SGD(parameters, learning_rate=0.1, momentum=0.9),
        "Adam": lambda parameters: Adam(parameters, learning_rate=0.01),
    }
    profiler, profiles, trained = OptimizerConvergenceProfiler(), {}, {}
    for name, make_optimizer in candidates.items():
        trained[name], train_step = start_digits_run(some_digits, make_optimizer)
        profiles[name] = profiler.profile_optimizer_convergence(
            name, trained[name], train_step, initial_loss=np.log(10), max_steps=100
        )

# %% [markdown]
# The norm of the gradient is a second witness. For plain SGD, after a first drop it stays level for
# forty steps: the run is slow, not done. With momentum it ripples between steps 20 and 55, as the
# weights overshoot and come back, where the loss shows nothing.

# %%
if __name__ == "__main__":
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    for name in candidates:
        left.semilogy(profiler.convergence_history[name], label=name)
        right.semilogy(profiler.gradient_norms[name], label=name)
    left.set(title="Loss", xlabel="step")
    right.set(title="Global gradient norm", xlabel="step")
    left.legend()
    plt.show()

# %% [markdown]
# The same runs in numbers. None of them "converged": with a threshold of $10^{-6}$ per step that
# takes far longer than 100 steps here, and a good classifier does not need it.

# %%
if __name__ == "__main__":
    print(f"{'':10}{'final loss':>12}{'stability':>11}{'ms/step':>9}  gradients")
    for name, profile in profiles.items():
        print(
            f"{name:10}{profile['final_loss']:12.4f}{profile['stability_score']:11.3f}"
            f"{1000 * profile['average_step_time']:9.2f}  {profile['gradient_health']}"
        )
    print(*profiler.compare_optimizers(profiles)["recommendations"]["summary"], sep="\n")

# %% [markdown]
# Now the sweep. The training function profiles a short run at the given rate, and hands over what
# the profiler recorded. It has the same 450 images: what counts is the shape of the curve.

# %%
def sweep_digits(data, optimizer_class, rates, steps=20):
    """Analyze a logarithmic grid of rates on the digits."""

    def train(rate, steps):
        probe = OptimizerConvergenceProfiler()
        optimizer, train_step = start_digits_run(data, lambda p: optimizer_class(p, rate))
        probe.profile_optimizer_convergence("run", optimizer, train_step, np.log(10), steps)
        return probe.convergence_history["run"], probe.gradient_norms["run"]

    return OptimizerConvergenceProfiler().analyze_learning_rate_sensitivity(
        optimizer_class, rates, train, steps
    )


if __name__ == "__main__":
    rates = [float(rate) for rate in np.logspace(-3, 0.5, 8)]
    for kind in (SGD, Adam):
        found = sweep_digits(some_digits, kind, rates)
        (line,) = plt.loglog(rates, found["final_losses"], "o-", label=kind.__name__)
        plt.axvspan(*found["optimal_range"], alpha=0.12, color=line.get_color())
    plt.axhline(np.log(10), color="gray", linestyle=":", label="knows nothing")
    plt.xlim(0.9 * rates[0], 1.1 * rates[-1])
    plt.xlabel("learning rate")
    plt.ylabel("loss after 20 steps")
    plt.legend()
    plt.show()

# %% [markdown]
# Both curves fall to a bottom, and rise steeply where the steps become too long. The shaded ranges,
# a factor of 10 on either side of the best rate, include rates that fail: they are where to search,
# not what to trust.
#
# And the memory, for this network and for one with 7 billion parameters. (Its last line is the 112
# GB of the reality check: there 1 GB is $10^9$ bytes, here 1 MB is $2^{20}$.)

# %%
if __name__ == "__main__":
    kinds = {"SGD": SGD([]), "momentum": SGD([], momentum=0.9), "Adam": Adam([])}
    for size in (2_410, 7_000_000_000):
        for name, optimizer in kinds.items():
            memory = profiler.estimate_memory_usage(optimizer, size)
            print(f"{size:13,}  {name:9}{memory['total_mb']:14,.3f} MB", end="")
            print(f"  state/parameters {memory['overhead_ratio']:.0f}")

# %% [markdown]
# ### 6.8 Checks
#
# The next cell drives your profiler with scripted runs, whose losses and gradients are given, so
# that each rule is seen alone. Parts marked "-" carry no points: they look at the rules that 6 and
# the docstrings call advice.

# %% nbgrader={"grade": true, "grade_id": "test-convergence-profiler", "locked": true, "points": 30, "schema_version": 3, "solution": false, "task": false}
# Graded: OptimizerConvergenceProfiler, 30 points.
# What each part does stands in tinytorch/checks/for_08_optimizers/profiler.py.
from tinytorch.checks.for_08_optimizers.profiler import checks as profiler_checks


def test_unit_convergence_profiler():
    """Profiler: record, verdicts, comparison, sweep, memory, recommendations."""
    profiler_checks.run(OptimizerConvergenceProfiler)


if __name__ == "__main__":
    profiler_checks.show(OptimizerConvergenceProfiler)

# %% [markdown]
# **To think about.** A run with the rate $10^{-9}$ "converges" at step 1 by our definition. What
# does the convergence step really measure, and which second condition would you ask for before you
# call a run converged? Which of the four rankings would the change affect?

# %% [markdown]
# ## 7 Production features
#
# A training that runs for weeks needs more than the update rule: one bad batch can throw the
# parameters far away; the first steps are the most dangerous ones; the batch that trains best may
# not fit into memory; 16-bit gradients underflow; and many machines must agree on one gradient.
#
# Five small tools answer these five problems. Four of them change the gradient *between*
# `backward()` and `step()`, one changes the rate; none touches a parameter. They can be chained,
# and the order is part of the recipe:
#
# average (7.3, 7.5) → unscale (7.4) → clip (7.1) → set the rate (7.2) → `step()`
#
# An overflow must be looked for after averaging, when all machines see it. Clipping compares with a
# limit, so it needs the true gradient.

# %% [markdown]
# ### 7.1 Clipping by the global norm
#
# Take all gradients of all parameters as one long vector $g$. If it is longer than allowed, shorten
# it, and keep its direction:
#
# $$g \leftarrow g \cdot \frac{c}{\lVert g \rVert} \quad\text{only where}\quad \lVert g \rVert > c$$
#
# with $c$ = `max_norm` and the norm of 6.1. One factor for all parameters: clipping each parameter
# by its own norm, or each entry by its value, would turn the direction. The method returns the norm
# *before* clipping, which is what we want in a log; without any gradient it returns 0.0. A gradient
# whose norm is at most $c$ stays as it is. (PyTorch's `clip_grad_norm_` adds $10^{-6}$ to the
# divisor, which is as good.)

# %% [markdown]
# ### 7.2 Linear warm-up
#
# Section 4 drew the ramp and said what it is for; here it becomes a method. For step $t$ (counted
# from 0) and $T_w$ = `warmup_steps`:
#
# $$\eta(t) = \begin{cases}
# \eta_\text{base} \cdot t / T_w & t < T_w \\ \eta_\text{base} & t \ge T_w
# \end{cases}$$
#
# So the rate is 0 at step 0 and exactly $\eta_\text{base}$ from step $T_w$ on; with $T_w = 0$ there
# is no warm-up. The method *sets* `optimizer.learning_rate` and returns the same number. It is a
# pure function of its arguments: no state, so steps may be asked for in any order, as after a
# restart from a checkpoint.

# %% [markdown]
# ### 7.3 Gradient accumulation
#
# A batch that does not fit into memory can be cut into $k$ micro-batches of equal size, because the
# gradient of a mean is the mean of the gradients:
#
# $$g = \frac{1}{k} \sum_{j=1}^{k} g^{(j)}$$
#
# Each call adds a **copy** of every gradient to a buffer of the object and returns False; call
# number $k$ = `accumulation_steps` puts sum / $k$ into each `grad`, empties the buffers and returns
# True: time for a step. A parameter without a gradient in one micro-batch adds nothing there, so we
# still divide by $k$; and its mean is put back even if the *last* micro-batch left it with None.
#
# Micro-batches of different sizes must be weighted by their sizes; this method assumes equal ones.

# %% [markdown]
# ### 7.4 Mixed precision and loss scaling
#
# float16 needs half the memory and half the traffic of float32, but its smallest positive number is
# $2^{-24} \approx 6 \cdot 10^{-8}$ and its largest 65504. Small gradients become 0. The remedy:
# multiply the loss by a scale $S$ before `backward()`. By the chain rule all gradients grow by $S$,
# out of the range where they vanish; before the update they are divided by $S$ again, in float32:
#
# $$\nabla (S \cdot L) = S \cdot \nabla L, \qquad
# g \leftarrow \frac{g}{S} \quad\text{for any } S > 0$$
#
# Too large a scale overflows to infinity, and infinity minus infinity is NaN. So the method looks
# first: if any entry of any gradient is infinite or NaN, **every** `grad` becomes None and it
# returns False, which means: skip this step. Otherwise it unscales and returns True.
#
# In practice $S$ is a power of two, which changes exponents only, and adapts: the next chapter
# trains in float16.

# %% [markdown]
# ### 7.5 Averaging over machines
#
# In data-parallel training each of $N$ = `world_size` **ranks**, processes on one machine or on
# several, holds the same parameters and sees its own part of the batch. An **all-reduce** gives all
# ranks the same average
#
# $$g \leftarrow \frac{1}{N} \sum_{r=1}^{N} g_r$$
#
# and then all of them take the same step. Here we have one process (the next chapter starts
# several), and take the view of one rank whose peers hold the very same gradient. The mean of $N$
# equal gradients is that gradient: dividing once too often, or forgetting to divide, shows at once.
#
# Now write the class. The attributes are settings that a training loop may read; the methods take
# what they need as arguments. `max_grad_norm`, `warmup_steps` and `accumulation_steps` must be
# there; each of the others that you keep begins with the value listed. Only accumulation keeps
# anything from one call to the next, in this object: two objects share nothing, and neither leaves
# anything on a parameter.

# %% nbgrader={"grade": false, "grade_id": "advanced-optimizer-features", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class AdvancedOptimizerFeatures:
    """What stands between `backward()` and `step()` in production.

    Every method takes an optimizer and works on the `grad` of its `parameters`, or on its rate. A
    parameter whose `grad` is None is passed over, and no method changes a parameter.

    Attributes
    ----------
    max_grad_norm, clip_enabled : float, bool
        Settings of clipping: 1.0 and False.
    warmup_steps, warmup_factor, base_lr : int, float, float
        Settings of warm-up: 0, 0.1 and 0.001.
    accumulation_steps : int
        Micro-batches per step: 1.
    accumulated_gradients, accumulation_count : dict, int
        Sums of gradients, and the number of micro-batches in them: {} and 0.
    use_fp16, loss_scale, dynamic_loss_scaling : bool, float, bool
        Settings of mixed precision: False, 1.0 and False.
    world_size, rank : int
        The number of processes and which of them this is: 1 and 0.
    """

    def __init__(self) -> None:
        """Start with these settings and empty buffers, which belong to this object alone."""
        # TODO: set the attributes listed above.
        ### BEGIN SOLUTION
        self.max_grad_norm = 1.0
        self.clip_enabled = False
        self.warmup_steps = 0
        self.warmup_factor = 0.1
        self.base_lr = 0.001
        self.accumulation_steps = 1
        self.accumulated_gradients: dict[int, np.ndarray] = {}
        self.accumulation_count = 0
        self.use_fp16 = False
        self.loss_scale = 1.0
        self.dynamic_loss_scaling = False
        self.world_size = 1
        self.rank = 0
        ### END SOLUTION

    def apply_gradient_clipping(self, optimizer: "SGD | Adam", max_norm: float = 1.0) -> float:
        """Shorten the gradient to a largest length, and keep its direction.

        Parameters
        ----------
        optimizer : SGD or Adam
            Whose gradients are clipped together, by one norm over all parameters.
        max_norm : float, default 1.0
            The largest norm that is left as it is, above 0.

        Returns
        -------
        float
            The norm before clipping; 0.0 if there is no gradient.

        Notes
        -----
        ``g <- g * max_norm / norm`` where ``norm > max_norm``, with norm = the square root of the
        sum of g * g over all elements of all parameters. An infinite norm makes 0 of all finite
        elements, so look for infinite gradients before clipping.

        References
        ----------
        R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural Networks,
        2013.
        """
        # TODO: clip all gradients by their common norm, and return that norm.
        # Hint: how many numbers must you know before you may change the first gradient?
        ### BEGIN SOLUTION
        gradients = self._gradients(optimizer)
        squares = [float(np.sum(np.square(g.data.data, dtype=np.float64))) for g in gradients]
        norm = math.sqrt(sum(squares))
        if norm > max_norm:
            for gradient in gradients:
                gradient.data = Tensor(gradient.data.data * (float(max_norm) / norm))
        return norm
        ### END SOLUTION

    def apply_warmup_schedule(
        self, optimizer: "SGD | Adam", step: int, warmup_steps: int, base_lr: float
    ) -> float:
        """Set the rate of a linear warm-up.

        Parameters
        ----------
        optimizer : SGD or Adam
            Gets the rate as its `learning_rate`.
        step : int
            The step, counted from 0. The rate depends on the arguments alone, not on earlier calls.
        warmup_steps : int
            The first step with the full rate; 0 for no warm-up.
        base_lr : float
            The full rate, at least 0.

        Returns
        -------
        float
            The rate: base_lr * step / warmup_steps before `warmup_steps`, then base_lr.

        References
        ----------
        P. Goyal et al., Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, 2017. Their
        ramp begins at the rate of a small batch, this one at 0.
        """
        # TODO: set the rate of this step on the optimizer, and return it.
        # Hint: which steps must not divide by warmup_steps?
        ### BEGIN SOLUTION
        rate = base_lr * step / warmup_steps if step < warmup_steps else base_lr
        optimizer.learning_rate = rate
        return rate
        ### END SOLUTION

    def accumulate_gradients(self, optimizer: "SGD | Adam", accumulation_steps: int) -> bool:
        """Collect the gradient of one micro-batch; after the last, put the mean in place.

        Parameters
        ----------
        optimizer : SGD or Adam
            Whose gradients, of one micro-batch, are added to this object's buffers as copies: what
            happens to them afterwards does not matter.
        accumulation_steps : int
            The number of micro-batches per step, at least 1.

        Returns
        -------
        bool
            True on every call number `accumulation_steps`: then each parameter that had a gradient
            in any of these micro-batches holds sum / accumulation_steps as its `grad`, one that had
            none None or zeros, and counting and adding start again, perhaps with another
            `accumulation_steps`. Otherwise False; what is then in the gradients is up to you, since
            the caller clears them before the next micro-batch.

        Notes
        -----
        ``g = (g_1 + ... + g_k) / k``: the gradient of the mean loss of the whole batch, if all k
        micro-batches have the same size.
        """
        # TODO: add up copies of the gradients; on the last micro-batch leave their mean, and reset.
        # Hint: what is in the buffer if somebody changes the gradient array after your call?
        ### BEGIN SOLUTION
        for index, parameter in enumerate(optimizer.parameters):
            if parameter.grad is not None:
                total = self.accumulated_gradients.get(index, 0.0)
                self.accumulated_gradients[index] = total + parameter.grad.data.data
        self.accumulation_count += 1
        if self.accumulation_count < accumulation_steps:
            return False
        for index, total in self.accumulated_gradients.items():
            optimizer.parameters[index].grad = Variable(total / int(accumulation_steps))
        self.accumulated_gradients, self.accumulation_count = {}, 0
        return True
        ### END SOLUTION

    def simulate_mixed_precision(self, optimizer: "SGD | Adam", loss_scale: float = 1.0) -> bool:
        """Undo the loss scale, or call the step off.

        Parameters
        ----------
        optimizer : SGD or Adam
            Whose gradients are those of loss_scale times the loss.
        loss_scale : float, default 1.0
            Any positive number, also below 1.

        Returns
        -------
        bool
            False if any gradient holds an infinite or NaN entry: then every parameter's `grad` is
            None, and the caller skips the step. Otherwise True, with every gradient divided by
            `loss_scale`; also where the entries are finite and their sum or norm is not, and where
            there is no gradient at all.

        References
        ----------
        P. Micikevicius et al., Mixed Precision Training, 2018.
        """
        # TODO: look for entries that are not finite, then clear or unscale all gradients.
        # Hint: may you change any gradient before you have seen the last one?
        ### BEGIN SOLUTION
        gradients = self._gradients(optimizer)
        if not all(np.isfinite(gradient.data.data).all() for gradient in gradients):
            for parameter in optimizer.parameters:
                parameter.grad = None
            return False
        for gradient in gradients:
            gradient.data = Tensor(gradient.data.data / float(loss_scale))
        return True
        ### END SOLUTION

    def simulate_distributed_sync(self, optimizer: "SGD | Adam", world_size: int = 1) -> None:
        """Average the gradients over ranks that all hold the same ones.

        Parameters
        ----------
        optimizer : SGD or Adam
            Whose gradients become the mean over all ranks. The peers hold equal gradients, so the
            mean equals what was there (within 1e-6).
        world_size : int, default 1
            The number of ranks, this one included; at least 1.

        Notes
        -----
        ``g <- (g_1 + ... + g_N) / N``: a mean, not a sum.

        References
        ----------
        S. Li et al., PyTorch Distributed: Experiences on Accelerating Data Parallel Training, 2020.
        """
        # TODO: leave the mean over all ranks in every gradient.
        # Hint: the sum of world_size equal gradients is easy to know; is it the mean?
        ### BEGIN SOLUTION
        for gradient in self._gradients(optimizer):
            total = gradient.data.data * int(world_size)  # what an all-reduce of equal parts gives
            gradient.data = Tensor(total / int(world_size))
        ### END SOLUTION

    def _gradients(self, optimizer: "SGD | Adam") -> list[Variable]:
        """Return the gradients there are."""
        # TODO: return the gradients of all parameters that have one.
        ### BEGIN SOLUTION
        return [p.grad for p in optimizer.parameters if p.grad is not None]
        ### END SOLUTION

# %% [markdown]
# **Method by method**, as for the profiler: `__init__` first, then one method, the class, its line.

# %%
from tinytorch.checks.for_08_optimizers.features import checks as features_checks

if __name__ == "__main__":
    features_checks.show(AdvancedOptimizerFeatures, about="apply_gradient_clipping")

# %%
if __name__ == "__main__":
    features_checks.show(AdvancedOptimizerFeatures, about="apply_warmup_schedule")

# %%
if __name__ == "__main__":
    features_checks.show(AdvancedOptimizerFeatures, about="accumulate_gradients")

# %%
if __name__ == "__main__":
    features_checks.show(AdvancedOptimizerFeatures, about="simulate_mixed_precision")

# %%
if __name__ == "__main__":
    features_checks.show(AdvancedOptimizerFeatures, about="simulate_distributed_sync")

# %% [markdown]
# ### 7.6 The features at work
#
# First clipping. We train on small batches, and every fortieth batch is damaged: its pixels are 100
# times too large, as after a bug in the input pipeline. Without clipping, each of them throws away
# most of what had been learned; with it, they cost one step.

# %%
def train_on_damaged_batches(data, max_norm, steps=120):
    """Return losses and gradient norms of a training in which every 40th batch is damaged."""
    images, labels = data
    rng = np.random.default_rng(1)
    w = Variable((rng.normal(size=(64, 10)) * 0.1).astype(np.float32))
    optimizer, features = SGD([w], learning_rate=0.5), AdvancedOptimizerFeatures()
    losses, norms = [], []
    for step in range(1, steps + 1):
        rows = rng.integers(len(images), size=64)
        pixels = images[rows] * (100 if step % 40 == 0 else 1)
        optimizer.zero_grad()
        loss = softmax_cross_entropy(Variable(pixels, requires_grad=False) @ w, labels[rows])
        loss.backward()
        norms.append(features.apply_gradient_clipping(optimizer, max_norm))
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


# %%
if __name__ == "__main__":
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    for max_norm, label in ((np.inf, "no clipping"), (1.0, "clipped to 1")):
        losses, norms = train_on_damaged_batches(all_digits, max_norm)
        left.semilogy(losses, label=label)
        right.semilogy(norms, ".", label=label)
    left.set(title="Loss", xlabel="step")
    right.set(title="Gradient norm before clipping", xlabel="step")
    left.legend()
    plt.show()

# %% [markdown]
# Next accumulation. Four micro-batches of 64 give the gradient of the batch of 256, up to rounding.
# With a ragged last micro-batch the plain mean is wrong: its few images weigh too much.

# %%
def gradient_of(data, rows):
    """Return the gradient of a linear classifier's loss on some images."""
    w = Variable(np.full((64, 10), 0.01, np.float32))
    images, labels = data
    logits = Variable(images[rows], requires_grad=False) @ w
    softmax_cross_entropy(logits, labels[rows]).backward()
    return w.grad.data.data


if __name__ == "__main__":
    for name, cuts in {"equal": [0, 64, 128, 192, 256], "ragged": [0, 80, 160, 240, 256]}.items():
        w, features = Variable(np.zeros((64, 10), np.float32)), AdvancedOptimizerFeatures()
        for first, last in zip(cuts[:-1], cuts[1:], strict=True):
            w.grad = Variable(gradient_of(all_digits, range(first, last)))
            ready = features.accumulate_gradients(SGD([w]), accumulation_steps=4)
        error = np.abs(w.grad.data.data - gradient_of(all_digits, range(256))).max()
        print(f"{name:7} sizes {np.diff(cuts)}: ready {ready}, largest error {error:.1e}")

# %% [markdown]
# Then float16. Three facts in numbers: what is too small, what is too large, and why the optimizer
# updates a **master copy** of the parameters in float32. In float16 an update of 0.0001 is less
# than half the distance from 1.0 to its neighbour, so it is rounded away, a thousand times.

# %%
if __name__ == "__main__":
    print("too small:", np.float16(2.9e-8), "  with scale 1024:", np.float16(2.9e-8 * 1024))
    with np.errstate(over="ignore"):
        print("too large:", np.float16(65520.0), "instead of 65520; the largest is 65504")
    for dtype in (np.float16, np.float32):
        weight = dtype(1.0)
        for _ in range(1000):
            weight = weight - dtype(1e-4)
        print(f"1 - 1000 * 0.0001 in {dtype.__name__}: {weight:.5f}")

# %% [markdown]
# How real is this? The histogram shows the last gradients of 6.7, after 100 steps of Adam. Left of
# the dashed line at $2^{-25}$ float16 knows only 0 (half of the smallest number, $2^{-24}$: below
# it values round to 0). Multiplying by the loss scale moves the whole histogram to the right.

# %%
if __name__ == "__main__":
    gradients = np.concatenate([p.grad.data.data.ravel() for p in trained["Adam"].parameters])
    nonzero = np.abs(gradients[gradients != 0]).astype(np.float64)
    for scale, label in ((1, "as they are"), (2**10, "times 1024")):
        lost = np.mean(nonzero * scale < 2.0**-25)
        exponents, name = np.log2(nonzero * scale), f"{label}: {lost:.1%} lost"
        plt.hist(exponents, bins=80, histtype="stepfilled", alpha=0.6, label=name)
    plt.axvline(-25, color="black", linestyle="--")
    plt.xlim(-50, 2)
    plt.xlabel("log2 |gradient|")
    plt.legend()
    plt.show()

# %% [markdown]
# ### 7.7 Checks

# %% nbgrader={"grade": true, "grade_id": "test-advanced-features", "locked": true, "points": 25, "schema_version": 3, "solution": false, "task": false}
# Graded: AdvancedOptimizerFeatures, 25 points.
# What each part does stands in tinytorch/checks/for_08_optimizers/features.py.
from tinytorch.checks.for_08_optimizers.features import checks as features_checks


def test_unit_advanced_optimizer_features():
    """Features: clipping, warm-up, accumulation, mixed precision, averaging."""
    features_checks.run(AdvancedOptimizerFeatures)


if __name__ == "__main__":
    features_checks.show(AdvancedOptimizerFeatures)

# %% [markdown]
# **To think about.** The order was: unscale, then clip. What would happen to the training if you
# clipped first, with a loss scale of 65536 and `max_norm` 1.0? And with accumulation over four
# micro-batches: is clipping each of them the same as clipping their mean?

# %% [markdown]
# ## 8 All of it together
#
# A training in production is all of these ideas at once, and what goes wrong is usually how they
# meet. One rule holds the order together: **whatever changes the gradient happens before `step()`,
# and a skipped step changes nothing**: no parameter, no moment, no counter of the optimizer.
#
# Here nothing is left to implement. We put your classes into one loop, in the order of section 7.
# The loss is scaled before `backward()`; each micro-batch starts with cleared gradients, because
# `backward()` adds to what is there; the mean of four micro-batches is unscaled, then clipped. The
# first 10 steps warm up, then `StepLR` takes over.

# %%
def start_production_run(data, make_optimizer, loss_scale=1024.0, micro_batches=4, warmup_steps=10):
    """Return an optimizer on a fresh network, and a function that does one production step."""
    parameters, loss_on = digits_network(data)
    optimizer, features = make_optimizer(parameters), AdvancedOptimizerFeatures()
    scheduler, rng, taken = StepLR(optimizer, step_size=20, gamma=0.3), np.random.default_rng(0), 0

    def train_step():
        nonlocal taken
        losses, ready = [], False
        while not ready:
            optimizer.zero_grad()
            loss = loss_on(rng.integers(len(data[0]), size=64))
            (loss * loss_scale).backward()
            losses.append(loss.item())
            ready = features.accumulate_gradients(optimizer, micro_batches)
        if features.simulate_mixed_precision(optimizer, loss_scale):
            features.apply_gradient_clipping(optimizer, max_norm=0.5)
            if taken < warmup_steps:
                features.apply_warmup_schedule(optimizer, taken, warmup_steps, scheduler.initial_lr)
            else:
                scheduler.step()
            optimizer.step()
            taken += 1
        return float(np.mean(losses))

    return optimizer, train_step


# %% [markdown]
# Three optimizers, each at a moderate rate: for SGD and Adam below the best of the sweep in 6.7.
# Whether they converge and how they end does not change when you run the cells again; the times,
# and so the line on efficiency, do.

# %%
if __name__ == "__main__":
    candidates = {
        "SGD": lambda parameters: SGD(parameters, learning_rate=0.5),
        "momentum": lambda parameters: SGD(parameters, learning_rate=0.1, momentum=0.9),
        "Adam": lambda parameters: Adam(parameters, learning_rate=0.01),
    }
    profiler, profiles = OptimizerConvergenceProfiler(), {}
    for name, make_optimizer in candidates.items():
        optimizer, train_step = start_production_run(all_digits, make_optimizer)
        profiles[name] = profiler.profile_optimizer_convergence(
            name, optimizer, train_step, initial_loss=np.log(10), max_steps=60
        )

# %% [markdown]
# The staircase in the middle starts with a ramp (curved, since the axis is logarithmic): warm-up,
# then `StepLR`. On the right stands the norm after clipping. Below, for each run, in how many of
# the first 30 steps the limit of 0.5 was at work.

# %%
if __name__ == "__main__":
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.4))
    records = (profiler.convergence_history, profiler.learning_rates, profiler.gradient_norms)
    titles = ("Loss", "Learning rate", "Gradient norm after clipping")
    for panel, series, title in zip(panels, records, titles, strict=True):
        for name in candidates:
            panel.plot(series[name], label=name, linewidth=1)
        panel.set(title=title, xlabel="step", yscale="log" if panel is not panels[2] else "linear")
    panels[0].legend()
    plt.show()
    for name in candidates:
        clipped = sum(norm > 0.4999 for norm in profiler.gradient_norms[name][:30])
        print(f"{name:10} clipped in {clipped} of 30 steps")

# %%
if __name__ == "__main__":
    analyses = {
        "learning_rate_analysis": sweep_digits(some_digits, Adam, [3e-4, 3e-3, 3e-2, 3e-1]),
        "convergence_comparison": profiler.compare_optimizers(profiles),
        "memory_analysis": {
            name: profiler.estimate_memory_usage(make([]), 2_410)
            for name, make in candidates.items()
        },
    }
    print(*profiler.generate_production_recommendations(analyses), sep="\n")

# %% [markdown]
# ### Checks
#
# The last graded cell needs all of your classes. It trains small problems, most of whose numbers
# can be worked out by hand.

# %% nbgrader={"grade": true, "grade_id": "test-ml-systems-integration", "locked": true, "points": 35, "schema_version": 3, "solution": false, "task": false}
# Graded: everything together, 35 points.
# What each part does stands in tinytorch/checks/for_08_optimizers/systems.py.
from tinytorch.checks.for_08_optimizers.systems import checks as systems_checks


def test_comprehensive_ml_systems_integration():
    """Optimizers, schedule, profiler and production features in one training."""
    systems_checks.run(SGD, Adam, StepLR, OptimizerConvergenceProfiler, AdvancedOptimizerFeatures)


if __name__ == "__main__":
    systems_checks.show(SGD, Adam, StepLR, OptimizerConvergenceProfiler, AdvancedOptimizerFeatures)

# %% [markdown]
# **To think about.** In `start_production_run` a skipped step does not advance the schedule. In a
# run where the loss scale is still too large, the first five steps may all be skipped. What would
# happen if warm-up advanced all the same? Which counters of a training should count calls, and
# which should count steps that were really taken?

# %% [markdown]
# ## Optimizers in production: questions to think about
#
# These are not graded. Take two, and discuss them with somebody.
#
# - Adam keeps two numbers per parameter. Which of your models would not fit if it did, and what
#   would you change first: the optimizer, the precision of its state, or the number of machines?
# - A colleague reports that "Adam beats SGD by two points". Which five numbers do you ask for?
# - You may do twelve runs. How do you divide them between rates, optimizers and random seeds?
# - Our `step()` skips parameters whose gradient is None. A framework could take None for zero
#   instead. What would then happen to a frozen layer under momentum?
# - The buffers of accumulation may be kept by the position of a parameter in the list, or by
#   `id(parameter)`. What could go wrong with either, when somebody adds a parameter in the middle
#   of a run?
# - With eight machines, which part of the optimizer's work is done eight times over?

# %% [markdown]
# ## Three written questions
#
# Answer each in 150 to 300 words of your own, in the cell below it. Use numbers, and what you have
# measured in this notebook. Each answer is worth 10 points.

# %% [markdown] nbgrader={"grade": false, "grade_id": "prompt-1-optimizer-memory", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Question 1: memory of the state, and checkpoints (10 points)
#
# You train a model with 13 billion float32 parameters with Adam, on machines that fail now and
# then.
#
# - How much memory do parameters, gradients and state take, and how much would plain SGD and SGD
#   with momentum take?
# - What belongs in a checkpoint, if training is to go on after a failure exactly as it would have,
#   and how large is it?
# - What happens in the first steps after a restart from the parameters alone?
# - How often would you write a checkpoint, and what could you do to need less memory?
#
# ### BEGIN MARK SCHEME
# Rubric, 3 + 3 + 2 + 2 points:
#
# - **3 points, the numbers.** Parameters 52 GB, gradients 52 GB, Adam's state 104 GB, together 208
#   GB (13e9 times 16 bytes; 194 in units of 2^30 bytes). SGD 104 GB, momentum 156 GB; Adam is twice
#   SGD and 1.33 times momentum. One point each for parameters and gradients, for the state, for the
#   comparison. Activations come on top. "Three times SGD" is wrong.
# - **3 points, the checkpoint.** Parameters, m, v and t (one point); the counter of the schedule or
#   its rate, the loss scale, random states, the position in the data (one point); gradients are not
#   needed between two steps, so it is 156 GB (one point).
# - **2 points, the restart.** With m = v = 0 and t = 0 the averages are those of the first few
#   gradients, and Adam's first update has the size of the full rate in every coordinate, whatever
#   the gradient (one point); so the loss jumps, or warm-up is needed again; SGD with momentum only
#   has to build up its velocity anew (one point for a consequence).
# - **2 points, the trade-off.** An interval from numbers: time to write against the work lost, for
#   instance sqrt(2 · write time · time between failures), or writing in the background, in a new
#   file that is renamed when complete (one point). One true way to need less: state sharded over N
#   machines (the first stage of ZeRO: 8 + 8/N bytes in float32, 4 + 12/N in mixed precision), state
#   in 8 bits, factored second moments, momentum instead of Adam (one point). Weights and gradients
#   in fp16 with master, m and v in fp32 are 16 bytes as well: not a saving of model state.
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "question-1-optimizer-memory", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Each float32 number takes 4 bytes, so the parameters take 52 GB and the gradients another 52 GB.
# Adam keeps m and v, 104 GB more: 208 GB before a single activation. Plain SGD would need 104 GB
# and momentum 156 GB, so Adam costs twice as much as SGD and a third more than momentum.
#
# A checkpoint must hold everything that the next step depends on: the parameters, m, v and the
# counter t, but also the schedule's counter, the loss scale, the states of the random generators
# and the position in the data. Gradients are recomputed and need not be saved between steps. That
# makes 156 GB.
#
# If we load the parameters alone, m and v start at zero and t at 0. After bias correction the first
# update is about the full rate in every coordinate, however small its gradient is: a well-trained
# model gets a random-looking kick, and the loss jumps. It recovers, but the run is no longer the
# one we had. A short warm-up softens this.
#
# At 2 GB/s writing takes 78 s. If a failure comes every six hours, an interval of sqrt(2 · 78 s ·
# 21,600 s), about 31 minutes, balances writing against lost work. I would copy to host memory
# first, write in the background to a new file, and rename it only when it is complete, so that a
# crash while writing never destroys the last good one.
#
# To need less memory I would shard m and v over the N machines, which leaves 8 + 8/N bytes per
# parameter on each, or keep m and v in 8 bits.
# ### END SOLUTION

# %% [markdown] nbgrader={"grade": false, "grade_id": "prompt-2-distributed-optimization", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Question 2: distributed optimization and schedules (10 points)
#
# A training runs on one machine with batches of 64, SGD with momentum, a warm-up of 500 steps and
# `StepLR` with a step size of 3,000 steps. You move it to 16 machines, each with batches of 64.
#
# - What do the machines exchange in each step, what must be equal on all of them afterwards, and
#   what changes if one of them has a smaller batch?
# - What happens to the rate, to the warm-up and to the schedule?
# - Where do clipping and the skipping of overflowed steps belong?
# - When do more machines stop helping?
#
# ### BEGIN MARK SCHEME
# Rubric, 3 + 3 + 2 + 2 points:
#
# - **3 points, the exchange.** An all-reduce of the gradients; the mean over 16 ranks is the
#   gradient of one batch of 1,024 (one point). Parameters and state start equal, take the same
#   step, and so stay equal; only gradients travel, about 2 * 15/16 times their size per rank in a
#   ring (one point for either). Parts of different size must be weighted by their size, the plain
#   mean is biased towards the images of the small one (one point).
# - **3 points, rate and schedule.** A batch 16 times as large allows a larger rate: linear scaling
#   for SGD as a starting point to be tuned, not a law (often the square root for Adam) (one
#   point). A larger rate needs warm-up, which is there and may be made longer (one point). An epoch
#   has a sixteenth of the steps, so what was counted in steps must be counted in samples or epochs:
#   3,000 steps become about 188 (one point).
# - **2 points, the order.** Clip after the all-reduce, by the norm of the mean gradient, so that
#   all ranks use the same factor; clipping each rank before gives another direction (one point).
#   All ranks must skip together, or they drift apart: inf and NaN spread through the sum, or the
#   flag is exchanged as well (one point).
# - **2 points, the limit.** Noise falls with the root of the batch; beyond a critical batch size
#   twice the machines save hardly any steps (one point). Communication does not shrink with more
#   machines while the computation per machine does, if the global batch is kept; stragglers set the
#   pace; or generalization may suffer at the same number of epochs (one point for a true one).
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "question-2-distributed-optimization", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# In every step an all-reduce replaces each machine's gradient by the mean over all 16. Because the
# parts are equally large, this is the gradient of one batch of 1,024 images. Parameters and
# momentum are not sent: they start equal and take the same step, so they stay equal. In a ring each
# machine sends about 2 * 15/16 of the gradient's size. If one machine has only 16 images, the plain
# mean gives each of them four times the weight of the others, so each gradient must be weighted by
# the size of its batch.
#
# The gradient of 1,024 images is less noisy, so it bears a larger rate. For SGD I would start from
# the linear rule, 16 times the rate, and tune around it; it is a heuristic. Such a rate is
# dangerous in the first steps, so the warm-up stays, and I would make it longer if the loss spikes.
# An epoch now has a sixteenth of the steps. The schedule counts steps, so 3,000 must become about
# 188, or better: it should count samples.
#
# Clipping comes after the all-reduce: the norm of the mean is the same everywhere, so all machines
# apply the same factor. An overflow on one machine makes the sum infinite or NaN on all of them, so
# a check after the all-reduce lets all of them skip together. If one skipped alone, its parameters
# would differ from then on.
#
# More machines help until the gradient is accurate enough. Beyond that critical batch size,
# doubling the batch hardly saves steps, while each step still waits for the slowest machine and the
# network.
# ### END SOLUTION

# %% [markdown] nbgrader={"grade": false, "grade_id": "prompt-3-production-integration", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Question 3: monitoring and tuning in production (10 points)
#
# A model is trained anew every week on fresh data, without anybody watching. Last week the loss
# became NaN at step 12,000 and the run went on for two days. You own the training now.
#
# - What do you record at each step, and which of the profiler's verdicts raise an alarm?
# - What should the training do by itself, and when must it stop and call somebody?
# - How do you choose the rate for next week's run, and how would you notice that it no longer fits?
# - How do you make sure that a newly trained model is not worse than the one in use?
#
# ### BEGIN MARK SCHEME
# Rubric, 3 + 3 + 2 + 2 points:
#
# - **3 points, signals.** Loss, global gradient norm before clipping, rate, step time; useful as
#   well: share of clipped and of skipped steps, loss scale, validation loss (one point for three of
#   them). NaN or inf must be tested for explicitly, because NaN compares false with every threshold
#   (one point). Alarms relative to a running median or to earlier runs, not to one fixed number, or
#   with a reasoned fixed one as in the profiler (one point).
# - **3 points, responses.** Clip, and skip a step with inf or NaN gradients without touching the
#   state (one point); stop after several skips in a row, or when a parameter or the loss itself is
#   NaN (one point); go back to a checkpoint from before, perhaps with a lower rate or past the bad
#   batch, and tell somebody; a NaN in the parameters or in Adam's m and v never leaves by itself
#   (one point).
# - **2 points, the rate.** A sweep on a logarithmic grid of short runs, the best finite one without
#   explosion, better somewhat below the edge (one point). Signs that it no longer fits: more
#   clipped steps, larger norms or slower loss than in earlier weeks at the same step; data or batch
#   size have changed (one point).
# - **2 points, release.** Compare on held-out data that both models have not seen, including recent
#   data, with several seeds or a known spread (one point); a gate with a threshold, gradual
#   roll-out, and the old model kept for the way back (one point).
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "question-3-production-integration", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# At each step I record the loss, the gradient norm before clipping, the rate, the step time, and
# whether the step was clipped or skipped. "exploding" is an alarm at once; "vanishing" and
# "unstable" are alarms if they last. Whether a number is finite is tested first, because NaN is
# neither above nor below any threshold; that is how last week's run survived. Norms are compared
# with a running median and with last week's curve at the same step: ten times as much is worth a
# message.
#
# By itself the training clips, and skips a step whose gradients are not finite, leaving parameters
# and state alone. After ten skips in a row, or if the loss or a parameter is NaN, it stops, goes
# back to the last good checkpoint, tries once more with half the rate past the batch in question,
# and then calls somebody. Going on is no option: NaN in Adam's m or v stays there for ever.
#
# The rate comes from a sweep: short runs on a logarithmic grid, the best finite loss among those
# without explosion, and then somewhat below it, because the edge of divergence is near. I repeat a
# small sweep when data or batch size change. More clipped steps, or a loss that falls behind
# earlier weeks at the same step, tell me that the rate no longer fits.
#
# The new model must match the old one on held-out data from the latest week, within the spread of
# several seeds. Only then does it serve a small share of the traffic, later all of it, while the
# old one stays ready for the way back.
# ### END SOLUTION

# %% [markdown]
# ## Summary
#
# - An optimizer is a rule of one or two lines, and its state: nothing, a decaying sum of gradients,
#   or two running means, corrected for their start at zero. Memory is 8, 12 or 16 bytes per
#   parameter, before activations.
# - The rate matters most. Schedules change it on purpose, warm-up protects the first steps, and a
#   sweep on a logarithmic grid finds the range.
# - Loss, gradient norm, rate and time per step tell most failures apart, if NaN and runs that
#   failed are treated as results.
# - The order of the tools is part of the recipe: average, unscale, clip, set the rate, step. A
#   skipped step leaves no trace.
#
# Save the notebook. In its folder, `make test` says what the graded cells say, `make export` makes
# your solution cells a module, `tinytorch.core.optimizers`, and `make submit` the file to hand in.
# The next chapter trains with your optimizers; its own folder says how they get there.
