#!/usr/bin/env bash
# torch 2.13.0 (PyPI), SGD(momentum=0.9, fused=True) under GradScaler: where the loss scale overflows on
# the very first step, as it often does at the default of 2**16, the step is skipped, and yet leaves a
# momentum buffer behind, in memory that nobody has filled. The next step takes it for a velocity.
# Usually such memory is zero and nothing shows; with `use_deterministic_algorithms(True)`, which fills
# it with NaN, all weights are NaN from the second step on. The other paths keep no buffer
# (torch/optim/sgd.py, `_fused_sgd`: `torch.empty_like` before the step that is skipped). One would have
# guessed that a skipped step changes nothing, and that a switch for reproducible runs does not break
# one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch

print("torch", torch.__version__.split("+")[0])
torch.use_deterministic_algorithms(True)
for fused in (False, True):
    weight = torch.nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16)
    for slope in (1e38, 1.0):  # the first gradient overflows once it is scaled
        optimizer.zero_grad()
        scaler.scale((weight * slope).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    print(f"fused={fused}:", [round(value, 4) for value in weight.tolist()])
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "fused=False: [-0.1, -0.1, -0.1]", then "fused=True: [nan, nan, nan]".
grep -qF "fused=False: [-0.1, -0.1, -0.1]" <<<"$said"
grep -qF "fused=True: [nan, nan, nan]" <<<"$said"
