# Asks whether the gradient is zero with `all`, so that one zero in it stops the whole step.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is None: return
    w = parameter.data.data; g = parameter.grad.data.data
    if not g.all(): return
    parameter.data = Tensor(w - learning_rate*g)
