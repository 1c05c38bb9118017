# w and b are (1, 1) and (1,) parameters of a matmul; micro-batches accumulate before each step.
#| export
def train_simple_model():
    features = [np.array([[float(i)]]) for i in range(1, 6)]
    targets = [2.0 * f + 1.0 for f in features]

    def run(label, optimizer, steps):
        weight, bias = optimizer.parameters
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            losses = []
            for f, t in zip(features, targets):
                residual = add(matmul(f, weight), bias) - t
                loss = (residual * residual).sum() / 5.0
                loss.backward()
                losses.append(loss.item())
            optimizer.step()
            if step % 40 == 0:
                print(f"[{label}] step {step:4d}  mse {sum(losses):.5f}")
        return float(weight.data.data[0, 0]), float(bias.data.data[0])

    def fresh():
        return [Variable(np.array([[0.1]])), Variable(np.array([0.0]))]
    first = run("sgd", SGD(fresh(), 0.03, 0.7), 160)
    second = run("adam", Adam(fresh(), 0.05), 160)
    return (*first, *second)
