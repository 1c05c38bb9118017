# Gives a parameter without gradient a gradient of zeros.
# expect-loss: test-gradient-descent
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is None: parameter.grad = Variable(np.zeros(parameter.shape))
    parameter.data.data -= learning_rate * parameter.grad.data.data
