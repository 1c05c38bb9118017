# Clips every entry of the gradient to [-5, 5] before the step.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is None: return
    w = parameter.data.data; g = parameter.grad.data.data
    parameter.data = Tensor(w - learning_rate*np.clip(g,-5,5))
