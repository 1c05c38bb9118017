# Sorts in one loop by the length of the shape, with 0 as an integer.
#| export
def split_decay(parameters, weight_decay):
    decayed, spared = [], []
    for parameter in parameters:
        if len(parameter.data.shape) > 1:
            decayed.append(parameter)
        else:
            spared.append(parameter)
    return [dict(parameters=decayed, weight_decay=weight_decay), dict(parameters=spared, weight_decay=0)]
