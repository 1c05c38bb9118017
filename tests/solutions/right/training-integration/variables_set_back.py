# One pair of variables, set back between the runs.
#| export
def train_simple_model():
    w, b = Variable(0.1), Variable(0.0)
    answers = ()
    for build in (lambda: SGD([w, b], 0.01, 0.9), lambda: Adam([w, b], 0.02)):
        w.data, b.data = Tensor(0.1), Tensor(0.0)
        w.grad = b.grad = None
        opt = build()
        for e in range(100):
            for x in (1.0, 2.0, 3.0, 4.0, 5.0):
                opt.zero_grad()
                l = (w * x + b - (2 * x + 1)) ** 2
                l.backward()
                opt.step()
            if e % 20 == 0: print(type(opt).__name__, e, l)
        answers += (w.data.item(), b.data.item())
    return answers
