#!/usr/bin/env bash
# torch 2.13.0 (PyPI), AdamW on bfloat16 parameters: the second moment never falls. After one gradient
# of 10, twenty thousand of 0.001 leave it at 0.1, where float32 has long come down to 0.000001, so that
# every later step is some three hundred times too short. The moments have the parameter's dtype, and
# 0.999 times a bfloat16 number, of which two neighbours differ by at least 1/256 of it, rounds back to
# that number (torch/optim/adam.py, `zeros_like(p)`). No warning. One would have guessed moments in
# float32, as under autocast, or at least an average that forgets.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch

print("torch", torch.__version__.split("+")[0])
for dtype in (torch.float32, torch.bfloat16):
    weight = torch.nn.Parameter(torch.ones(1, dtype=dtype))
    optimizer = torch.optim.AdamW([weight], lr=1e-6, weight_decay=0.0)
    weight.grad = torch.full((1,), 10.0, dtype=dtype)
    optimizer.step()
    for _ in range(20_000):
        weight.grad.fill_(1e-3)
        optimizer.step()
    print(f"{dtype}: {optimizer.state[weight]['exp_avg_sq'].item():.6f}")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "torch.float32: 0.000001", "torch.bfloat16: 0.100098".
grep -qx "torch.float32: 0.000001" <<<"$said"
grep -qx "torch.bfloat16: 0.100098" <<<"$said"
