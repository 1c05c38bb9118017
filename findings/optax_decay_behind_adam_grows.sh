#!/usr/bin/env bash
# optax 0.2.8 (PyPI): `chain(adam(rate), add_decayed_weights(0.01))`, an Adam and then its decay, makes
# weights grow, by a hundredth of themselves in each step, and without a gradient too. `adam` has
# already turned the sign of the update, and the decay is added to it as it is; it must stand in front
# of the rate (optax/transforms/_adding.py, `add_decayed_weights`: "add parameter scaled by
# `weight_decay`"). Nothing is raised, since every order is a transformation. One would have guessed
# that a transformation of this name shrinks weights in any place, or that the wrong place means a decay
# that the rate does not multiply.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.4.6 jax==0.10.2 optax==0.2.8
cat >"$folder/run.py" <<'PY'
import jax.numpy as jnp
import optax


def left(transform, steps=100):
    """What is left of a weight of 1 whose gradient is zero."""
    weight = jnp.array(1.0)
    state = transform.init(weight)
    for _ in range(steps):
        updates, state = transform.update(jnp.array(0.0), state, weight)
        weight = optax.apply_updates(weight, updates)
    return round(float(weight), 3)


print("optax", optax.__version__)
decay = optax.add_decayed_weights(0.01)
in_front = optax.chain(optax.scale_by_adam(), decay, optax.scale_by_learning_rate(1.0))
print("decay in front of the rate:", left(in_front))
print("decay behind adam:", left(optax.chain(optax.adam(1.0), decay)))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 0.366 in front of the rate, 2.705 behind it.
grep -qx "decay in front of the rate: 0.366" <<<"$said"
grep -qx "decay behind adam: 2.705" <<<"$said"
