"""Worked examples of part C, first half: four listeners and four songs."""

import numpy as np

from acai.cf import Baseline, UserKNN, plain
from acai.ratings import Ratings
from acai.reader.examples.registry import example_of
from acai.reference import cf as loops

R = {
    (0, 0): 5.0, (0, 1): 3.0, (0, 2): 4.0, (1, 0): 4.0, (1, 1): 2.0, (1, 2): 4.0, (1, 3): 5.0,
    (2, 0): 1.0, (2, 1): 4.0, (2, 3): 2.0, (3, 1): 3.0, (3, 2): 5.0, (3, 3): 4.0,
}
M, N = 4, 4
DENSE = np.array([[R.get((u, i), np.nan) for i in range(N)] for u in range(M)])


def matrix(values: dict[tuple[int, int], float] = R, m: int = M, n: int = N) -> Ratings:
    """Return the ratings as the models take them."""
    u, i = (np.array(codes) for codes in zip(*values))
    return Ratings.from_codes(u, i, np.array(list(values.values()), np.float32), range(m), range(n))


def similarities(
    name: str, values: dict[tuple[int, int], float] = R, m: int = M, k: int = M, asymmetry: float = 0.5
) -> list[list[float]]:
    """Return the similarities that the fast code finds between all users."""
    found = np.zeros((m, m))
    model = UserKNN(k=k, similarity=name, shrinkage=0, asymmetry=asymmetry).fit(matrix(values, m))
    for block, lists in model.search.map(lambda *found: found, np.arange(m)):
        found[np.repeat(block, np.diff(lists.starts)), lists.v] = lists.s
    return found.tolist()


@example_of("C1")
def predicted() -> tuple[object, object, object]:
    """Predict the rating of the first user for the last song."""
    s = [[max(0.0, loops.pearson(R, u, v)) if u != v else 0.0 for v in range(M)] for u in range(M)]
    fast = UserKNN(k=2, similarity="pearson", shrinkage=0).fit(matrix()).predict([0], [3])[0]
    return loops.predicted(R, s, 2, 0, 3), fast, plain.predict(DENSE, np.array(s), 2, 0, 3)


@example_of("C2")
def indicator() -> tuple[object, object, object]:
    """Choose the two nearest of each of three users."""
    three = {(u, i): r for (u, i), r in R.items() if u < 3}
    return loops.indicator(three, 1, 3), similarities("indicator", three, 3, k=1), plain.indicator(DENSE[:3], 1)


@example_of("C3")
def pearson() -> tuple[object, object, object]:
    """Compare the first two users."""
    return loops.pearson(R, 0, 1), similarities("pearson")[0][1], plain.pearson(plain.co_rated_sums(DENSE))[0, 1]


@example_of("C13")
def asymmetric_cosine() -> tuple[object, object, object]:
    """Compare the first two users, the second counting for more."""
    fast = similarities("asymmetric", asymmetry=0.2)[0][1]
    return loops.asymmetric_cosine(R, 0, 1, 0.2), fast, plain.asymmetric(plain.co_rated_sums(DENSE, alpha=0.2))[0, 1]


@example_of("C12")
def biases() -> tuple[object, object]:
    """Find the biases in one round, and predict the rating of the first user for the last song."""
    model = Baseline(n_epochs=1, reg_u=2.0, reg_i=1.0).fit(matrix())
    mu, b_u, b_i = loops.biases(R, M, N, 2.0, 1.0, 1)
    found = {"μ": mu, "b(u)": b_u, "b(i)": b_i, "r̂": loops.baseline(mu, b_u, b_i, 0, 3)}
    return found, [model.mu, *model.b_u, *model.b_i, model.predict([0], [3])[0]]
