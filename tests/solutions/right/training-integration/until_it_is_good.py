# Loops until the loss is small; without steps it would never end.
#| export
def train_simple_model():
    points = [(x, 2.0 * x + 1.0) for x in range(1, 6)]

    def loss_of(w, b):
        total = Variable(0.0, requires_grad=False)
        for x, y in points:
            error = subtract(add(multiply(w, Variable(float(x), False)), b), Variable(y, False))
            total = add(total, multiply(error, error))
        return total

    def fit(optimizer):
        w, b = optimizer.parameters
        epoch = 0
        while True:
            loss = loss_of(w, b)
            if loss.data.item() < 1e-3:
                break
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if epoch % 100 == 0:
                print(f"epoch {epoch}: loss {loss.data.item():.5f}")
            epoch += 1
        return w.data.data, b.data.data
    sgd = fit(SGD([Variable(0.1), Variable(0.0)], learning_rate=0.002, momentum=0.9))
    adam = fit(Adam([Variable(0.1), Variable(0.0)], learning_rate=0.1))
    return (*sgd, *adam)
