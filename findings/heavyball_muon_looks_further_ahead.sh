#!/usr/bin/env bash
# heavyball 3.2.1 (PyPI), Muon with its defaults and momentum 0.95: after twenty gradients of one sign,
# a single one of the other turns the step around. PyTorch's Muon, with the same momentum, goes on as
# before. What heavyball calls Nesterov adds the whole gradient to the average, g + v, where the
# original and PyTorch mix them, (1 - momentum) * g + momentum * v, so the last gradient counts about
# ten times as much (heavyball/utils.py, `_compilable_nesterov_ema_`: "equivalent to Grokfast" in
# chainable.py). `heavyball_momentum=True` and `nesterov=False` both restore the momentum. One would
# have guessed that momentum 0.95 is the same smoothing in both, since the step's length is normalized
# away.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 heavyball==3.2.1
cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

import heavyball
import torch

heavyball.utils.compile_mode = None  # the rule is the same, and no compiler is needed


def last_step(kind, **options):
    """Twenty gradients of +1, then one of -1: the last step, in units of the rate."""
    weight = torch.nn.Parameter(torch.zeros(2, 2))
    optimizer = kind([weight], lr=0.1, weight_decay=0.0, **options)
    for sign in [1.0] * 20 + [-1.0]:
        before = weight.detach().clone()
        weight.grad = sign * torch.eye(2)
        optimizer.step()
    return "goes on" if (weight - before)[0, 0] < 0 else "turns around"


print("heavyball", version("heavyball"), "torch", torch.__version__.split("+")[0])
print("torch:", last_step(torch.optim.Muon, momentum=0.95))
print("heavyball:", last_step(heavyball.Muon, betas=(0.95, 0.99)))
print("heavyball_momentum:", last_step(heavyball.Muon, betas=(0.95, 0.99), heavyball_momentum=True))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "torch: goes on", "heavyball: turns around", "heavyball_momentum: goes on".
grep -qx "torch: goes on" <<<"$said"
grep -qx "heavyball: turns around" <<<"$said"
grep -qx "heavyball_momentum: goes on" <<<"$said"
