# Clamps the learning rate to at most 1.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is None: return
    w = parameter.data.data; g = parameter.grad.data.data
    parameter.data = Tensor(w - min(max(learning_rate,0.0),1.0)*g)
