#!/usr/bin/env bash
# pytorch_optimizer 4.1.0 (PyPI): LinearScheduler goes on below its minimum after `t_max`, to negative
# rates, which climb the loss; a run that is one epoch longer than planned undoes itself. PolyScheduler,
# with its defaults, does not fall after the warm-up but rises, beyond `max_lr` and without end: its
# formula, which stands in its docstring, multiplies by the root of the steps, and `t_max` does not
# occur in it (pytorch_optimizer/lr_scheduler/linear_warmup.py). PyTorch's LinearLR and PolynomialLR end
# at their last value. One would have guessed the same here: a decay that stays between `max_lr` and
# `min_lr`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 pytorch_optimizer==4.1.0
cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

import torch
from pytorch_optimizer import LinearScheduler, PolyScheduler


def rates(kind):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = kind(optimizer, t_max=10, max_lr=1.0, min_lr=0.0, warmup_steps=2)
    found = []
    for _ in range(14):
        optimizer.step()
        found.append(round(float(scheduler.step()), 3))
    return found


print("pytorch_optimizer", version("pytorch_optimizer"))
print("linear:", rates(LinearScheduler))
print("poly:", rates(PolyScheduler))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: linear down to 0.0 at step 10, then "-0.125, -0.25, -0.375"; poly up to 3.317.
grep -qE "linear: .* 0.0, -0.125, -0.25, -0.375\]" <<<"$said"
grep -qE "poly: .* 1.0, 1.0, 1.414, .* 3.317\]" <<<"$said"
