#!/usr/bin/env bash
# Keras 3.15.1 with jax 0.10.2 (PyPI): `exclude_from_weight_decay(var_names=["layer_norm", "bias"])`, as
# BERT's recipe has it, excludes the biases, and the LayerNormalization named "layer_norm" decays. What is
# searched is `variable.name`, which in Keras 3 is "gamma" and no longer "layer_norm/gamma:0"; that is
# `path` now (keras/src/optimizers/base_optimizer.py, `_use_weight_decay`). And a second call forgets what
# the first excluded: the bias that was excluded by itself decays after norms are excluded by name
# (`exclude_from_weight_decay` replaces both lists). A name that matches nothing is no error. One would
# have guessed that a layer's name is in its variables' names, and that excluding adds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.4.6 jax==0.10.2 keras==3.15.1
cat >"$folder/run.py" <<'PY'
import keras
import numpy as np


def decayed(exclude):
    """The variables of a small model that one step with zero gradients and decay makes smaller."""
    dense = keras.layers.Dense(2, name="dense", bias_initializer="ones")
    norm = keras.layers.LayerNormalization(name="layer_norm", beta_initializer="ones")
    dense.build((None, 2))
    norm.build((None, 2))
    variables = [*dense.trainable_variables, *norm.trainable_variables]
    optimizer = keras.optimizers.AdamW(learning_rate=0.1, weight_decay=0.5)
    exclude(optimizer, dense)
    before = [keras.ops.convert_to_numpy(variable) for variable in variables]
    optimizer.apply([np.zeros(variable.shape, "float32") for variable in variables], variables)
    after = [keras.ops.convert_to_numpy(variable) for variable in variables]
    changed = [not np.array_equal(old, new) for old, new in zip(before, after)]
    return " ".join(variable.path for variable, yes in zip(variables, changed) if yes)


def by_layer(optimizer, dense):
    optimizer.exclude_from_weight_decay(var_names=["layer_norm", "bias"])


def by_variable(optimizer, dense):
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])


def in_two_calls(optimizer, dense):
    optimizer.exclude_from_weight_decay(var_list=[dense.bias])
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta"])


print("keras", keras.__version__)
for exclude in (by_layer, by_variable, in_two_calls):
    print(f"{exclude.__name__}: {decayed(exclude)}")
PY
said=$(KERAS_BACKEND=jax "$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: the norm decays under its layer's name, the bias after the second call.
grep -qx "by_layer: dense/kernel layer_norm/gamma layer_norm/beta" <<<"$said"
grep -qx "by_variable: dense/kernel" <<<"$said"
grep -qx "in_two_calls: dense/kernel dense/bias" <<<"$said"
