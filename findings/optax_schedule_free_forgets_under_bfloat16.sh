#!/usr/bin/env bash
# optax 0.2.8 (PyPI), `contrib.schedule_free_sgd` on float32 weights of which one, a bias, is bfloat16.
# The sum of the weights of the average is kept in the lowest dtype of all parameters
# (optax/contrib/_schedule_free.py, `init_fn`), and in bfloat16 256 + 1 is 256. From step 256 on each
# step gets 1/256 of the average instead of 1/t, for the float32 weights too, and all before the last
# few hundred steps are forgotten. One would have guessed that the sum is a float32 whatever the weights
# are, as the count of steps is an int32, or that a bfloat16 parameter is rounded by itself: the average
# over all steps is what the method has in place of a schedule.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.4.6 jax==0.10.2 optax==0.2.8
cat >"$folder/run.py" <<'PY'
import jax
import jax.numpy as jnp
import optax


def share_of_first_steps(dtype_of_bias, steps=4096):
    """What the first half of the steps, when the float32 weight is 1 and not 0, counts in its average."""
    params = {"weight": jnp.zeros(()), "bias": jnp.zeros((), dtype_of_bias)}
    optimizer = optax.contrib.schedule_free_sgd(learning_rate=1.0)

    def step(count, carry):
        params, state = carry
        gradient = {
            # One push to 1 at the start, and one back to 0 halfway.
            "weight": jnp.where(count == 0, -1.0, jnp.where(count == steps // 2, 1.0, 0.0)),
            "bias": jnp.zeros((), dtype_of_bias),
        }
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state

    params, state = jax.lax.fori_loop(0, steps, jax.jit(step), (params, optimizer.init(params)))
    average = optax.contrib.schedule_free_eval_params(state, params)["weight"]
    return round(float(average), 3), float(state.weight_sum)


print("optax", optax.__version__, "jax", jax.__version__)
for dtype in (jnp.float32, jnp.bfloat16):
    share, total = share_of_first_steps(dtype)
    print(f"bias {dtype.__name__}: the first half counts {share}, sum of weights {total:g} of 4096")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: the first half counts half, and nothing where the bias is bfloat16.
grep -qx "bias float32: the first half counts 0.5, sum of weights 4096 of 4096" <<<"$said"
grep -qx "bias bfloat16: the first half counts 0.0, sum of weights 256 of 4096" <<<"$said"
