# Two comprehensions over the same condition.
#| export
def split_decay(parameters, weight_decay):
    matrices = [p for p in parameters if p.data.ndim >= 2]
    rest = [p for p in parameters if p.data.ndim < 2]
    return [
        {"parameters": matrices, "weight_decay": weight_decay},
        {"parameters": rest, "weight_decay": 0.0},
    ]
