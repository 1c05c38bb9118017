# Assigns to parameter.data.data and keeps the same Tensor object.
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is not None:
        parameter.data.data = parameter.data.data - learning_rate * parameter.grad.data.data
