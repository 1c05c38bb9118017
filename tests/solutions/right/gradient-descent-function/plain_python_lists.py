# Plain Python: nested lists, updated by recursion, no array arithmetic at all.
#| export
def gradient_descent_step(parameter, learning_rate):

    def moved(w, g):
        if isinstance(w, list):
            return [moved(*pair) for pair in zip(w, g)]
        return w - learning_rate * g
    if parameter.grad is not None:
        w, g = parameter.data.data, parameter.grad.data.data
        parameter.data = Tensor(moved(w.tolist(), g.tolist()))
