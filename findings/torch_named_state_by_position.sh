#!/usr/bin/env bash
# torch 2.13.0 (PyPI): an optimizer that is made from `named_parameters()` saves the names with its
# state, and does not look at them when it loads. Where the order of two parameters has changed in
# between, as by moving a line of a constructor, each gets the other's momentum; if the shapes agree
# nothing is said. A note in the documentation of `load_state_dict` says that names do not affect the
# loading. One would have guessed that they are saved to be compared, as those of a module are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch

print("torch", torch.__version__.split("+")[0])
weights = {name: torch.nn.Parameter(torch.zeros(1)) for name in ("query", "key")}
saved = torch.optim.SGD(list(weights.items()), lr=0.1, momentum=0.9)
for slope, weight in enumerate(weights.values(), start=1):
    weight.grad = torch.full((1,), float(slope))
saved.step()

loaded = torch.optim.SGD([(name, weights[name]) for name in ("key", "query")], lr=0.1, momentum=0.9)
loaded.load_state_dict(saved.state_dict())
for name, weight in weights.items():
    buffers = [optimizer.state[weight]["momentum_buffer"].item() for optimizer in (saved, loaded)]
    print(f"{name}: momentum {buffers[0]} saved, {buffers[1]} loaded")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "query: momentum 1.0 saved, 2.0 loaded" and the other way round for "key".
grep -qx "query: momentum 1.0 saved, 2.0 loaded" <<<"$said"
grep -qx "key: momentum 2.0 saved, 1.0 loaded" <<<"$said"
