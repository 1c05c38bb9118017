# Clips the gradients by hand, prints their norm, and stops once it is small.
#| export
def train_simple_model():
    xs = Variable(np.arange(1.0, 6.0), requires_grad=False)
    ys = Variable(2.0 * np.arange(1.0, 6.0) + 1.0, requires_grad=False)

    def fit(optimizer, limit, epochs):
        w, b = optimizer.parameters
        for epoch in range(epochs):
            optimizer.zero_grad()
            error = w * xs + b - ys
            mean(error * error).backward()
            norm = math.sqrt(sum_of_squares(w) + sum_of_squares(b))
            if norm > limit:
                for p in (w, b):
                    p.grad = Variable(p.grad.data.data * (limit / norm))
            optimizer.step()
            if epoch % 100 == 0:
                print(f"epoch {epoch}: gradient norm {norm:.4f}")
            if norm < 1e-3:
                break
        return w.item(), b.item()

    def sum_of_squares(parameter):
        return float(np.sum(parameter.grad.data.data ** 2))
    sgd = fit(SGD([Variable(0.1), Variable(0.0)], 0.02, 0.9), 20.0, 600)
    adam = fit(Adam([Variable(0.1), Variable(0.0)], 0.05), 5.0, 400)
    return (*sgd, *adam)
