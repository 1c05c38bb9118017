# One sample at a time in a shuffled order; gradients are cleared at the end of each round.
#| export
def train_simple_model():
    xs = [1.0, 2.0, 3.0, 4.0, 5.0]
    ys = [2.0 * x + 1.0 for x in xs]

    def fit(name, make_optimizer):
        w, b = Variable(0.1), Variable(0.0)
        optimizer = make_optimizer([w, b])
        for epoch in range(60):
            total = 0.0
            order = np.random.default_rng(epoch).permutation(5)
            for x, y in ((xs[i], ys[i]) for i in order):
                error = subtract(add(multiply(w, x), b), y)
                loss = multiply(error, error)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                total += loss.item()
            if (epoch + 1) % 20 == 0:
                print(f"{name}, epoch {epoch + 1}: loss {total / len(xs):.6f}")
        return w.item(), b.item()
    sgd_w, sgd_b = fit("SGD", lambda params: SGD(params, learning_rate=0.01, momentum=0.9))
    adam_w, adam_b = fit("Adam", lambda params: Adam(params, learning_rate=0.01))
    return sgd_w, sgd_b, adam_w, adam_b
