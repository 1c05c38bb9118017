# One sample at a time, with the functions of autograd and a new pair of parameters for each fit.
#| export
def train_simple_model():
    x_data = [1.0, 2.0, 3.0, 4.0, 5.0]
    y_data = [3.0, 5.0, 7.0, 9.0, 11.0]

    def fit(optimizer, w, b, name):
        for epoch in range(60):
            total_loss = 0.0
            for x, y in zip(x_data, y_data):
                error = subtract(add(multiply(w, Variable(x, False)), b), Variable(y, False))
                loss = multiply(error, error)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total_loss += loss.data.item()
            if epoch % 20 == 0:
                print(f"{name} epoch {epoch}: loss = {total_loss:.4f}")
        return w.data.item(), b.data.item()
    w, b = Variable(0.1), Variable(0.0)
    sgd_w, sgd_b = fit(SGD([w, b], learning_rate=0.01, momentum=0.9), w, b, "SGD")
    w, b = Variable(0.1), Variable(0.0)
    adam_w, adam_b = fit(Adam([w, b], learning_rate=0.01), w, b, "Adam")
    return sgd_w, sgd_b, adam_w, adam_b
