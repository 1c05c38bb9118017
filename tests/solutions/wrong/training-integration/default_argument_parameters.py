# The starting Variables are a default argument, made once, so a second call goes on from the first.
# expect-loss: test-training-integration
#| export
def train_simple_model(
    _start=((Variable(0.1), Variable(0.0)), (Variable(0.1), Variable(0.0))),
) -> tuple[float, float, float, float]:
    """Fit y = w * x + b to x = 1, 2, 3, 4, 5 and y = 2 * x + 1: with SGD, then with Adam."""
    xs = [1.0, 2.0, 3.0, 4.0, 5.0]
    ys = [2.0 * x + 1.0 for x in xs]

    def fit(name, make_optimizer):
        w, b = _start[name == "Adam"]
        optimizer = make_optimizer([w, b])
        for epoch in range(60):
            total = 0.0
            for x, y in zip(xs, ys):
                optimizer.zero_grad()
                error = subtract(add(multiply(w, x), b), y)
                loss = multiply(error, error)
                loss.backward()
                optimizer.step()
                total += loss.item()
            if (epoch + 1) % 20 == 0:
                print(f"{name}, epoch {epoch + 1}: loss {total / len(xs):.6f}")
        return w.item(), b.item()

    sgd_w, sgd_b = fit("SGD", lambda params: SGD(params, learning_rate=0.01, momentum=0.9))
    adam_w, adam_b = fit("Adam", lambda params: Adam(params, learning_rate=0.01))
    return sgd_w, sgd_b, adam_w, adam_b
