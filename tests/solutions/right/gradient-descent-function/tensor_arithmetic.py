# Lets the operators of Tensor do the arithmetic.
#| export
def gradient_descent_step(parameter, learning_rate):
    if parameter.grad is None:
        return
    parameter.data = parameter.data - parameter.grad.data * learning_rate
