# Full batch with Variable operators and w.sum-style methods; Adam with a StepLR; dict of runs.
#| export
def train_simple_model():
    x = np.arange(1, 6, dtype=float)
    y = 2 * x + 1
    recipes = {
        "sgd": (SGD, {"learning_rate": 0.02, "momentum": 0.8}, 400),
        "adam": (Adam, {"learning_rate": 0.1}, 400),
    }
    fits: list[float] = []
    for name, (kind, settings, steps) in recipes.items():
        theta = [Variable(0.1), Variable(0.0)]
        optimizer = kind(theta, **settings)
        schedule = StepLR(optimizer, step_size=200, gamma=0.5)
        for step in range(steps):
            schedule.step()
            optimizer.zero_grad()
            loss = ((theta[0] * x + theta[1] - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            if step % 50 == 0:
                print(name, step, float(loss))
        fits.extend(float(p) for p in theta)
    sgd_w, sgd_b, adam_w, adam_b = fits
    return sgd_w, sgd_b, adam_w, adam_b
