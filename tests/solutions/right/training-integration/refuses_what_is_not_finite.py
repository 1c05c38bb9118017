# Gives up a run whose gradient is not finite, before the step; keeps the gradients in a list.
#| export
def train_simple_model():
    samples = [(x, 2.0 * x + 1.0) for x in (1.0, 2.0, 3.0, 4.0, 5.0)]

    def fit(optimizer, epochs):
        w, b = optimizer.parameters
        for epoch in range(epochs):
            for x, y in samples:
                optimizer.zero_grad()
                error = w * x + b - y
                loss = error * error
                loss.backward()
                gradients = [float(p.grad.data.data) for p in optimizer.parameters]
                if not np.all(np.isfinite(gradients)):
                    print(f"stopped in epoch {epoch}: gradients {gradients}")
                    return w.data.item(), b.data.item()
                optimizer.step()
            if epoch % 30 == 0:
                print(f"epoch {epoch}: loss {loss.item():.5f}, gradients {gradients}")
        return w.data.item(), b.data.item()
    sgd = fit(SGD([Variable(0.1), Variable(0.0)], learning_rate=0.01, momentum=0.9), 60)
    adam = fit(Adam([Variable(0.1), Variable(0.0)], learning_rate=0.02), 60)
    return sgd + adam
