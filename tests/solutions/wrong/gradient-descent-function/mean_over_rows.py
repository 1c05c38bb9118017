# Takes the rows of a gradient for samples, and averages them.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is None: return
    w = parameter.data.data; g = parameter.grad.data.data
    parameter.data = Tensor(w - learning_rate*(g.mean(axis=0) if g.ndim>1 else g))
