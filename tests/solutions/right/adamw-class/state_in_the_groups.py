# Keeps a dictionary of state beside each group, and shows m and v as views of it.
#| export
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
        self._state = [[{} for _ in group["parameters"]] for group in self.groups]

    def _all(self, name):
        return [state[name] for states in self._state for state in states if name in state]

    m = property(lambda self: self._all("m"))
    v = property(lambda self: self._all("v"))

    def step(self):
        self.t += 1
        for group, states in zip(self.groups, self._state):
            for p, state in zip(group["parameters"], states):
                if p.grad is not None:
                    self._step_of(p, state, group)

    def _step_of(self, p, state, group):
        state["n"] = state.get("n", 0) + 1
        scale = {}
        g = p.grad.data.data
        for name, beta, value in (("m", group["beta1"], g), ("v", group["beta2"], g**2)):
            state[name] = (1 - beta) * value + (beta * state[name] if name in state else 0)
            scale[name] = -math.expm1(state["n"] * math.log(beta)) if beta else 1.0
        decayed = p.data.data - group["learning_rate"] * group["weight_decay"] * p.data.data
        root = np.sqrt(state["v"] / scale["v"]) + group["epsilon"]
        p.data = Tensor(decayed - group["learning_rate"] * (state["m"] / scale["m"]) / root)
