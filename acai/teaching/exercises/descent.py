"""The exercises of notebook 04: downhill, step by step."""

import numpy as np

from acai.metrics import rmse
from acai.teaching.exercises import Wrong, task
from acai.teaching.exercises.judging import asked, asked_for, judge
from acai.teaching.survey import survey


@task("04-largest-rate", 15)
def largest_rate(answer: object) -> None:
    """The rate beyond which descent runs away.

    In a direction in which F = ½ h x², a step takes x to (1 − η h) x. When does x grow?
    When η h > 2. The first direction to run away is the one of the largest curvature h.
    The curvatures are the eigenvalues of H: `np.linalg.eigvalsh(H)`.
    """
    rng = np.random.default_rng(3)
    for n in (3, 2, 5):
        A = rng.normal(size=(n + 3, n))
        H = A.T @ A
        low, high = np.linalg.eigvalsh(H)[[0, -1]]
        judge(asked(answer, H), 2 / high, {
            "that is the best rate for the steepest direction, which then is done in one step. It may be twice as large.": 1 / high,
            "you took the flattest direction. The steepest is the first to run away.": 2 / low,
            "that is the rate that is fastest over all, 2 / (λ_min + λ_max). It may be a little larger.": 2 / (low + high),
            "the trace is the *sum* of all curvatures. That is safe, and smaller than need be.": 2 / np.trace(H),
            "you took the largest entry of the diagonal. The steepest direction need not be an axis.": 2 / np.diag(H).max(),
            "turned round: the steeper, the smaller the rate must be.": high / 2,
        }, f"H = {H.round(2).tolist()}")  # fmt: skip


@task("04-step", 5)
def step(answer: object) -> None:
    """One step with momentum (C10).

    Two lines: first the new Δw, from the old one and the gradient; then w, from the new Δw.
    Δw ← α Δw − η ∇F, then w ← w + Δw.
    """
    rng = np.random.default_rng(2)
    w, dw, g, eta, alpha = *rng.normal(size=(3, 5)), 0.1, 0.8
    new = alpha * dw - eta * g
    judge(np.array(asked_for("w, dw", answer, w, dw, g, eta, alpha)), [w + new, new], {
        "w moves by the *old* Δw. First Δw, then w.": [w + dw, new],
        "that is plain descent: Δw must remember, α Δw.": [w - eta * g, -eta * g],
        "w goes uphill: take η ∇F away.": [w + alpha * dw + eta * g, alpha * dw + eta * g],
        "α counts twice: it is in Δw already.": [w + alpha * new, new],
        "η counts twice: it is in Δw already.": [w + eta * new, new],
        "(1 − α) is not in (C10). That is another kind of momentum, an average of gradients.":
            [w + alpha * dw - eta * (1 - alpha) * g, alpha * dw - eta * (1 - alpha) * g],
        "you kept w as Δw, or gave them in the wrong order: w first.": [new, w + new],
        "Δw has moved w, but you return the old Δw, and the next step needs the new one.": [w + new, dw],
    }, "five parameters")  # fmt: skip


@task("04-catch-up", 15)
def catch_up(answer: object) -> None:
    """T steps without a gradient, at once.

    Write down the first three steps with ∇F = 0: Δw becomes α Δw, α² Δw, α³ Δw, and w moves by each of them.
    α + α² + … + αᵗ is a geometric series.
    Its sum is α (1 − αᵗ) / (1 − α).
    """
    rng = np.random.default_rng(4)
    for alpha, t in ((0.9, 7), (0.5, 3), (0.99, 400), (0.9, 0), (0.0, 5)):
        w, dw = rng.normal(size=(2, 3))
        moved, shrunk = alpha * (1 - alpha**t) / (1 - alpha), alpha**t
        judge(np.array(asked_for("w, dw", answer, w, dw, alpha, t)), [w + moved * dw, shrunk * dw], {
            "the first of the t steps moves w by α Δw, not by Δw: the sum is α + α² + … + αᵗ.":
                [w + dw * (1 - alpha**t) / (1 - alpha), shrunk * dw],
            "that is where w ends after infinitely many steps; t of them get 1 − αᵗ of the way.":
                [w + dw * alpha / (1 - alpha), shrunk * dw],
            "Δw shrinks at every step, so t steps are less than t times the first.": [w + t * alpha * dw, shrunk * dw],
            "Δw has shrunk, too: return αᵗ Δw.": [w + moved * dw, dw],
            "that is the last of the t steps alone. Add up all of them.": [w + shrunk * dw, shrunk * dw],
            "w has moved by the right way, but Δw shrinks by α at each of the t steps, not once.": [w + moved * dw, alpha * dw],
        }, f"α = {alpha} and t = {t}")  # fmt: skip


@task("04-gradient", 10)
def gradient(answer: object) -> None:
    """The gradient of one entry's part of the objective (C8).

    F_j = ½ e² + λ/2 (‖p‖² + ‖q‖²), where e = r − p·q. First: what is the derivative of e by p?
    It is −q. So, by the chain rule, ½ e² has the derivative −e q.
    To that comes λ p. And for q the same, with p and q exchanged.
    """
    rng = np.random.default_rng(1)
    for _ in range(5):
        p, q, r, lam = rng.normal(size=4), rng.normal(size=4), rng.uniform(1, 5), 0.3
        e = r - p @ q
        judge(np.array(asked_for("dp, dq", answer, p, q, r, lam)), [lam * p - e * q, lam * q - e * p], {
            "the sign is turned round: that is the way down. The gradient points up, and the step takes it away.":
                [e * q - lam * p, e * p - lam * q],
            "p and q are exchanged: how fast F changes with p is said by q.": [lam * p - e * p, lam * q - e * q],
            "you forgot λ: the derivative of λ/2 ‖p‖² is λ p.": [-e * q, -e * p],
            "the sign before e is wrong. By the chain rule the derivative of ½ e² is e times that of e, and the inner derivative "
            "of r − p·q by p is −q.": [lam * p + e * q, lam * q + e * p],
            "the sign of λ is turned round: it must pull p towards zero.": [-lam * p - e * q, -lam * q - e * p],
            "a 2 too many: the ½ of F takes it away.": [2 * lam * p - 2 * e * q, 2 * lam * q - 2 * e * p],
            "λ counts twice: the ½ in λ/2 ‖p‖² takes the 2 away.": [2 * lam * p - e * q, 2 * lam * q - e * p],
            "that uses r, not the error e = r − p·q.": [lam * p - r * q, lam * q - r * p],
        }, "four hidden features")  # fmt: skip


@task("04-fit", 60)
def fit(answer: object) -> None:
    """A factorisation of your own, by stochastic descent.

    An epoch: for every known entry, in random order, the error e = r − r̂, and then a step of p_u and of q_i.
    The steps are in `gradient`: p_u ← p_u + η (e q_i − λ p_u), and q_i the same, with the p_u from *before* that step.
    The biases step, too. Their gradients are those of p and q with a 1 on the other side: b_u ← b_u + η (e − λ b_u).
    Settings that work: k = 3, 40 epochs, η = 0.03, λ = 0.1.
    """
    secret = survey(120, 60, asked=0.4, seed=12)
    train, test = secret.ratings.split(0.2, seed=12)
    u, i, r = train.user_codes, train.csr.indices, train.csr.data.astype(float)
    R_hat = np.asarray(asked(answer, u, i, r, train.n_users, train.n_songs), dtype=float)
    if R_hat.shape != train.csr.shape:
        raise Wrong(f"it returns an array of shape {R_hat.shape}; expected r̂ of every user and song, {train.csr.shape}.")
    if not np.isfinite(R_hat).all():
        raise Wrong("it diverged: some of it is not finite. Try a smaller η; if that does not help, look at the sign of the step.")
    taste = R_hat - R_hat.mean(axis=0) - R_hat.mean(axis=1, keepdims=True) + R_hat.mean()
    if taste.std() < 1e-9:
        raise Wrong("it knows nothing of taste: P Qᵀ is 0. From P = Q = 0 no step leads away; begin with random numbers.")
    if R_hat.std() < 0.05:
        raise Wrong("nothing is learnt yet: r̂ is the mean of all stars, for everybody. Fill in the steps downhill.")
    if taste.std() < 0.05:
        raise Wrong("it knows nothing of taste: P Qᵀ is nearly 0. P and Q must step, too; or do they need more epochs, a larger η?")
    told = np.clip(R_hat, 1, 5)
    here, there = rmse(r, told[u, i]), rmse(test.csr.data, told[test.user_codes, test.csr.indices])
    if there <= 0.67:
        return
    score = f"RMSE {there:.3f} on hidden stars ({here:.3f} on those it was given); at most 0.67 is asked for."
    if here < 0.6 * there:
        raise Wrong(f"{score} It knows its own stars too well, by heart: a larger λ, fewer features or fewer epochs.")
    off = [np.sqrt(np.mean((np.bincount(x, r - told[u, i]) / np.bincount(x)) ** 2)) for x in (u, i)]
    if max(off) > 0.1:
        raise Wrong(f"{score} Kind listeners and good songs are not in your r̂: add b_u and b_i, and let both step, too.")
    raise Wrong(f"{score} It has not learnt what it was given: more epochs, or a larger η.")
