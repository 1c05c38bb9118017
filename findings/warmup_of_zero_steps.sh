#!/usr/bin/env bash
# optax 0.2.8 and torch 2.13.0 (PyPI): a warm-up of 0 steps, the end point of a sweep over its length,
# never ends. optax's `linear_schedule(0, peak, 0)` and `warmup_constant_schedule(0, peak, 0)` stay at
# 0, so that nothing is trained (a line in the log, at a level that shows only where logging is set up,
# says that the schedule is constant); torch's `LinearLR(total_iters=0)` stays at `start_factor`.
# optax's `warmup_cosine_decay_schedule(0, peak, 0, n)`, which is built from the same parts, begins at
# the peak (optax/schedules/_schedule.py, `polynomial_schedule`; torch/optim/lr_scheduler.py,
# `LinearLR.get_lr`). One would have guessed that no warm-up means the full rate at once, or an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 jax==0.10.2 optax==0.2.8
cat >"$folder/run.py" <<'PY'
import optax
import torch
from torch.optim.lr_scheduler import LinearLR

print("optax", optax.__version__, "torch", torch.__version__.split("+")[0])
schedules = {
    "linear_schedule": optax.linear_schedule(0.0, 1.0, 0),
    "warmup_constant_schedule": optax.warmup_constant_schedule(0.0, 1.0, 0),
    "warmup_cosine_decay_schedule": optax.warmup_cosine_decay_schedule(0.0, 1.0, 0, 100),
}
for name, schedule in schedules.items():
    print(f"{name}:", [round(float(schedule(step)), 2) for step in (0, 1, 50)])

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
scheduler = LinearLR(optimizer, start_factor=0.01, total_iters=0)
rates = []
for _ in range(50):
    rates.append(round(optimizer.param_groups[0]["lr"], 4))
    optimizer.step()
    scheduler.step()
print("LinearLR:", [rates[0], rates[1], rates[-1]])
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: [0.0, 0.0, 0.0] twice, [1.0, 1.0, 0.5], and [0.01, 0.01, 0.01] from LinearLR.
grep -qx "linear_schedule: \[0.0, 0.0, 0.0\]" <<<"$said"
grep -qF "warmup_constant_schedule: [0.0, 0.0, 0.0]" <<<"$said"
grep -qF "warmup_cosine_decay_schedule: [1.0, 1.0, 0.5]" <<<"$said"
grep -qF "LinearLR: [0.01, 0.01, 0.01]" <<<"$said"
