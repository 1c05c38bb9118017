#!/usr/bin/env bash
# pytorch-ignite 0.5.5 (PyPI), EMAHandler with `momentum_warmup`: attached under a name of its own, the way
# the documentation does it with two handlers ("gen_ema_momentum", "disc_ema_momentum"), the warm-up never
# reaches the average. The schedule is written for the attribute "ema_momentum" whatever the name
# (ignite/handlers/ema_handler.py, `attach`), and the handler reads the attribute it was named; a warning
# says only that "ema_momentum" is created. The average then keeps its first weights for hundreds of steps,
# which is what a warm-up is there to prevent. One would have guessed that the name is only a name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 pytorch-ignite==0.5.5
cat >"$folder/run.py" <<'PY'
import ignite
import torch
from ignite.engine import Engine
from ignite.handlers import EMAHandler


def average_after(steps, name):
    """The average of a weight that was 0 when the handler was made and is 1 from the first step on."""
    model = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0)
        handler = EMAHandler(model, momentum=0.002, momentum_warmup=0.2, warmup_iters=100)
        model.weight.fill_(1)
        trainer = Engine(lambda engine, batch: None)
        handler.attach(trainer, name=name)
        trainer.run(range(steps), max_epochs=1)
    return handler.ema_model.weight.item()


print("pytorch-ignite", ignite.__version__, "torch", torch.__version__.split("+")[0])
for name in ("ema_momentum", "generator_momentum"):
    print(f"{name}: {average_after(100, name):.3f}")
PY
said=$("$folder/venv/bin/python" -W ignore "$folder/run.py")
echo "$said"
# Seen: 1.000 with the default name, 0.181 with another.
grep -qx "ema_momentum: 1.000" <<<"$said"
grep -qx "generator_momentum: 0.181" <<<"$said"
