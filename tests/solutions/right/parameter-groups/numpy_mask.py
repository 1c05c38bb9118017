# Computes a mask with NumPy, and picks from it.
#| export
def split_decay(parameters, weight_decay):
    mask = np.array([p.data.ndim for p in parameters], dtype=int) >= 2
    chosen = [[parameters[i] for i in np.flatnonzero(where)] for where in (mask, ~mask)]
    return [
        {"parameters": group, "weight_decay": np.float64(decay)}
        for group, decay in zip(chosen, (weight_decay, 0.0))
    ]
