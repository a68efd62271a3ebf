"""Weighted factorisation of play counts, by alternating least squares (C11)."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

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

if TYPE_CHECKING:
    from acai.cf.kernels import Rows

LEAST_PIVOT = 0.05  # of a row solved in single precision: its scores are then correct to 1e-4, with usual settings to 1e-5
BLOCKS = 64  # of rows at most, for threads to take one by one: enough to spread evenly
LEAST_WORK = 2000  # entries in a block: enough to outweigh the cost of a task
MOST_WORK = 2**19  # entries in a block, not counting its first row: to compute c − 1 of so many takes some 8 MB


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

        users, songs = ratings.csr, ratings.csc.T
        self._extra_confidence(np.array([users.data.min(), users.data.max()]))  # refuse what `_solve` could not use
        self._initialise(ratings, biases=False)
        self.mu = 0.0
        self.b_u[:] = 0
        self.b_i[:] = 0
        blocks_of_users, blocks_of_songs = most_work_first(users), most_work_first(songs)
        for _ in tqdm(range(self.n_epochs), desc="ALS", unit="epoch", disable=not progress):
            self._solve(songs, blocks_of_songs, self.P, self.Q, self.cg_steps)
            self.history.append(self._solve(users, blocks_of_users, self.Q, self.P, self.cg_steps))

    def _solve(
        self, plays: sparse.csr_array, blocks: list[slice], Y: Floats, X: Floats, cg_steps: int | None = None
    ) -> float:
        """Overwrite X with the rows that fit Y best, or `cg_steps` steps closer to those; return the objective."""
        from acai.cf import als_kernels

        products = gram_matrix(Y)
        G = products + self.reg * np.eye(len(products))  # (k, k)
        loss = np.full(len(X), np.nan)
        whitening = whitening_of(G)
        Z = None if whitening is None else np.concatenate(map_blocks(lambda some: Y[some] @ whitening.W, row_blocks(len(Y))))

        def solve(block: slice) -> None:
            extra = self._extra_of(plays, block)
            which = np.arange(block.stop - block.start)
            x, losses = X[block], loss[block]
            if whitening is not None and Z is not None:
                if cg_steps is None:
                    als_kernels.als_solve(which, extra, Z, LEAST_PIVOT, x, losses)  # (C11)
                else:
                    x[:] = x @ whitening.inverse.T
                    als_kernels.als_descend(which, extra, Z, cg_steps, x, losses)  # (C14)
                x[:] = x @ whitening.W.T
            if np.isnan(losses).any():  # seldom, and only then is this kernel compiled
                als_kernels.als_solve_in_double(which, extra, Y, G, x, losses)  # (C11)

        map_blocks(solve, blocks)
        if not np.isfinite(loss).all():
            raise InputError(
                "ALS's equations are too ill-conditioned to be solved in double precision; "
                f"try a larger reg (now {self.reg:g}) or a smaller alpha (now {self.alpha:g})"
            )
        return 0.5 * float(loss.sum() + self.reg * np.trace(products))

    def _extra_of(self, plays: sparse.csr_array, block: slice) -> "Rows":
        """Compute c − 1 of some rows, without the entries that add nothing: a count of zero is as good as none.

        What is not needed twice is made anew for each block of each epoch: R may be larger than memory.
        """
        from acai.cf import kernels

        indptr = plays.indptr[block.start : block.stop + 1]
        here = slice(indptr[0], indptr[-1])
        parts = self._extra_confidence(plays.data[here]), np.array(plays.indices[here]), indptr - indptr[0]
        extra = sparse.csr_array(parts, shape=(len(indptr) - 1, plays.shape[1]))
        extra.eliminate_zeros()
        return kernels.rows_of(extra)

    def _fold_in(self, i: Codes, r: NDArray[np.float64]) -> tuple[Floats, float]:
        """Solve (C11) for p, with Q fixed."""
        i = i.astype(np.int32)  # as in R: the kernel is compiled for that
        plays = sparse.csr_array((r, i, np.array([0, len(i)], np.int32)), shape=(1, len(self.Q)))
        p = np.zeros((1, self.Q.shape[1]), np.float32)
        self._solve(plays, [slice(0, 1)], self.Q, p)
        return p[0], 0.0

    def _influence(self, i: Codes, r: NDArray[np.float64], j: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute q_i W q_j with W = (Qᵀ C Q + λI)⁻¹, and as its contribution c times that (Hu, Koren, Volinsky 2008)."""
        Q, extra = self.Q.astype(np.float64), self._extra_confidence(r).astype(np.float64)
        Y = Q[i]
        with one_blas_thread():
            A = Q.T @ Q + (Y.T * extra) @ Y + self.reg * np.eye(Q.shape[1])
            s = Y @ np.linalg.solve(A, Q[j])
        return s, np.where(extra > 0, (1 + extra) * s, 0.0)


def most_work_first(plays: sparse.csr_array) -> list[slice]:
    """Divide the rows into blocks of about the same work for threads to take, those with most work first.

    Each block is one stretch of R, which is read from its beginning to its end. A row with more entries than a block should
    have begins a block; if that block came last, it would keep one thread busy while the others have nothing left to do.
    """
    work = np.cumsum(np.diff(plays.indptr).astype(np.int64) + 16)  # a row costs about as much as 16 entries more
    enough_for_threads = min(work[-1] // LEAST_WORK, BLOCKS)
    enough_for_memory = math.ceil(work[-1] / MOST_WORK)
    n_blocks = int(max(enough_for_threads, enough_for_memory))
    cuts = np.searchsorted(work, work[-1] * np.arange(1, n_blocks) // n_blocks)
    edges = np.unique([0, *cuts, len(work)])
    sizes = np.diff(np.append(0, work)[edges])
    return [slice(edges[b], edges[b + 1]) for b in np.argsort(-sizes, kind="stable").tolist()]


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
