"""Weighted factorisation of play counts, by alternating least squares (C11)."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acai.cf.factor_model import MOST_FACTORS, FactorModel, Floats
from acai.cf.inputs import Codes
from acai.cf.iterative import IterativeFactorModel
from acai.errors import InputError
from acai.ratings import Ratings
from acai.settings import setting
from acai.threads import map_blocks, one_blas_thread

LEAST_PIVOT = 0.05  # of a row solved in single precision: its scores are then correct to 1e-4, with usual settings to 1e-5
BLOCKS = 64  # of rows at most, for threads to take one by one: enough to spread evenly
LEAST_WORK = 2000  # entries in a block: enough to outweigh the cost of a task


@dataclass
class ALS(IterativeFactorModel):
    """Weighted factorisation of play counts (C11; Hu, Koren, Volinsky 2008).

    Plays are not ratings: a user who played a song likes it (x = 1), and the confidence in that grows with the number of
    plays; a user who did not play it probably does not like it (x = 0), with confidence 1. P and Q minimise, over *all*
    entries of R,

        ½ Σ_{u,i} c(u,i) (x(u,i) − p_u·q_i)² + λ/2 (‖P‖² + ‖Q‖²),    c = 1 + α log(1 + r/ε)

    with the confidence of van den Oord, Dieleman and Schrauwen 2013. With Q fixed this is a least squares problem for
    each user, and with P fixed for each song: both are solved exactly, in turn. `predict` returns the preference p_u·q_i,
    near 1 for what is liked.

    Parameters
    ----------
    n_factors : int
        k, the number of latent factors.
    n_epochs : int
        How many times to solve for all songs and then for all users.
    reg : float
        λ > 0: without it, a song that nobody played has no best q.
    alpha, epsilon : float
        α > 0 and ε > 0 of the confidence.
    cg_steps : int or None
        How many steps of conjugate gradient (C14) to take towards the solution of each least squares problem, from where
        the last epoch ended; None solves exactly. Three are usually as good, and faster where users have many songs.
        Where single precision is too coarse, the problem is solved exactly.
    init_std : float
        The standard deviation of the normal distribution that P starts from.
    seed : int
        Seed of that start.
    init : FactorModel or None
        A warm start: begin with the P of this model, fitted on the same axes, rather than at random.
    """

    n_factors: int = setting(50, at_least=1, at_most=MOST_FACTORS)
    n_epochs: int = setting(15, at_least=0)
    reg: float = setting(0.1, more_than=0)
    alpha: float = setting(2.0, more_than=0)
    epsilon: float = setting(1.0, more_than=0)
    cg_steps: int | None = setting(None, at_least=1)
    init_std: float = setting(0.1, at_least=0, at_most=1000)
    seed: int = setting(0, at_least=0)
    init: FactorModel | None = field(default=None, repr=False)

    @property
    def predicts_ratings(self) -> bool:
        """No: a preference, from about 0 to about 1."""
        return False

    def _extra_confidence(self, r: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Compute c − 1: what a play count adds to the confidence of 1 that every entry has."""
        if len(r) and r.min() < 0:
            raise InputError(f"{r.min():g} plays; expected counts of 0 or more")
        with np.errstate(over="ignore"):
            extra: NDArray[np.float32] = (self.alpha * np.log1p(r.astype(np.float64) / self.epsilon)).astype(np.float32)  # (C11)
        if not np.isfinite(extra).all():
            raise InputError(
                f"alpha={self.alpha:g} and epsilon={self.epsilon:g} give {r.max():g} plays an infinite confidence; "
                "try a smaller alpha or a larger epsilon"
            )
        return extra

    def _learn(self, ratings: Ratings, progress: bool) -> None:
        from tqdm import tqdm

        # a count of zero is as good as none
        extra = ratings.keep(ratings.csr.data != 0).map(self._extra_confidence)
        self._initialise(ratings, biases=False)
        self.mu = 0.0
        self.b_u[:] = 0
        self.b_i[:] = 0
        users, songs = extra.csr, extra.csc.T
        blocks_of_users, blocks_of_songs = longest_first(users), longest_first(songs)
        for _ in tqdm(range(self.n_epochs), desc="ALS", unit="epoch", disable=not progress):
            self._solve(songs, blocks_of_songs, self.P, self.Q, self.cg_steps)
            self.history.append(self._solve(users, blocks_of_users, self.Q, self.P, self.cg_steps))

    def _solve(
        self, extra: sparse.csr_array, blocks: list[NDArray[np.intp]], Y: Floats, X: Floats, cg_steps: int | None = None
    ) -> float:
        """Overwrite X with the rows that fit Y best, or `cg_steps` steps closer to those; return the objective."""
        from acai.cf import als_kernels, kernels

        products = gram_matrix(Y)
        G = products + self.reg * np.eye(len(products))  # (k, k)
        rows, loss = kernels.rows_of(extra), np.full(len(X), np.nan)
        whitening = whitening_of(G)
        Z = None if whitening is None else np.concatenate(map_blocks(lambda some: Y[some] @ whitening.W, row_blocks(len(Y))))

        def solve(which: NDArray[np.intp]) -> None:
            if whitening is not None and Z is not None:
                if cg_steps is None:
                    als_kernels.als_solve(which, rows, Z, LEAST_PIVOT, X, loss)  # (C11)
                else:
                    X[which] = X[which] @ whitening.inverse.T
                    als_kernels.als_descend(which, rows, Z, cg_steps, X, loss)  # (C14)
                X[which] = X[which] @ whitening.W.T
            if np.isnan(loss[which]).any():  # seldom, and only then is this kernel compiled
                als_kernels.als_solve_in_double(which, rows, Y, G, X, loss)  # (C11)

        map_blocks(solve, blocks)
        if not np.isfinite(loss).all():
            raise InputError(
                "ALS's equations are too ill-conditioned to be solved in double precision; "
                f"try a larger reg (now {self.reg:g}) or a smaller alpha (now {self.alpha:g})"
            )
        return 0.5 * float(loss.sum() + self.reg * np.trace(products))

    def _fold_in(self, i: Codes, r: NDArray[np.float64]) -> tuple[Floats, float]:
        """Solve (C11) for p, with Q fixed."""
        i = i.astype(np.int32)  # as in R: the kernel is compiled for that
        extra = sparse.csr_array((self._extra_confidence(r), (np.zeros_like(i), i)), shape=(1, len(self.Q)))
        extra.eliminate_zeros()
        p = np.zeros((1, self.Q.shape[1]), np.float32)
        self._solve(extra, longest_first(extra), self.Q, p)
        return p[0], 0.0

    def _influence(self, i: Codes, r: NDArray[np.float64], j: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute q_i W q_j with W = (Qᵀ C Q + λI)⁻¹, and as its contribution c times that (Hu, Koren, Volinsky 2008)."""
        Q, extra = self.Q.astype(np.float64), self._extra_confidence(r).astype(np.float64)
        Y = Q[i]
        with one_blas_thread():
            A = Q.T @ Q + (Y.T * extra) @ Y + self.reg * np.eye(Q.shape[1])
            s = Y @ np.linalg.solve(A, Q[j])
        return s, np.where(extra > 0, (1 + extra) * s, 0.0)


def longest_first(extra: sparse.csr_array) -> list[NDArray[np.intp]]:
    """Divide the rows into blocks of about the same work for threads to take, those with most entries first.

    A row of many entries taken last would keep one thread busy while the others have nothing left to do.
    """
    lengths = np.diff(extra.indptr)
    order = np.argsort(-lengths, kind="stable")
    work = np.cumsum(lengths[order] + 16)  # a row costs about as much as 16 entries, whatever its length
    n_blocks = int(np.clip(work[-1] // LEAST_WORK, 1, BLOCKS))
    return np.split(order, np.searchsorted(work, work[-1] * np.arange(1, n_blocks) / n_blocks))


class Whitening(NamedTuple):
    """The change to coordinates in which G is the identity: Wᵀ G W = I."""

    W: NDArray[np.float32]
    inverse: NDArray[np.float32]


def whitening_of(G: NDArray[np.float64]) -> Whitening | None:
    """Find coordinates in which G is the identity; None if single precision is too coarse for them."""
    with one_blas_thread():
        eigenvalues, V = np.linalg.eigh(G)  # G = V diag(eigenvalues) Vᵀ
    if not eigenvalues[0] > 1e-4 * eigenvalues[-1]:
        return None
    root = np.sqrt(eigenvalues)
    return Whitening((V / root).astype(np.float32), (V * root).T.astype(np.float32))


def row_blocks(n: int) -> list[slice]:
    """Divide n rows into blocks for matrix products, which depend on n alone."""
    return [slice(start, start + 1024) for start in range(0, n, 1024)]


def gram_matrix(Y: Floats) -> NDArray[np.float64]:
    """Compute YᵀY in double precision, on all cores."""
    parts = map_blocks(lambda some: Y[some].T.astype(np.float64) @ Y[some].astype(np.float64), row_blocks(len(Y)))
    G: NDArray[np.float64] = np.sum(parts, axis=0)
    return G
