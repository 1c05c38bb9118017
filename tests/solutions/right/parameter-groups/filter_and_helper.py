# A predicate of its own, and filter() for both groups.
#| export
def has_rows(parameter):
    return np.ndim(parameter.data) > 1


def split_decay(parameters, weight_decay):
    parameters = list(parameters)
    kinds = (has_rows, weight_decay), (lambda p: not has_rows(p), 0.0)
    return [{"parameters": list(filter(kind, parameters)), "weight_decay": d} for kind, d in kinds]
