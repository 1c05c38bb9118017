# The average over the last 20 steps is returned, because it is smoother.
# expect-loss: test-training-integration
#| export
def train_simple_model() -> tuple[float, float, float, float]:
    """Fit y = w * x + b to x = 1, 2, 3, 4, 5 and y = 2 * x + 1: with SGD, then with Adam."""
    xs = [1.0, 2.0, 3.0, 4.0, 5.0]
    ys = [2.0 * x + 1.0 for x in xs]

    def fit(name, make_optimizer):
        w, b = Variable(0.1), Variable(0.0)
        optimizer = make_optimizer([w, b])
        trace = []
        for epoch in range(60):
            total = 0.0
            for x, y in zip(xs, ys):
                optimizer.zero_grad()
                error = subtract(add(multiply(w, x), b), y)
                loss = multiply(error, error)
                loss.backward()
                trace.append((w.item(), b.item()))
                optimizer.step()
                total += loss.item()
            if (epoch + 1) % 20 == 0:
                print(f"{name}, epoch {epoch + 1}: loss {total / len(xs):.6f}")
        mean_w, mean_b = np.mean(trace[-20:], axis=0)
        return float(mean_w), float(mean_b)

    sgd_w, sgd_b = fit("SGD", lambda params: SGD(params, learning_rate=0.01, momentum=0.9))
    adam_w, adam_b = fit("Adam", lambda params: Adam(params, learning_rate=0.01))
    return sgd_w, sgd_b, adam_w, adam_b
