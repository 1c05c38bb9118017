# Updates the array in place with -=.
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is None:
        return
    parameter.data.data[...] -= learning_rate * parameter.grad.data.data
