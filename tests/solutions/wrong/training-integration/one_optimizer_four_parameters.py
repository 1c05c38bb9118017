# Adam's optimizer also holds the trained parameters of SGD.
# expect-loss: test-training-integration
#| export
def train_simple_model() -> tuple[float, float, float, float]:
    """Fit y = w * x + b to x = 1, 2, 3, 4, 5 and y = 2 * x + 1: with SGD, then with Adam."""
    x = Variable(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), requires_grad=False)
    y = Variable(np.array([3.0, 5.0, 7.0, 9.0, 11.0]), requires_grad=False)

    print("Training with SGD")
    w = Variable(0.1)
    b = Variable(0.0)
    optimizer = SGD([w, b], learning_rate=0.01, momentum=0.9)
    for epoch in range(300):
        optimizer.zero_grad()
        loss = mean(power(subtract(add(multiply(w, x), b), y), 2))
        loss.backward()
        optimizer.step()
        if epoch % 100 == 0:
            print(f"  epoch {epoch}: loss = {loss.item():.4f}")
    sgd_w, sgd_b = w.item(), b.item()

    print("Training with Adam")
    params = [w, b]
    w = Variable(0.1)
    b = Variable(0.0)
    params += [w, b]
    optimizer = Adam(params, learning_rate=0.05)
    for epoch in range(300):
        optimizer.zero_grad()
        loss = mean(power(subtract(add(multiply(w, x), b), y), 2))
        loss.backward()
        optimizer.step()
        if epoch % 100 == 0:
            print(f"  epoch {epoch}: loss = {loss.item():.4f}")
    adam_w, adam_b = w.item(), b.item()

    return sgd_w, sgd_b, adam_w, adam_b
