#!/usr/bin/env bash
# optax 0.2.8 (PyPI), adafactor: its `weight_decay_rate` is not multiplied by the learning rate. With
# the customary 0.1 a weight is gone after thirty steps, whatever the rate and also where a schedule has
# set it to 0; 0.1 is a decay per step here. In torch 2.13.0's Adafactor, and in optax's own adamw,
# lion, adan, novograd and muon, the decay is multiplied by the rate (optax/_src/alias.py, `adafactor`:
# `add_decayed_weights` stands behind the rate). One would have guessed the same meaning of decay
# throughout one library.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 jax==0.10.2 optax==0.2.8
cat >"$folder/run.py" <<'PY'
import jax.numpy as jnp
import optax
import torch


def left(transform, steps=30):
    """What is left of a weight of 1 whose gradient is zero."""
    weight = jnp.array(1.0)
    state = transform.init(weight)
    for _ in range(steps):
        updates, state = transform.update(jnp.array(0.0), state, weight)
        weight = optax.apply_updates(weight, updates)
    return round(float(weight), 3)


print("optax", optax.__version__, "torch", torch.__version__.split("+")[0])
print("optax adamw, rate 0.01:", left(optax.adamw(0.01, weight_decay=0.1)))
for rate in (0.01, 0.0):
    print(f"optax adafactor, rate {rate}:", left(optax.adafactor(rate, weight_decay_rate=0.1)))
weight = torch.nn.Parameter(torch.ones(1))
optimizer = torch.optim.Adafactor([weight], lr=0.01, weight_decay=0.1)
for _ in range(30):
    weight.grad = torch.zeros(1)
    optimizer.step()
print("torch Adafactor, rate 0.01:", round(weight.item(), 3))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 0.97 for adamw and torch's Adafactor, 0.042 for optax's adafactor at both rates.
grep -qx "optax adamw, rate 0.01: 0.97" <<<"$said"
grep -qx "optax adafactor, rate 0.01: 0.042" <<<"$said"
grep -qx "optax adafactor, rate 0.0: 0.042" <<<"$said"
grep -qx "torch Adafactor, rate 0.01: 0.97" <<<"$said"
