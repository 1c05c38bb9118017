# NumPy ufuncs with out=: one temporary array, the parameter's own array keeps its identity.
#| export
def gradient_descent_step(parameter, learning_rate):
    gradient = parameter.grad
    if gradient is not None:
        array = parameter.data.data
        scaled = np.multiply(gradient.data.data, -learning_rate)
        np.add(array, scaled, out=array, casting="unsafe")
