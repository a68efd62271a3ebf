"""The exercises of notebooks 05 to 08: blanks fail, solutions pass, and each usual mistake gets the hint that is meant for it.

A wrong answer is made from the solution in the notebook's source by exchanging a piece of it, as the planted bugs are made.
"""

from functools import cache

import numpy as np
import pytest
from course import BUILD

from acai import nn
from acai.teaching.exercises import Verdict, exercises

NAMES = [e.name for number in ("05", "06", "07", "08") for e in exercises(number)]


@cache
def text(name: str, kind: str) -> str:
    return next(cell.text for cell in BUILD.cells(*BUILD.sources(name[:2])) if (cell.kind, cell.name) == (kind, name))


@cache
def opening(number: str) -> dict:
    """The names of the notebook's first code cell."""
    if number == "06":
        pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    names: dict = {}
    exec(next(cell.text for cell in BUILD.cells(*BUILD.sources(number)) if cell.kind == "code"), names)
    return names


def verdict(name: str, answer: str) -> Verdict:
    """What the last line of a cell, the call of check, says."""
    body, _, call = answer.rpartition("check(")
    names = dict(opening(name[:2]))
    exec(body, names)
    return eval(f"check({call}", names)


@pytest.mark.parametrize("name", NAMES)
def test_the_blank_fails_and_says_what_to_do(name):
    found = verdict(name, text(name, "exercise"))
    assert not found.ok
    assert "nothing yet" in found.hint or name == "06-fix"  # there the blank is a layer with two bugs


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_passes(name):
    assert str(verdict(name, text(name, "solution"))) == f"✓ {name}: right."


MISTAKES = {  # piece of the solution → wrong piece, and words of the hint that is meant for it
    "05-cube": [
        ("return h**2", "return 0.0", "only for a parabola"),
        ("return h**2", "return h**2 / 6", "third derivative"),
        ("return h**2", "return 3 * w * h + h**2", "one-sided"),
        ("return h**2", "return -(h**2)", "your sign is reversed"),
        ("return h**2", "return h**3", "2h³, still has to be divided by 2h"),
    ],
    "05-linear": [
        ("dx = dy @ W", "dx = dy @ W.T", "not dy @ W.T"),
        ("dx = dy @ W", "dx = dy @ W / len(dy)", "dx is divided by the number of songs"),
        ("dW = dy.T @ x", "dW = x.T @ dy", "the transpose"),
        ("dW = dy.T @ x", "dW = np.ones_like(dy).T @ x", "dW does not depend on dy"),
        ("dy.sum(axis=0)", "dy.sum(axis=1)", "summed over the outputs"),
        ("dy.sum(axis=0)", "dy.mean(axis=0)", "db is a mean"),
        ("return dx, dW, db", "return dx", "return dx, dW, db"),
        ("dx = dy @ W", "dx = np.zeros(x.shape)", "it gives 0"),  # the right shape is not enough
    ],
    "05-leaky-relu": [
        ("x, self.slope * x)", "x, 0 * x)", "plain ReLU"),
        ("np.where(self.positive, x,", "np.where(~self.positive, x,", "two sides are swapped"),
        ("x, self.slope * x)", "x, 0.25 * x)", "always uses the slope 0.25"),
        ("dy, self.slope * dy)", "dy, 0 * dy)", "the gradient is 0"),
        ("return np.where(self.positive, dy", "return np.where(dy > 0, dy", "whether dy is positive"),
        ("dy, self.slope * dy)", "1.0, self.slope)", "the slope itself"),
        ("dy, self.slope * dy)", "dy, 0.25 * dy)", "right. For a picture: `gradcheck.check(LeakyReLU(slope=0.125), (3, 7))`"),
        ("self.positive = x > 0", "self.positive = x >= 0", "x = 0 exactly"),
        ("self.positive = x > 0", "self.positive = x > 0\n        x *= self.slope", "in place"),
        ("class LeakyReLU", "LeakyReLU = 3\nclass Another", "the class itself"),
    ],
    "05-average-pool": [
        (".mean(axis=(3, 5))", ".sum(axis=(3, 5))", "gives the sum"),
        (".mean(axis=(3, 5))", ".max(axis=(3, 5))", "gives the maximum"),
        ("3) / (h * w)", "3)", "dy is not divided"),
        ("3) / (h * w)", "3) / (h * w) ** 2", "twice"),
        ("dx = np.zeros(self.shape)", "return np.zeros(self.shape)", "zero everywhere"),
        ("dx[:, :, : dy.shape[2] * h, : dy.shape[3] * w] = dy", "dx[:, :, -dy.shape[2] * h :, -dy.shape[3] * w :] = dy",
         "backward is not: 124 of the 180 numbers of dx are wrong; at [0, 1, 1, 4] it says -1"),
    ],
    "05-dilated": [
        ("@ x[:, :, q * self.dilation : q * self.dilation + T_out]", "@ x[:, :, q : q + T_out]", "the taps are adjacent"),
        ("W[:, :, q] @ x", "W[:, :, -1 - q] @ x", "flipped"),
        (" + b[:, None]", "", "bias is missing"),
        ("dx[:, :, seen] +=", "dx[:, :, seen] =", "windows overlap"),
        ("slice(q * self.dilation, q * self.dilation + T_out)", "slice(q, q + T_out)", "dilation is forgotten"),
        ("dW[:, :, q] =", "dW[:, :, -1 - q] =", "reverse order"),
        ('"b": dy.sum(axis=(0, 2))', '"b": dy.mean(axis=(0, 2))', "db is a mean"),
        (', "b": dy.sum(axis=(0, 2))', "", "leaves no 'b' in grads"),
    ],
    "06-prints": [
        ('"A": "batch reversed"', '"A": "replaced"', "A: “replaced” leaves the corners right"),
        ('"B": "replaced"', '"B": "channels mixed"', "B: “channels mixed” leaves no channel right"),
        ('"C": "one channel for all"', '"C": "factor 2"', "C: “factor 2” leaves nothing right"),
        ('"C": "one channel for all"', '"C": "the third"', "not one of the six"),
        ('"C": "one channel for all",', "", "a name for each picture"),
    ],
    "06-softmax": [
        ("y - y.max(axis=1, keepdims=True)", "y", "of *each row*"),
        ("y - y.max(axis=1, keepdims=True)", "y - y.max()", "of *each row*"),
        ("log_p[rows, t]", "np.log(np.exp(log_p))[rows, t]", "never take the logarithm of a probability"),
        (".mean()", ".sum()", "the loss is summed over the batch"),
        ("-log_p[rows", "log_p[rows", "the sign is reversed"),
        ("return loss, dy / len(y)", "return loss, dy", "dy is not divided by N"),
        ("-= 1", "-= 0", "does not depend on the correct class"),
        ("return loss, dy / len(y)", "return loss", "expected 2 things: `return loss, dy`"),
    ],
    "06-fix": [
        ('"nohw,nchw->oc"', '"nohw,mchw->oc"', "right for a single sample"),
        ("dx[:, :, pH : dx.shape[2] - pH, pW : dx.shape[3] - pW]", "dx[:, :, : dx.shape[2] - 2 * pH, : dx.shape[3] - 2 * pW]",
         "right without padding"),
        ("dx[:, :, rows, columns] +=", "dx[:, :, rows, columns] =", "Windows overlap, their gradients add up"),
        ("dW[:, :, p, q] +=", "dW[:, :, q, p] +=", "Rows and columns of the kernel swapped"),
        ("dy.sum(axis=(0, 2, 3))", "dy.mean(axis=(0, 2, 3))", "The bias is added at every position"),
    ],
    "06-read": [
        ("range(10)", "range(0)", "guessing"),
        ("    loss, descent", "    return network.predict(x)\n    loss, descent", "return the trained network"),
        ("4 * 4, 10, seed=2),\n    ])", "4 * 4, 12, seed=2),\n    ])\n    return network", "expected ten scores"),
        ("check(\"06-read\", (learn_to_read, x, t))", "check(\"06-read\", learn_to_read)", "three things"),
        ("network = nn.Sequential([", "network = nn.Sequential([nn.Flatten(), nn.Linear(64, 10, seed=0)])\n    nn.Sequential([",
         "It even misreads"),
    ],
    "07-frame": [
        ("rfft(w * padded", "rfft(padded", "not faded in and out"),
        ("np.zeros(window // 2), x", "x", "*begins* at t · hop"),
        (" ** 2", "", "the power is its square"),
        ("np.fft.rfft", "np.fft.fft", "upper half mirrors"),
        ("w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)", "w = np.hanning(window)", "divides by window − 1"),
    ],
    "07-mel": [
        ("return np.where(f < 1000, f / (200 / 3), above)", "return 2595 * np.log10(1 + f / 700)", "HTK"),
        ("return np.where(f < 1000, f / (200 / 3), above)", "return f / (200 / 3)", "ratios, not differences"),
        (" / np.log(6.4)", "", "a factor of 6.4, not of e"),
        ("above = 15 + 27", "above = 27", "at 15 mel"),
        ("return np.where(f < 1000, f / (200 / 3), above)", "return 15 + 27 * np.log(f / 1000) / np.log(6.4)", "logarithm of 0"),
    ],
    "07-log": [
        ("np.log(1 + C * S)", "np.log(C * S)", "the 1 is missing"),
        ("np.log(1 + C * S)", "C * np.log(1 + S)", "C belongs inside"),
        ("np.log(1 + C * S)", "np.log10(1 + C * S)", "base 10"),
        ("np.log(1 + C * S)", "np.log(1 + 10_000 * S)", "use the argument C"),
    ],
    "07-tempo": [
        ("return tempos[", "return 126.0 + 0 * tempos[", "nearly the same for every song"),
        ("return tempos[", "return 1 / 60 * tempos[", "chords per *second*"),
        ("return tempos[", "return 60 / tempos[", "*seconds* a chord lasts"),
        ("return tempos[", "return 2 * tempos[", "twice the tempo"),
        ("return tempos[", "return 1.06 * tempos[", "too coarse"),
        ("return tempos[", "return -tempos[", "does not return a number above 0"),
    ],
    "08-windows": [
        ("        starts.append(frames - width)", "        pass", "the end of the song is lost"),
        ("if starts[-1] + width < frames:", "if True:", "the last window is there twice"),
        ("np.mean([f(S[:, s : s + width]) for s in starts], axis=0)", "f(S)", "the entire song at once"),
        ("starts.append(frames - width)", "starts.append(starts[-1] + width)", "too short"),
        ("np.mean([f(S", "np.sum([f(S", "Take the mean"),
        ("frames - width + 1, width)", "frames - width + 1)", "at every frame"),
    ],
    "08-best": [
        ("-(Q_hat @ p)", "Q_hat @ p", "the *worst*"),
        ("Q_hat @ p)", "Q_hat @ p / np.linalg.norm(Q_hat, axis=1))", "cosine"),
        ("np.argsort(-(Q_hat @ p))[:n]", "np.argsort(Q_hat @ p)[-n:]", "the best comes last"),
        ("np.argsort(-(Q_hat @ p))[:n]", "np.sort(Q_hat @ p)[::-1][:n]", "those are the scores"),
        ("[:n]", "", "Return only the first n"),
    ],
    "08-first-plays": [
        (" + lam * np.eye(len(q_hat))", "", "λ I is missing"),
        ("return q_hat + ", "return ", "add q̂"),
        ("(r - P @ q_hat)", "r", "what the prediction from audio leaves unexplained"),
        ("q_hat + np.linalg.solve(A, P.T @ (r - P @ q_hat))", "np.linalg.solve(A, P.T @ r)", "pulls q towards 0"),
        ("lam * np.eye(len(q_hat))", "lam", "on the diagonal"),
    ],
    "08-audio-model": [
        ("return np.concatenate(", "return S.mean(axis=1)\n        np.concatenate(", "no more. What changes in *time*"),
        ("np.log(rhythm.mean(axis=0) + 1e-3),\n                np.log1p(rhythm).ravel(),", "", "tempo, tremor"),
        ("return self.ridge", "return np.zeros((len(spectrograms), 7)) + 0 * self.ridge", "does not use the audio at all"),
        ("for S in spectrograms]))\n", "for S in spectrograms[:1]]))\n", "(45, 7)"),
    ],
}


def test_every_exercise_has_three_mistakes():
    assert {name: len(mistakes) for name, mistakes in MISTAKES.items() if len(mistakes) < 3} == {}
    assert list(MISTAKES) == NAMES


@pytest.mark.parametrize(
    ("name", "old", "new", "words"), [(name, *mistake) for name, mistakes in MISTAKES.items() for mistake in mistakes]
)
def test_a_usual_mistake_gets_its_hint(name, old, new, words):
    solution = text(name, "solution")
    assert old in solution
    found = verdict(name, solution.replace(old, new))
    assert not found.ok
    assert words in found.hint, found.hint


def test_an_answer_may_be_written_in_any_way():
    loops = """
class AveragePool:
    def __init__(self, size=(2, 2)):
        self.size = size
    def forward(self, x):
        self.x = x
        h, w = self.size
        y = np.empty((*x.shape[:2], x.shape[2] // h, x.shape[3] // w))
        for i, j in np.ndindex(y.shape[2:]):
            y[:, :, i, j] = x[:, :, i * h : i * h + h, j * w : j * w + w].sum(axis=(2, 3)) / h / w
        return y
    def backward(self, dy):
        h, w = self.size
        dx = 0 * self.x
        for i, j in np.ndindex(dy.shape[2:]):
            dx[:, :, i * h : i * h + h, j * w : j * w + w] += dy[:, :, i, j, None, None] / (h * w)
        return dx
check("05-average-pool", AveragePool)"""
    assert verdict("05-average-pool", loops).ok
    assert verdict("07-log", "\ncheck('07-log', lambda S, C: np.log1p(np.float64(C) * S))").ok
    listed = "\ncheck('08-best', lambda p, Q, n: sorted(range(len(Q)), key=lambda i: -np.dot(Q[i], p))[:n])"
    assert verdict("08-best", listed).ok


def test_nothing_passes_by_its_shape():
    rng = np.random.default_rng(0)
    for name, answer in (
        ("07-frame", lambda x, t, window, hop: rng.random(window // 2 + 1)),
        ("07-mel", lambda f: 0 * f),
        ("08-windows", lambda S, f, width: np.zeros(4)),
        ("08-first-plays", lambda q_hat, P, r, lam: q_hat),
    ):
        names = opening(name[:2])
        assert not names["check"](name, answer).ok


def test_a_network_that_knows_by_heart_is_told_to_look_through_small_windows():
    names = opening("06")

    def learn(x, t):
        network = nn.Sequential([nn.Flatten(), nn.Linear(64, 128, seed=0), nn.ReLU(), nn.Linear(128, 10, seed=1)])
        loss, descent, rng = nn.SoftmaxCrossEntropy(), nn.SGD(network, 0.1), np.random.default_rng(0)
        for _ in range(15):
            for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
                loss.forward(network.forward(x[batch]), t[batch])
                network.backward(loss.backward())
                descent.step()
        return network

    assert "through small windows" in names["check"]("06-read", (learn, names["x"], names["t"])).hint
