#!/usr/bin/env bash
# torch 2.13.0, optax 0.2.8, Keras 3.15.1, MLX 0.32.4 (PyPI): the table of section 9 of
# 10_modern_optimizers, measured on one number (Muon: on a matrix of 64 rows and 32 columns). One would
# have guessed that "AdamW" names one rule and one set of defaults. Least expected: MLX corrects no bias
# unless it is asked to, so its first step is 3.16 rates long; Keras's velocity contains the rate, so it
# moves on where a schedule has set the rate to 0, and its piecewise schedule drops one step later; and
# the factor of Muon's rate for one and the same array is the square root of 2 in PyTorch and MLX and 1
# in optax, which takes rows for inputs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 jax==0.10.2 optax==0.2.8 keras==3.15.1 'mlx[cpu]==0.32.4'
cat >"$folder/run.py" <<'PY'
import inspect
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
from importlib.metadata import version

import jax.numpy as jnp
import keras
import mlx.core as mx
import mlx.optimizers as mlx
import numpy as np
import optax
import torch

mx.set_default_device(mx.cpu)


def run_torch(kind, gradients, start=0.0, rates=None, **options):
    weight = torch.nn.Parameter(torch.tensor(start))
    optimizer = kind([weight], **options)
    for step, gradient in enumerate(gradients):
        if rates:
            optimizer.param_groups[0]["lr"] = rates[step]
        weight.grad = torch.tensor(gradient)
        optimizer.step()
    return weight.detach().numpy()


def run_optax(transform, gradients, start=0.0):
    weight = jnp.array(start)
    state = transform.init(weight)
    for gradient in gradients:
        updates, state = transform.update(jnp.array(gradient), state, weight)
        weight = optax.apply_updates(weight, updates)
    return np.array(weight)


def run_keras(optimizer, gradients, start=0.0, rates=None):
    weight = keras.Variable(np.float32(start))
    optimizer.build([weight])
    for step, gradient in enumerate(gradients):
        if rates:
            optimizer.learning_rate = rates[step]
        optimizer.apply([jnp.array(gradient, jnp.float32)])
    return np.array(weight.value)


def run_mlx(optimizer, gradients, start=0.0, rates=None):
    weights = {"w": mx.array(start)}
    for step, gradient in enumerate(gradients):
        if rates:
            optimizer.learning_rate = rates[step]
        weights = optimizer.apply_gradients({"w": mx.array(gradient)}, weights)
    return np.array(weights["w"])


def row(name, *values):
    shown = [value if isinstance(value, str) else f"{float(value):.3g}" for value in values]
    print(f"{name}: {', '.join(shown)}")


def default(function, name):
    return inspect.signature(function).parameters[name].default


print("torch", torch.__version__.split("+")[0], "optax", optax.__version__, end=" ")
print("keras", keras.__version__, "mlx", version("mlx"))
adamws = torch.optim.AdamW, optax.adamw, keras.optimizers.AdamW, mlx.AdamW
muons = torch.optim.Muon, optax.contrib.muon, keras.optimizers.Muon, mlx.Muon
row("decay of AdamW", *(default(kind, "weight_decay") for kind in adamws))
row("decay of Muon", *(default(kind, "weight_decay") for kind in muons))

row(
    "AdamW from 2, rate 0.1, decay 0.5, gradient 1",
    run_torch(torch.optim.AdamW, [1.0], 2.0, lr=0.1, weight_decay=0.5),
    run_optax(optax.adamw(0.1, weight_decay=0.5), [1.0], 2.0),
    run_keras(keras.optimizers.AdamW(0.1, weight_decay=0.5), [1.0], 2.0),
    run_mlx(mlx.AdamW(0.1, weight_decay=0.5, bias_correction=True), [1.0], 2.0),
)
row(
    "Adam, epsilon 0.1, gradient 1",
    -run_torch(torch.optim.Adam, [1.0], lr=1.0, eps=0.1),
    -run_optax(optax.adam(1.0, eps=0.1), [1.0]),
    -run_keras(keras.optimizers.Adam(1.0, epsilon=0.1), [1.0]),
    -run_mlx(mlx.Adam(1.0, eps=0.1, bias_correction=True), [1.0]),
)
row(
    "RMSprop, 0.9, epsilon 1, gradient 2",
    -run_torch(torch.optim.RMSprop, [2.0], lr=1.0, eps=1.0, alpha=0.9),
    -run_optax(optax.rmsprop(1.0, decay=0.9, eps=1.0), [2.0]),
    -run_keras(keras.optimizers.RMSprop(1.0, rho=0.9, epsilon=1.0), [2.0]),
    -run_mlx(mlx.RMSprop(1.0, alpha=0.9, eps=1.0), [2.0]),
)
row(
    "first step of Adam in rates",
    -run_torch(torch.optim.Adam, [1.0], lr=1.0),
    -run_optax(optax.adam(1.0), [1.0]),
    -run_keras(keras.optimizers.Adam(1.0), [1.0]),
    -run_mlx(mlx.Adam(1.0), [1.0]),
)
nesterov = {"momentum": 0.9, "nesterov": True}
for rates in ([0.1, 0.1], [0.1, 0.0]):
    row(
        f"Nesterov, rates {rates}",
        -run_torch(torch.optim.SGD, [1.0, 1.0], rates=rates, lr=0.1, **nesterov),
        -run_optax(optax.sgd(lambda n, r=rates: jnp.array(r)[n], **nesterov), [1.0, 1.0]),
        -run_keras(keras.optimizers.SGD(0.1, **nesterov), [1.0, 1.0], rates=rates),
        -run_mlx(mlx.SGD(0.1, **nesterov), [1.0, 1.0], rates=rates),
    )

matrix = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)
start = np.zeros_like(matrix)
steps = [
    run_torch(torch.optim.Muon, [matrix], start, lr=1.0),
    run_optax(optax.contrib.muon(1.0), [matrix], start),
    run_keras(keras.optimizers.Muon(1.0), [matrix], start),
    run_mlx(mlx.Muon(1.0), [matrix], start),
]
lengths = [float(np.linalg.norm(step)) for step in steps]
row("Muon on 64 x 32 against optax", *(f"{length / lengths[1]:.1f}" for length in lengths))
shape = list(torch.nn.Linear(64, 32).weight.shape)
row("shape of a layer of 64 inputs and 32 outputs in torch", str(shape))

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
multi_step = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3])
rates = []
for _ in range(6):
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    multi_step.step()
of_optax = optax.piecewise_constant_schedule(1.0, {3: 0.1})
of_keras = keras.optimizers.schedules.PiecewiseConstantDecay([3], [1.0, 0.1])
of_mlx = mlx.step_decay(1.0, 0.1, 3)
schedules = (rates.__getitem__, of_optax, of_keras, lambda step: of_mlx(mx.array(step)).item())
drops = [next(n for n in range(6) if float(schedule(n)) < 0.5) for schedule in schedules]
row("boundary 3: first step with the new rate", *drops)
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen, in the order torch, optax, Keras, MLX:
diff - <(tail -n +2 <<<"$said") <<'SEEN'
decay of AdamW: 0.01, 0.0001, 0.004, 0.01
decay of Muon: 0.1, 0, 0.004, 0.01
AdamW from 2, rate 0.1, decay 0.5, gradient 1: 1.8, 1.8, 1.8, 1.8
Adam, epsilon 0.1, gradient 1: 0.909, 0.909, 0.24, 0.909
RMSprop, 0.9, epsilon 1, gradient 2: 1.23, 1.69, 1.69, 1.23
first step of Adam in rates: 1, 1, 1, 3.16
Nesterov, rates [0.1, 0.1]: 0.461, 0.461, 0.461, 0.461
Nesterov, rates [0.1, 0.0]: 0.19, 0.19, 0.271, 0.19
Muon on 64 x 32 against optax: 1.4, 1.0, 1.6, 1.4
shape of a layer of 64 inputs and 32 outputs in torch: [32, 64]
boundary 3: first step with the new rate: 3, 3, 4, 3
SEEN
