# Tensor arithmetic and an augmented assignment, which puts a new Tensor in its place.
#| export
def gradient_descent_step(parameter, learning_rate):
    gradient = parameter.grad
    if gradient is not None:
        parameter.data -= gradient.data * learning_rate
