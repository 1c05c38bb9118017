# An object with __call__, and a match statement.
#| export
class _Step:
    __slots__ = ()

    def __call__(self, parameter, learning_rate):
        match parameter.grad:
            case None: pass
            case Variable() as g: parameter.data.data[...] = parameter.data.data - g.data.data * learning_rate


gradient_descent_step = _Step()
