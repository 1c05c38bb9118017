class Checkpoint:
    def __init__(self, path, every, resume): pass
    def load(self, t): return 0
    def save(self, t, n): pass
