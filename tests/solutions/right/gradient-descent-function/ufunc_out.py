# NumPy ufuncs with out=, in place in the array of the parameter; try/except for the missing gradient.
#| export
def gradient_descent_step(parameter, learning_rate):
    try:
        slope = parameter.grad.data.data
    except AttributeError:
        return
    target = parameter.data.data
    np.subtract(target, np.multiply(slope, learning_rate), out=target)
