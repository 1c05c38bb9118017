#!/usr/bin/env bash
# Keras 3.15.1 and optax 0.2.8 (PyPI), gradients accumulated over 2 batches: in Keras
# (`gradient_accumulation_steps`) a schedule counts batches, in optax (`MultiSteps`) it counts updates.
# So a cosine over 100 steps ends after 50 updates in the one and after 100 in the other; Keras also
# reads the rate of the last batch, so the first update already has the rate of batch 1, not 0
# (keras/src/optimizers/base_optimizer.py, `_get_current_learning_rate`: `self._iterations`; the
# keyword's documentation says so, while `optimizer.iterations`, which one would print, counts updates).
# One would have guessed one count for both, the one that `iterations` shows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.4.6 jax==0.10.2 optax==0.2.8 keras==3.15.1
cat >"$folder/run.py" <<'PY'
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
import jax.numpy as jnp
import keras
import optax

print("keras", keras.__version__, "optax", optax.__version__)


class Step(keras.optimizers.schedules.LearningRateSchedule):
    """The rate is the number of the step."""

    def __call__(self, step):
        return keras.ops.cast(step, "float32")


weight = keras.Variable(0.0)
optimizer = keras.optimizers.SGD(Step(), gradient_accumulation_steps=2)
optimizer.build([weight])
rates = []
for _ in range(4):
    before = float(weight.value)
    for _ in range(2):
        optimizer.apply([jnp.array(1.0)])
    rates.append(before - float(weight.value))
print("keras:", rates, "iterations", int(optimizer.iterations))

transform = optax.MultiSteps(optax.sgd(lambda step: 1.0 * step), every_k_schedule=2)
state = transform.init(jnp.array(0.0))
rates = []
for _ in range(4):
    for _ in range(2):
        update, state = transform.update(jnp.array(1.0), state)
    rates.append(abs(float(update)))
print("optax:", rates)
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "keras: [1.0, 3.0, 5.0, 7.0] iterations 4" and "optax: [0.0, 1.0, 2.0, 3.0]".
grep -qF "keras: [1.0, 3.0, 5.0, 7.0] iterations 4" <<<"$said"
grep -qF "optax: [0.0, 1.0, 2.0, 3.0]" <<<"$said"
