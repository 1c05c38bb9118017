# Trains for as long as the loss is above 1e-4, without another limit.
#| export
def train_simple_model():
    out = []
    x = Variable([1, 2, 3, 4, 5], requires_grad=False)
    y = Variable([3, 5, 7, 9, 11], requires_grad=False)
    for opt_class, settings in [(SGD, {"learning_rate": 0.02, "momentum": 0.8}), (Adam, {"learning_rate": 0.1})]:
        w, b = Variable(0.1), Variable(0.0)
        opt = opt_class([w, b], **settings)
        value, steps = math.inf, 0
        while value > 1e-4:
            opt.zero_grad()
            loss = ((w * x + b - y) ** 2).mean()
            loss.backward()
            opt.step()
            value = loss.item(); steps += 1
            if steps % 25 == 1: print(steps, value)
        out.extend((w.item(), b.item()))
    return tuple(out)
