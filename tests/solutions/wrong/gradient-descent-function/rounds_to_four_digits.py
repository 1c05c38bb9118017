# Rounds the new values to four decimals.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is None: return
    w = parameter.data.data; g = parameter.grad.data.data
    parameter.data = Tensor(np.round(w - learning_rate*g, 4))
