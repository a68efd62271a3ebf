"""The exercises of notebook 03: what is behind the stars, by singular value decomposition."""

import numpy as np

from acai.teaching.exercises import Wrong, task
from acai.teaching.exercises.judging import asked, asked_for, judge


@task("03-rank-k", 10)
def rank_k(answer: object) -> None:
    """The nearest table of rank k (C6).

    `M, sigma, N_T = np.linalg.svd(R, full_matrices=False)` gives M, the singular values, and Nᵀ (not N).
    Keep `M[:, :k]`, `sigma[:k]` and `N_T[:k]`.
    Multiply: `M[:, :k] * sigma[:k]` is M_k Σ_k; then `@ N_T[:k]`.
    """
    rng = np.random.default_rng(1)
    for k in (3, 1, 4):
        R = rng.normal(size=(9, 6))
        M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
        R_k = lambda j, M=M, sigma=sigma, N_T=N_T: (M[:, :j] * sigma[:j]) @ N_T[:j]
        judge(asked(answer, R, k), R_k(k), {
            "that is R itself: keep the first k columns of M, the first k of σ, and the first k rows of Nᵀ.": R,
            "you forgot Σ: M_k Nᵀ_k alone has the right directions, and the wrong lengths.": M[:, :k] @ N_T[:k],
            "you kept one too many: `M[:, :k]` has k columns.": R_k(k + 1),
            "you kept one too few: `M[:, :k]` has k columns.": R_k(k - 1),
            "you kept the k *smallest* singular values. NumPy gives the largest first.": R - R_k(6 - k),
            "the third that `np.linalg.svd` gives is Nᵀ already: take its first k *rows*, not columns.":
                (M[:, :k] * sigma[:k]) @ N_T.T[:k],
        }, f"a table of 9 × 6 and k = {k}")  # fmt: skip


@task("03-enough", 10)
def enough(answer: object) -> None:
    """How many features keep a share of Σσ².

    `np.cumsum(sigma**2)` adds them up from the left; the last entry is the sum of all.
    Where does it first reach the share of the sum? `np.argmax(condition)` is the first place where a condition holds.
    Places begin with 0, so one feature is place 0.
    """
    rng = np.random.default_rng(4)
    cases = [(np.sort(rng.uniform(0.1, 9, 12))[::-1], share) for share in (0.5, 0.7, 0.8, 0.9, 0.95, 0.99) for _ in range(4)]
    cases.append((np.array([2.0, 1.0, 1.0, 1.0, 1.0]), 0.5))  # the first has exactly half
    kept = lambda s, power, share: int(np.argmax(np.cumsum(s**power) >= share * (s**power).sum() - 1e-12)) + 1
    of = lambda how: np.array([how(s, share) for s, share in cases])
    right = of(lambda s, share: kept(s, 2, share))
    judge(np.array([asked(answer, s, share) for s, share in cases]), right, {
        "you added up σ. What is lost by leaving a feature out is its *square*: ‖R − R_k‖² = Σ σ² of what is left out.":
            of(lambda s, share: kept(s, 1, share)),
        "one too few: positions in Python begin with 0, and one feature is `k = 1`.": right - 1,
        "one too many: stop as soon as the share is reached.": right + 1,
        "you count the singular values above a share of the largest. Add up squares until the share of all is reached.":
            of(lambda s, share: int((s >= share * s[0]).sum())),
        "that is the share reversed: it keeps what may be left out.": of(lambda s, share: kept(s, 2, 1 - share)),
    }, [f"σ = {s.round(2)} and a share of {share}" for s, share in cases])  # fmt: skip


@task("03-factors", 10)
def factors(answer: object) -> None:
    """The factors P and Q from a decomposition (C7).

    P is M_k: the first k columns of M.
    Q is N_k Σ_k: transpose what NumPy gives, keep k columns, and multiply each by its singular value.
    """
    rng = np.random.default_rng(2)
    R, k = rng.normal(size=(8, 7)), 3
    M, sigma, N_T = np.linalg.svd(R, full_matrices=False)
    P, Q = (np.asarray(x, dtype=float) for x in asked_for("P, Q", answer, R, k))
    if Q.shape == (k, 7):
        raise Wrong("Q has a row for each feature. It needs a row for each song, as P has one for each user: transpose it.")
    if P.shape != (8, k) or Q.shape != (7, k):
        raise Wrong(f"P has shape {P.shape} and Q {Q.shape}; expected (8, {k}) and (7, {k}): one row a user, one row a song.")
    lengths = lambda x: np.sqrt((x**2).sum(axis=0))
    s, one = sigma[:k], np.ones(k)
    judge(np.stack([lengths(P), lengths(Q)]), np.stack([one, s]), {
        "Σ went into P. (C7) puts it into Q, so that the columns of P have length 1: P = M_k, Q = N_k Σ_k.": np.stack([s, one]),
        "you shared Σ out, √Σ to each. That is a fine factorisation, but not (C7): P = M_k, Q = N_k Σ_k.": np.sqrt([s, s]),
        "Σ is nowhere, and P Qᵀ is not R_k: Q = N_k Σ_k.": np.stack([one, one]),
        "Σ is in both, so it counts twice in P Qᵀ. It belongs to Q alone.": np.stack([s, s]),
    }, "the lengths of the columns of P (first row) and Q (second row)")  # fmt: skip
    judge(P @ Q.T, (M[:, :k] * s) @ N_T[:k], {}, "P Qᵀ, which should be R_k,")


@task("03-filled", 5)
def filled(answer: object) -> None:
    """Gaps filled with the means of the songs.

    `np.nanmean(R, axis=0)` is the mean of each column, gaps left out.
    `np.where(np.isnan(R), a, R)` takes a where R has a gap.
    """
    rng = np.random.default_rng(3)
    for _ in range(5):
        R = np.where(rng.random((6, 6)) < 0.4, np.nan, rng.integers(1, 6, (6, 6)))
        R[0, :], R[:, 0] = 3, [3, 1, 5, 2, 4, 1]  # nobody and no song is without a rating
        gaps = np.isnan(R)
        fill = lambda value, R=R, gaps=gaps: np.where(gaps, value, R)
        songs = np.nanmean(R, axis=0)
        judge(asked(answer, R), fill(songs), {
            "these are the means of the users, the rows. The mean of a song is over its column: `axis=0`.":
                fill(np.nanmean(R, axis=1)[:, None]),
            "you filled every gap with the mean of all stars. Each song has a mean of its own.": fill(np.nanmean(R)),
            "zeros are worse than 1 star: they say that everybody hates what they have not heard.": fill(0.0),
            "the gaps count as zeros in your means, which pulls them down. `np.nanmean` leaves gaps out.":
                fill(np.nan_to_num(R).mean(axis=0)),
            "what was known is gone, too: fill the gaps only.": np.broadcast_to(songs, R.shape),
            "there are still gaps: a mean over something that has NaN in it is NaN. See `np.nanmean`.": np.nan,
        }, f"R = {R.tolist()}")  # fmt: skip


@task("03-imputed", 40)
def imputed(answer: object) -> None:
    """Gaps filled with what the decomposition says, again and again.

    Remember where the gaps are before you fill them: `gaps = np.isnan(R)`.
    A step: decompose the filled table, keep k features, and take R_k where there was a gap, R where there was none.
    Repeat that `steps` times, each time with the table of the step before.
    """
    rng = np.random.default_rng(5)
    for m, n, k, steps in ((12, 9, 2, 4), (15, 10, 1, 6)):
        R = rng.normal(size=(m, 3)) @ rng.normal(size=(3, n)) + 3
        R[rng.random((m, n)) < 0.3] = np.nan
        R[0], R[:, 0] = np.arange(n) % 5 + 1.0, np.arange(m) % 5 + 1.0
        gaps, start = np.isnan(R), np.where(np.isnan(R), np.nanmean(R, axis=0), R)
        judge(asked(answer, R, k, steps), _imputed(start, gaps, k, steps), {
            "the known stars have been overwritten: after each step, put what is known back in its place.":
                _imputed(start, gaps, k, steps, keep=False),
            "that is one step only. Decompose again what you have filled, as often as asked.": _imputed(start, gaps, k, 1),
            "that is the table filled with the means of the songs. Now replace the gaps by R_k of it, and again.": start,
            "one step too few.": _imputed(start, gaps, k, steps - 1),
            "one step too many.": _imputed(start, gaps, k, steps + 1),
            "you begin with zeros in the gaps; begin with the means of the songs.":
                _imputed(np.where(gaps, 0, R), gaps, k, steps),
            "you keep k + 1 features.": _imputed(start, gaps, k + 1, steps),
        }, f"a table of {m} × {n}, k = {k} and {steps} steps")  # fmt: skip


def _imputed(X: np.ndarray, gaps: np.ndarray, k: int, steps: int, keep: bool = True) -> np.ndarray:
    for _ in range(steps):
        M, sigma, N_T = np.linalg.svd(X, full_matrices=False)
        X = np.where(gaps | (not keep), (M[:, :k] * sigma[:k]) @ N_T[:k], X)
    return X
