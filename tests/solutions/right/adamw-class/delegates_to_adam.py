# Decays by itself, and has an Adam of the chapter before take the step of each parameter.
#| export
from tinytorch.core.optimizers import Adam as PlainAdam


class AdamW(Optimizer):
    def __init__(
        self, parameters, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01
    ):
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
        )
        self.t = 0
        self._adams = [PlainAdam([p]) for p in self.parameters]

    @property
    def m(self):
        return [adam.m for adam in self._adams]

    @property
    def v(self):
        return [adam.v for adam in self._adams]

    def step(self):
        self.t += 1
        for index, p, options in self.each_parameter():
            if p.grad is None:
                continue
            adam = self._adams[index]
            for name in ("learning_rate", "beta1", "beta2", "epsilon"):
                setattr(adam, name, options[name])
            p.data = Tensor(p.data.data * (1 - options["learning_rate"] * options["weight_decay"]))
            adam.step()
