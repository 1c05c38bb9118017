# Adam first, then the same two variables set back to the start; gradients accumulate over five samples.
#| export
def train_simple_model():
    w = Variable(0.1)
    b = Variable(0.0)
    data = list(zip([1.0, 2.0, 3.0, 4.0, 5.0], [3.0, 5.0, 7.0, 9.0, 11.0]))

    def train(optimizer, epochs, label):
        for epoch in range(1, epochs + 1):
            optimizer.zero_grad()
            losses = []
            for x, y in data:
                prediction = w * x + b
                loss = (prediction - y) ** 2 / 5
                loss.backward()
                losses.append(loss.item())
            optimizer.step()
            if epoch in (1, epochs):
                print("%s, epoch %d: %.4f" % (label, epoch, sum(losses)))
    train(Adam([w, b], learning_rate=0.03), 100, "Adam")
    adam_w, adam_b = np.float32(w.data.data), np.float32(b.data.data)
    w.data, b.data = Tensor(0.1), Tensor(0.0)
    train(SGD([w, b], learning_rate=0.02, momentum=0.8), 150, "SGD")
    return w.item(), b.item(), adam_w, adam_b
