# Asserts that each gradient is there and finite; stops early when the loss stays as it is.
#| export
def train_simple_model():

    def loss_of(w, b):
        errors = [w * float(x) + b - float(2 * x + 1) for x in range(1, 6)]
        return sum(error * error for error in errors) * 0.2

    def sum(terms):
        total = Variable(0.0, requires_grad=False)
        for term in terms:
            total = total + term
        return total

    def fit(optimizer):
        w, b = optimizer.parameters
        before, waited = math.inf, 0
        for epoch in range(400):
            optimizer.zero_grad()
            loss = loss_of(w, b)
            loss.backward()
            for p in (w, b):
                assert p.grad is not None and np.isfinite(p.grad.data.data).all()
            optimizer.step()
            waited = waited + 1 if abs(before - loss.item()) < 1e-7 else 0
            before = loss.item()
            if waited == 20:
                break
        print(f"{type(optimizer).__name__}: loss {before:.6f} after {epoch + 1} epochs")
        return w.item(), b.item()
    sgd_w, sgd_b = fit(SGD([Variable(0.1), Variable(0.0)], learning_rate=0.02, momentum=0.9))
    adam_w, adam_b = fit(Adam([Variable(0.1), Variable(0.0)], learning_rate=0.04))
    return sgd_w, sgd_b, adam_w, adam_b
