# Minibatches of two in a shuffled order, with a generator of batches and the operators.
#| export
def train_simple_model():
    rng = np.random.default_rng(0)
    xs = np.arange(1.0, 6.0)
    ys = 2 * xs + 1

    def batches(epochs):
        for _ in range(epochs):
            order = rng.permutation(5)
            yield from (order[i : i + 2] for i in range(0, 5, 2))

    def fit(w, b, optimizer, epochs):
        for number, rows in enumerate(batches(epochs)):
            x, y = Variable(xs[rows], False), Variable(ys[rows], False)
            loss = ((w * x + b - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if number % 200 == 0:
                print(f"batch {number}: {loss.data.item():.6f}")
        return w.data.item(), b.data.item()
    w, b = Variable(0.1), Variable(0.0)
    sgd = fit(w, b, SGD([w, b], 0.01, 0.9), 80)
    w, b = Variable(0.1), Variable(0.0)
    return sgd + fit(w, b, Adam([w, b], 0.05), 80)
