"""The exercises of notebook 02: users who are alike, and what they tell about a song."""

import numpy as np

from acai.cf import Baseline, GlobalMean
from acai.metrics import rmse
from acai.teaching.exercises import Wrong, task
from acai.teaching.exercises.judging import asked, judge
from acai.teaching.survey import survey


@task("02-pearson", 15)
def pearson(answer: object) -> None:
    """The Pearson correlation (C3) of two rows of R.

    Which songs did both rate? `both = ~np.isnan(r_u) & ~np.isnan(r_v)` says so, and `r_u[both]` picks them.
    Take from each its mean over *those* songs. What is left, x and y, says who likes a song more than usual.
    s = Σ x y / √(Σ x² · Σ y²). If the divisor is 0, somebody rated all these songs alike: return 0.
    """
    rng = np.random.default_rng(2)
    for _ in range(20):
        r_u, r_v = np.where(rng.random((2, 12)) < 0.3, np.nan, rng.integers(1, 6, (2, 12)))
        both = ~np.isnan(r_u) & ~np.isnan(r_v)
        x, y = r_u[both], r_v[both]
        zeros_u, zeros_v = np.nan_to_num(r_u), np.nan_to_num(r_v)
        judge(asked(answer, r_u, r_v), _cosine(x - x.mean(), y - y.mean()), {
            "you took the means over everything that each user rated. (C3) takes them over the songs that both rated.":
                _cosine(x - np.nanmean(r_u), y - np.nanmean(r_v)),
            "you did not take the means away. That is the cosine, and by it all who rate high are alike.": _cosine(x, y),
            "you filled the gaps with zeros. A gap is no bad rating: leave out songs that one of the two did not rate.":
                _cosine(zeros_u - zeros_u.mean(), zeros_v - zeros_v.mean()),
            "that is the covariance. Divide by √(Σ x² · Σ y²), so that it lies between −1 and 1.":
                ((x - x.mean()) * (y - y.mean())).mean(),
            "the gaps are still in it: anything plus NaN is NaN. Use the songs that both rated.": np.nan,
        }, f"r_u = {r_u} and r_v = {r_v}")  # fmt: skip
    with np.errstate(all="ignore"):
        value = asked(answer, np.array([4.0, 4.0, 4.0, np.nan]), np.array([1.0, 5.0, 3.0, 2.0]))
    nothing_known = "one of the two rated all the songs alike, so you divide 0 by 0. Nothing is known of their likeness: return 0."
    judge(value, 0.0, {nothing_known: np.nan}, "a user who rated all the songs alike")


def _cosine(x: np.ndarray, y: np.ndarray) -> float:
    norm = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / norm) if norm else 0.0


@task("02-predict", 10)
def predict(answer: object) -> None:
    """The prediction (C1) from the neighbours of a user.

    How far is each neighbour's rating from that neighbour's own mean? `r - r_bar`.
    Weigh these by s and add them up; then multiply by κ = 1 / Σ |s|.
    Last, go back to where user u lives: add r̄(u), which is `r_bar_u`.
    """
    rng = np.random.default_rng(3)
    for _ in range(20):
        n = rng.integers(3, 7)
        s, r, r_bar = rng.uniform(-1, 1, n).round(2), rng.integers(1, 6, n).astype(float), rng.uniform(2, 4, n).round(1)
        r_bar_u, s[0] = 3.3, -0.4  # one of them is unlike u
        moved, kappa = s @ (r - r_bar), 1 / np.abs(s).sum()
        judge(asked(answer, r_bar_u, s, r, r_bar), r_bar_u + kappa * moved, {
            "you forgot to add r̄(u): this says only how far above the user's mean the song lies.": kappa * moved,
            "you divided by Σ s. With negative s that can be anything, even 0; κ = 1 / Σ |s|.": r_bar_u + moved / s.sum(),
            "you divided by the number of neighbours. κ = 1 / Σ |s|: a close neighbour counts more.": r_bar_u + moved / n,
            "you forgot κ: the more neighbours, the further this runs away.": r_bar_u + moved,
            "you did not take each neighbour's own mean away, so kind raters lift every song.": r_bar_u + kappa * (s @ r),
            "you took r̄(u) away from the neighbours' ratings. Each has a mean of their own.":
                r_bar_u + kappa * (s @ (r - r_bar_u)),
        }, f"s = {s}, r = {r}, r_bar = {r_bar}, r_bar_u = {r_bar_u}")  # fmt: skip


@task("02-shrinkage", 5)
def shrinkage(answer: object) -> None:
    """Trust a likeness the more, the more songs it rests on: s · n / (n + β).

    Two users with 2 songs in common are alike by chance. What should s become for n = 2 and β = 10? And for n = 1000?
    The weight n / (n + β) is 0 where n = 0, one half where n = β, and near 1 where n is large.
    """
    rng = np.random.default_rng(4)
    s, n, beta = rng.uniform(-1, 1, 9), rng.integers(1, 40, 9).astype(float), 7.0
    judge(asked(answer, s, n, beta), s * n / (n + beta), {
        "turned round: that trusts a likeness the *less*, the more songs it rests on.": s * beta / (n + beta),
        "the weight must stay below 1; n / β grows for ever.": s * n / beta,
        "that is the weight alone; multiply s by it.": n / (n + beta),
        "that makes likenesses larger: multiply by n and divide by n + β, not the other way round.": s * (n + beta) / n,
    }, "nine pairs of users and β = 7")  # fmt: skip


@task("02-beat-baseline", 40)
def beat_baseline(answer: object) -> None:
    """Predict stars a quarter better than the baseline (C12) does.

    `UserKNN` has settings: how many neighbours, shrinkage, what a rating is measured from. `ItemKNN` has the same for songs.
    There are fewer songs than users here, and so more ratings for each song: likeness between songs rests on more.
    Part the ratings that you are given once more, with `train.split()`, and choose the settings on the second part.
    """
    train, test = survey(seed=11).ratings.split(0.2, seed=11)
    users, songs, truth = [test.users[u] for u in test.user_codes], [test.songs[i] for i in test.csr.indices], test.csr.data
    r_hat = np.asarray(asked(answer, train, users, songs), dtype=float)
    if r_hat.shape != truth.shape or not np.isfinite(r_hat).all():
        raise Wrong(f"expected one finite number for each of the {len(truth)} pairs; this has shape {r_hat.shape}.")
    baseline = Baseline().fit(train).predict(users, songs)
    for hint, wrong in {
        "that is the global mean: everybody thinks of every song the same.": GlobalMean().fit(train).predict(users, songs),
        "that is the baseline itself: it knows who is kind and which song is good, but not who likes what.": baseline,
        "that is each user's own mean: it does not look at the song at all.":
            (np.bincount(train.user_codes, train.csr.data) / np.bincount(train.user_codes))[test.user_codes],
    }.items():  # fmt: skip
        if np.allclose(r_hat, wrong, atol=1e-4):
            raise Wrong(hint)
    mine, theirs, spread = rmse(truth, r_hat), rmse(truth, baseline), r_hat.std() / truth.std()
    if mine > 0.75 * theirs:
        advice = "Look at the number of neighbours, and at whether songs or users have more in common."
        if spread > 0.9:
            advice = "It varies about as much as the ratings do, which is too bold: ask more neighbours."
        asked_rmse = f"at most {0.75 * theirs:.3f} is asked for, 25 % below the baseline's {theirs:.3f}"
        raise Wrong(f"its RMSE is {mine:.3f}, {1 - mine / theirs:.1%} below; {asked_rmse}. {advice}")
