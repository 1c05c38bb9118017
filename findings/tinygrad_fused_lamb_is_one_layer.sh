#!/usr/bin/env bash
# tinygrad 0.14.0 (PyPI): `LAMB(..., fused=True)`, or FUSE_OPTIM=1 in the environment, takes other steps
# than the same optimizer unfused, and so does LARS. Their step is a layer's own, in proportion to the norm
# of its weights; fused, the parameters are one long vector (tinygrad/nn/optim.py, `schedule_step`), so all
# layers share one ratio, which the largest decides. A layer with small weights then takes steps of the
# large one's length, several times its own weights. SGD and Adam, which have no norms, are the same in
# both. One would have guessed that fusing, as in PyTorch, changes the time a step takes and its rounding.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tinygrad==0.14.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

from tinygrad import Tensor
from tinygrad.helpers import Context
from tinygrad.nn.optim import LAMB, LARS, SGD, Adam


def first_step(rule, fused):
    """By how much of its norm each of two layers changes: one has weights 3 and 4, one 0.03 and 0.04."""
    layers = [Tensor([3.0, 4.0]), Tensor([0.03, 0.04])]
    starts = [layer.numpy() for layer in layers]
    for layer in layers:
        layer.is_param_()
    with Context(TRAINING=1):
        optimizer = rule(layers, lr=0.1, fused=fused)
        (layers[0].sum() + layers[1].sum()).backward()
        optimizer.step()
    moved = [start - layer.numpy() for start, layer in zip(starts, layers)]
    return " ".join(f"{(step @ step / (start @ start)) ** 0.5:.3g}" for step, start in zip(moved, starts))


print("tinygrad", version("tinygrad"))
for rule in (LAMB, LARS, Adam, SGD):
    print(f"{rule.__name__}: {first_step(rule, fused=False)}, fused {first_step(rule, fused=True)}")
PY
# The device that interprets in Python needs no compiler.
said=$(DEV=PYTHON "$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: LAMB moves both by a tenth of their norm; fused, the small one by 7 times its norm.
grep -qx "LAMB: 0.1 0.1, fused 0.0707 7.07" <<<"$said"
grep -qx "LARS: 0.0001 0.0001, fused 7.07e-05 0.00707" <<<"$said"
grep -qx "Adam: 0.0283 2.83, fused 0.0283 2.83" <<<"$said"
