# Computes in float64 on flattened copies and restores the shape.
#| export
def gradient_descent_step(parameter, learning_rate):
    grad = parameter.grad
    if grad is not None:
        values = np.array(parameter.data.data, dtype=np.float64).ravel()
        values -= np.float64(learning_rate) * np.asarray(grad.data.data, dtype=np.float64).ravel()
        parameter.data = Tensor(values.reshape(parameter.data.shape))
