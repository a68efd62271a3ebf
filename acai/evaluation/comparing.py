"""Which of several models is better, and which differences between them may be noise (README, part E)."""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from acai.cf.recommender import Recommender
from acai.errors import InputError
from acai.evaluation.bootstrap import Intervals, UserScores, simultaneous_intervals
from acai.evaluation.offline import EvaluationOptions, folds_of
from acai.evaluation.per_user import PER_USER, RATING, checked_metrics, evaluate_per_user, expect_model
from acai.html_table import html_table
from acai.ratings import Ratings
from acai.settings import Limits, checked, checked_jobs

LEAST_USERS = 10  # that must have a metric: a bootstrap of fewer says little


@dataclass(frozen=True)
class Difference:
    """By how much two models differ in one metric.

    Attributes
    ----------
    metric, a, b : str
        The metric, and the names of the two models.
    delta : float
        The metric of a minus that of b (E9).
    low, high : float
        The interval (E11).
    p : float
        The smallest 1 − level at which the interval would leave out 0; corrected for all differences, as the intervals are.
    """

    metric: str
    a: str
    b: str
    delta: float
    low: float
    high: float
    p: float

    @property
    def is_noise(self) -> bool:
        """Whether the difference may be due to which users, splits and seeds there happened to be: 0 is in the interval."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        """Say in words which model is better, or that this may be noise."""
        if self.is_noise:
            interval = f"{self.delta:.4f} ({self.low:.4f} to {self.high:.4f})"
            return f"{self.metric}: {self.a} and {self.b} differ by {interval}, which may be noise"
        a_is_better = (self.delta > 0) != (self.metric in RATING)  # an error is better if it is smaller
        better, worse = (self.a, self.b) if a_is_better else (self.b, self.a)
        by, *ends = abs(self.delta), *sorted([abs(self.low), abs(self.high)])
        return f"{self.metric}: {better} is better than {worse} by {by:.4f} ({ends[0]:.4f} to {ends[1]:.4f})"


@dataclass(frozen=True)
class Comparison:
    """What `compare` found; printed, it says so in words.

    Attributes
    ----------
    figures : dict of str to dict of str to ndarray, shape (folds,)
        By model, then by metric: what `evaluate` gives on each fold.
    differences : list of Difference
        Of every metric and pair of models.
    level : float
        The probability that all intervals hold simultaneously.
    n_users : int
        How many users were drawn each time.
    """

    figures: dict[str, dict[str, NDArray[np.float64]]]
    differences: list[Difference]
    level: float
    n_users: int

    def rows(self) -> list[list[str]]:
        """Build a table of the means over the folds, one row per model, below a row of headings."""
        metrics = list(next(iter(self.figures.values())))
        of_models = [[name, *(f"{values[m].mean():.4f}" for m in metrics)] for name, values in self.figures.items()]
        return [["model", *metrics], *of_models]

    def __str__(self) -> str:
        """Write the table of means and one sentence per difference."""
        rows = self.rows()
        width = max(len(row[0]) for row in rows)
        table = [f"  {name:<{width}}" + "".join(f"{cell:>11}" for cell in cells) for name, *cells in rows]
        return "\n".join([*table, "", *(f"  {difference}" for difference in self.differences), "", f"  {self._note()}"])

    def _note(self) -> str:
        n_folds = len(next(iter(next(iter(self.figures.values())).values())))
        n = len(self.differences)
        which = "the interval" if n == 1 else f"all {n} intervals together"
        return f"{n_folds} folds, {self.n_users:,} users; {which}: {self.level:.0%}"

    def _repr_html_(self) -> str:
        head, *rows = [[escape(cell) for cell in row] for row in self.rows()]
        sentences = "".join(f"<li>{escape(str(difference))}</li>" for difference in self.differences)
        return html_table(rows, head) + f"<ul>{sentences}</ul><p>{escape(self._note())}</p>"


def compare(  # noqa: PLR0913 - models and folds, as for `cross_validate`, and the settings of the intervals
    models: Mapping[str, Recommender] | Sequence[Recommender], ratings: Ratings | None,
    folds: int | Sequence[tuple[Ratings, Ratings]] = 5, level: float = 0.95, n_draws: int = 2000, n_jobs: int = 1,
    seed: int = 0, progress: bool = False, **options: Unpack[EvaluationOptions],
) -> Comparison:
    """Compare models on the same users, with an interval for each difference that says whether it may be noise.

    Every model is fitted on every fold, each time with a different seed, if it has one. The intervals (E9 to E11) allow for
    all that varies: which users happen to be in the data, how their ratings are split, and the seeds. They hold for all
    metrics and pairs of models simultaneously, so that comparing more models does not turn noise into a difference.

    Parameters
    ----------
    models : mapping of str to Recommender, or sequence of Recommender
        At least two; without names, they are called by their class and the settings that are not the defaults. Only their
        settings are used; they are not changed.
    ratings : Ratings or None
        What is split; None if `folds` lists the folds.
    folds : int or sequence of (train, test)
        How many random folds, or the folds themselves; at least 2, better 5 or more. `[ratings.split_by_time()] * 5` fits
        each model five times on the same split, with different seeds.
    level : float
        The probability with which all intervals should hold simultaneously, between 0 and 1.
    n_draws : int
        How many times users are drawn with replacement.
    n_jobs : int
        How many processes; the result is bit-for-bit the same for any number.
    seed : int
        Seed of the random folds and of the draws.
    progress : bool
        Show a progress bar.
    **options
        As for `evaluate`, except that coverage (E8), which has no value for a single user, cannot be compared.

    Returns
    -------
    Comparison
    """
    named = named_models(models)
    level = checked("level", level, float, Limits(more_than=0, less_than=1))
    n_draws = checked("n_draws", n_draws, limits=Limits(at_least=100))
    seed = checked("seed", seed, limits=Limits(at_least=0))
    if level * (n_draws + 1) > n_draws:
        raise InputError(f"n_draws={n_draws} is too small for level={level}; expected {math.ceil(1 / (1 - level))} or more")
    parts = folds_of(ratings, folds, seed)
    if len(parts) < 2:
        raise InputError("1 fold does not show how much folds and seeds vary; expected 2 or more, such as folds=[split] * 5")
    metrics = common_metrics(named.values(), options.pop("which", None))
    found = _on_all_folds(named, parts, n_jobs, progress, {**options, "which": metrics})
    scores = {metric: _scores(metric, found, parts) for metric in metrics}
    intervals = simultaneous_intervals(list(scores.values()), level, n_draws, seed)
    return Comparison(_figures(scores, list(named)), _differences(metrics, list(named), intervals), level, parts[0][0].n_users)


def _figures(scores: Mapping[str, UserScores], names: Sequence[str]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Compute each metric of each model over all users, on each fold."""
    theta = {metric: of_users.metric(np.ones((1, of_users.x.shape[-1])))[0] for metric, of_users in scores.items()}
    return {name: {metric: of_models[place] for metric, of_models in theta.items()} for place, name in enumerate(names)}


def _differences(metrics: Sequence[str], names: Sequence[str], intervals: Intervals) -> list[Difference]:
    """Name the differences, in the order of the intervals."""
    pairs = [(metric, a, b) for metric in metrics for a, b in itertools.combinations(names, 2)]
    return [
        Difference(*of_pair, float(delta), float(delta - half), float(delta + half), float(p))
        for of_pair, delta, half, p in zip(pairs, *intervals)
    ]


def named_models(models: Mapping[str, Recommender] | Sequence[Recommender]) -> dict[str, Recommender]:
    """Give every model a name, and refuse fewer than two, or two with the same name."""
    if isinstance(models, Mapping):
        named = {str(name): model for name, model in models.items()}
    elif isinstance(models, Iterable):
        given = list(models)
        named = {short_name(model): model for model in given}
        if len(named) < len(given):
            raise InputError('two models have the same settings; expected different ones, or names: {"a": SGD(), "b": SGD()}')
    else:
        named = {}
    if len(named) < 2:
        raise InputError("expected two or more models to compare, in a list or by name: {'SGD': SGD(), 'ALS': ALS()}")
    return named


def short_name(model: Recommender) -> str:
    """Write a model as code, with only the settings that differ from the defaults."""
    fields = [field for field in dataclasses.fields(expect_model(model)) if field.repr]
    settings = [f"{f.name}={getattr(model, f.name)!r}" for f in fields if getattr(model, f.name) != f.default]
    return f"{type(model).__name__}({', '.join(settings)})"


def common_metrics(models: Iterable[Recommender], which: Iterable[str] | None) -> list[str]:
    """Return the metrics to measure: by default, all that every model has."""
    named = None if which is None else list(which)
    of_each = [checked_metrics(model, named, PER_USER) for model in models]
    return [metric for metric in of_each[0] if all(metric in known for known in of_each)]


def seeded(model: Recommender, fold: int) -> Recommender:
    """Copy the settings of a model, with another seed for each fold, if it has a seed."""
    if "seed" not in {field.name for field in dataclasses.fields(model)}:
        return dataclasses.replace(model)
    own = np.random.SeedSequence([model.seed, fold]).generate_state(1)[0]  # type: ignore[attr-defined]
    return dataclasses.replace(model, seed=int(own))  # type: ignore[call-arg]


def _on_all_folds(
    models: Mapping[str, Recommender], parts: Sequence[tuple[Ratings, Ratings]], n_jobs: int, progress: bool,
    options: EvaluationOptions,
) -> list[list[dict[str, NDArray[np.float64]]]]:
    """Evaluate each model on each fold, for each user."""
    from joblib import Parallel, delayed
    from tqdm import tqdm

    tasks = [
        delayed(evaluate_per_user)(seeded(model, fold), *part, **options)
        for model in models.values() for fold, part in enumerate(parts)
    ]
    runs = Parallel(n_jobs=checked_jobs(n_jobs), return_as="generator")(tasks)
    found = list(tqdm(runs, desc="comparing", unit="fit", total=len(tasks), disable=not progress))
    n = len(parts)
    return [found[start : start + n] for start in range(0, len(found), n)]


def _scores(
    metric: str, found: Sequence[Sequence[Mapping[str, NDArray[np.float64]]]], parts: Sequence[tuple[Ratings, Ratings]]
) -> UserScores:
    """Collect one metric of all models, folds and users, and refuse one that too few users have."""
    x = np.array([[on_fold[metric] for on_fold in of_model] for of_model in found])
    n_test = np.array([np.diff(test.csr.indptr) for _, test in parts], dtype=np.float64)
    of_users = UserScores(x, n_test if metric in RATING else np.ones_like(n_test), 2 if metric == "rmse" else 1)
    fewest = int((of_users.weights > 0).sum(axis=1).min())
    if fewest < LEAST_USERS:
        raise InputError(f"only {fewest} users have a {metric} on each fold; expected {LEAST_USERS} or more: use fewer folds")
    return of_users
