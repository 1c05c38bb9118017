#!/usr/bin/env bash
# heavyball 3.2.1 and MLX 0.32.4 (PyPI), Muon on a bias: nothing is raised, and what comes out is a step
# in proportion to the gradient, as of plain gradient descent with momentum, at the rate that was chosen
# for matrices. A gradient a thousand times as large makes a step a thousand times as long, where every
# matrix beside it moves by one rate. optax's Muon gives such parameters to AdamW, PyTorch's raises
# ValueError (heavyball/chainable.py, `orthogonalize_update`; mlx/optimizers/optimizers.py,
# `Muon.apply_single`, whose docstring advises another optimizer). One would have guessed one of these
# two.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 heavyball==3.2.1 jax==0.10.2 optax==0.2.8 'mlx[cpu]==0.32.4'
cat >"$folder/run.py" <<'PY'
import os

os.environ["JAX_PLATFORMS"] = "cpu"
from importlib.metadata import version

import heavyball
import jax.numpy as jnp
import mlx.core as mx
import mlx.optimizers
import optax
import torch

heavyball.utils.compile_mode = None  # the rule is the same, and no compiler is needed
mx.set_default_device(mx.cpu)


def of_heavyball(size):
    bias = torch.nn.Parameter(torch.zeros(1))
    bias.grad = torch.full((1,), size)
    heavyball.Muon([bias], lr=0.1).step()
    return bias.item()


def of_mlx(size):
    optimizer = mlx.optimizers.Muon(0.1, weight_decay=0.0)
    return optimizer.apply_gradients({"b": mx.array([size])}, {"b": mx.zeros(1)})["b"].item()


def of_optax(size):
    transform = optax.contrib.muon(0.1)
    bias = jnp.zeros(1)
    return float(transform.update(jnp.full(1, size), transform.init(bias), bias)[0][0])


print("heavyball", version("heavyball"), "mlx", version("mlx"), "optax", optax.__version__)
for function in (of_heavyball, of_mlx, of_optax):
    ratio = function(1000.0) / function(1.0)
    print(f"{function.__name__}: a gradient 1000 times as large, a step {ratio:.0f} times as long")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 1000 for heavyball and MLX, 1 for optax.
grep -q "^of_heavyball: .* 1000 times as long" <<<"$said"
grep -q "^of_mlx: .* 1000 times as long" <<<"$said"
grep -q "^of_optax: .* 1 times as long" <<<"$said"
