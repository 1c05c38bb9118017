# Takes one parameter after the other off the front, recursively.
#| export
def split_decay(parameters, weight_decay):
    if not parameters:
        return [
            {"parameters": [], "weight_decay": weight_decay},
            {"parameters": [], "weight_decay": 0.0},
        ]
    first, *others = parameters
    groups = split_decay(others, weight_decay)
    place = 0 if first.data.ndim not in (0, 1) else 1
    groups[place]["parameters"].insert(0, first)
    return groups
