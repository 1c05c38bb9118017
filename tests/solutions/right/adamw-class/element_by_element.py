# Loops over the elements with Python's own numbers, in a dataclass per parameter.
#| export
from dataclasses import dataclass, field


@dataclass
class MomentRecord:
    m: list = field(default_factory=list)
    v: list = field(default_factory=list)


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
        sizes = [p.data.size for p in self.parameters]
        self._records = [MomentRecord([0.0] * size, [0.0] * size) for size in sizes]
        self.t = 0

    @property
    def m(self):
        return [np.array(record.m) for record in self._records]

    @property
    def v(self):
        return [np.array(record.v) for record in self._records]

    def step(self):
        self.t += 1
        for index, p, o in self.each_parameter():
            if p.grad is None:
                continue
            record, b1, b2 = self._records[index], o["beta1"], o["beta2"]
            values = p.data.data.ravel().tolist()
            for k, g in enumerate(p.grad.data.data.ravel().tolist()):
                record.m[k] = b1 * record.m[k] + (1 - b1) * g
                record.v[k] = b2 * record.v[k] + (1 - b2) * g * g
                root = math.sqrt(record.v[k] / (1 - b2**self.t)) + o["epsilon"]
                values[k] -= o["learning_rate"] * o["weight_decay"] * values[k]
                values[k] -= o["learning_rate"] * record.m[k] / (1 - b1**self.t) / root
            p.data = Tensor(np.array(values).reshape(p.data.shape))
