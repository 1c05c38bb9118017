# Takes a step with SGD and one with Adam in turn, on one pair of parameters.
# expect-loss: test-training-integration
#| export
def train_simple_model():
    """Train y = w * x + b with SGD and with Adam."""
    w, b = Variable(0.1), Variable(0.0)
    optimizers = [SGD([w, b], learning_rate=0.01, momentum=0.9), Adam([w, b], learning_rate=0.01)]
    fits = [0.1, 0.0, 0.1, 0.0]
    for epoch in range(120):
        for x in [1.0, 2.0, 3.0, 4.0, 5.0]:
            for number, optimizer in enumerate(optimizers):
                optimizer.zero_grad()
                error = w * x + b - (2.0 * x + 1.0)
                (error * error).backward()
                optimizer.step()
        fits = [w.data.item(), b.data.item()] * 2
        if epoch % 20 == 0:
            print(f"epoch {epoch}: {fits}")
    return tuple(fits)
