# Fills both groups in place, indexed by the condition.
#| export
def split_decay(parameters, weight_decay):
    groups = [{"parameters": [], "weight_decay": decay} for decay in (weight_decay, 0.0)]
    for parameter in parameters:
        is_vector = parameter.data.data.ndim < 2
        groups[is_vector]["parameters"].append(parameter)
    return groups
