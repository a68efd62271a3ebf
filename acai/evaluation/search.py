"""Which settings suit the data: a model evaluated with many, on the same folds (README, part E)."""

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Protocol, Unpack, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from acai.cf.recommender import Recommender
from acai.errors import InputError, shown, unknown
from acai.evaluation.offline import EvaluationOptions, evaluate, folds_of
from acai.evaluation.per_user import ALL_METRICS, RATING, checked_metrics, expect_model
from acai.files import load_npz, save_npz
from acai.html_table import html_table
from acai.ratings import Ratings
from acai.settings import Limits, checked, checked_jobs

KIND = "a search saved by acai"
Folds = Sequence[tuple[Ratings, Ratings]]
Settings = dict[str, Any]


@runtime_checkable
class Distribution(Protocol):
    """What random settings are drawn from, such as `scipy.stats.loguniform(0.001, 1)` or `scipy.stats.randint(5, 200)`."""

    def rvs(self, *, random_state: Any) -> Any:
        """Draw one value."""


@dataclass(frozen=True)
class Trial:
    """One choice of settings.

    Attributes
    ----------
    settings : dict of str to object
        Those that were searched.
    figures : dict of str to ndarray, shape (folds,)
        By metric; empty if the model could not be fitted.
    error : str
        Why it could not be fitted; otherwise empty.
    """

    settings: Settings
    figures: dict[str, NDArray[np.float64]]
    error: str = ""


@dataclass(frozen=True)
class SearchResult:
    """What a search found; printed, it is a table, best settings first.

    Attributes
    ----------
    model : Recommender
        The model whose settings were searched, not fitted.
    metric : str
        What decides.
    trials : list of Trial
        In the order in which they were tried.
    """

    model: Recommender
    metric: str
    trials: list[Trial]

    def ranked(self) -> list[Trial]:
        """Sort the trials: the best mean over the folds first, those without a figure last."""
        return sorted(self.trials, key=self._rank)

    @property
    def best(self) -> Trial:
        """The best trial; of equal ones, the first that was tried."""
        return self.ranked()[0]

    @property
    def best_model(self) -> Recommender:
        """The model with the best settings, not fitted."""
        return dataclasses.replace(self.model, **self.best.settings)

    def _rank(self, trial: Trial) -> float:
        if self.metric not in trial.figures or np.isnan(trial.figures[self.metric]).any():
            return np.inf
        mean = float(trial.figures[self.metric].mean())
        return mean if self.metric in RATING else -mean  # an error is better if it is smaller

    def rows(self) -> list[list[str]]:
        """Build the table, below a row of headings: settings, and the mean of each metric ± its standard deviation."""
        metrics = list(next((trial.figures for trial in self.trials if trial.figures), {}))
        rows = [[*self.trials[0].settings, *metrics]]
        for trial in self.ranked():
            figures = [_mean_and_spread(values) for values in trial.figures.values()]
            rows.append([*(f"{v:.4g}" if isinstance(v, float) else str(v) for v in trial.settings.values()),
                         *(figures or [trial.error])])
        return rows

    def __str__(self) -> str:
        """Write the table."""
        rows = self.rows()
        widths = [max(len(row[c]) for row in rows if len(row) == len(rows[0])) for c in range(len(rows[0]))]
        return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in rows)

    def _repr_html_(self) -> str:
        head, *rows = [[escape(cell) for cell in row] for row in self.rows()]
        return html_table(rows, head)


def _mean_and_spread(values: NDArray[np.float64]) -> str:
    """Write the mean over the folds and, if there are several, the standard deviation."""
    return f"{values.mean():.4f} ± {values.std(ddof=1):.4f}" if len(values) > 1 else f"{values[0]:.4f}"


def grid_search(  # noqa: PLR0913 - a model, a grid and folds, and what to measure
    model: Recommender, grid: Mapping[str, Iterable[Any]], ratings: Ratings | None, metric: str | None = None,
    folds: int | Folds = 5, n_jobs: int = 1, seed: int = 0, resume: str | os.PathLike[str] | None = None,
    progress: bool = False, **options: Unpack[EvaluationOptions],
) -> SearchResult:
    """Evaluate `model` with every combination of settings: `grid_search(SGD(), {"n_factors": [10, 50], "reg": [0.02, 0.1]}, R)`.

    Parameters
    ----------
    model : Recommender
        Its other settings stay as they are; it is not changed.
    grid : mapping of str to iterable
        The values of each setting that is searched.
    ratings : Ratings or None
        What is split; None if `folds` lists the folds.
    metric : str, optional
        What decides which settings are best (default: RMSE for a model of ratings, otherwise NDCG).
    folds : int or sequence of (train, test)
        How many random folds, or the folds themselves.
    n_jobs : int
        How many processes; the result is bit-for-bit the same for any number.
    seed : int
        Seed of the random folds.
    resume : path, optional
        A file that stores each trial once it is finished. After Ctrl-C or a crash, the same call reads it and resumes from
        there; so does a search of more values on the same folds.
    progress : bool
        Show a progress bar.
    **options
        As for `evaluate`; `which` are further metrics for the table.

    Returns
    -------
    SearchResult
    """
    values = {name: list(_choices(name, choices)) for name, choices in grid.items()}
    tried = [dict(zip(values, combination)) for combination in itertools.product(*values.values())]
    search = _Search(model, metric, folds_of(ratings, folds, seed), options)
    return search.run(tried, n_jobs, resume, progress)


def random_search(  # noqa: PLR0913 - as for `grid_search`
    model: Recommender, space: Mapping[str, Iterable[Any] | Distribution], ratings: Ratings | None, n: int = 20,
    metric: str | None = None, folds: int | Folds = 5, n_jobs: int = 1, seed: int = 0,
    resume: str | os.PathLike[str] | None = None, progress: bool = False, **options: Unpack[EvaluationOptions],
) -> SearchResult:
    """Evaluate `model` with `n` random settings, which finds good ones sooner than a grid if few of them matter.

    Parameters
    ----------
    model, ratings, metric, folds, n_jobs, seed, resume, progress, **options
        As for `grid_search`. `seed` also determines the settings that are drawn; a larger `n` adds to the same ones.
    space : mapping of str to iterable or distribution
        What each setting is drawn from: a list of values, or a distribution of `scipy.stats`, such as
        `loguniform(0.001, 1)`, or `randint(5, 200)` for an integer.
    n : int
        How many settings to draw; each choice is evaluated once, even if it is drawn twice.

    Returns
    -------
    SearchResult
    """
    n, seed = checked("n", n), checked("seed", seed, limits=Limits(at_least=0))
    drawn = [_drawn(space, np.random.default_rng([seed, number])) for number in range(n)]
    tried = [settings for number, settings in enumerate(drawn) if settings not in drawn[:number]]
    search = _Search(model, metric, folds_of(ratings, folds, seed), options)
    return search.run(tried, n_jobs, resume, progress)


def _choices(name: str, choices: object) -> list[Any]:
    """Return the values of a setting as a list; refuse a single value."""
    if isinstance(choices, str) or not isinstance(choices, Iterable):
        raise InputError(f"{name}: {shown(choices)}; expected a list of values: [{shown(choices)}]")
    values = choices.tolist() if isinstance(choices, np.ndarray) else list(choices)
    if not values:
        raise InputError(f"{name} has no values to choose from; expected one or more")
    return values


def _drawn(space: Mapping[str, Iterable[Any] | Distribution], rng: np.random.Generator) -> Settings:
    settings = {}
    for name, choices in space.items():
        if isinstance(choices, Distribution):
            value = choices.rvs(random_state=rng)
            settings[name] = value.item() if isinstance(value, np.generic) else value
        else:
            values = _choices(name, choices)
            settings[name] = values[rng.integers(len(values))]
    return settings


class _Search:
    """A model, its folds and what is measured."""

    def __init__(self, model: Recommender, metric: str | None, parts: Folds, options: EvaluationOptions) -> None:
        self.metric = metric or ("rmse" if expect_model(model).predicts_ratings else "ndcg")
        further = options.pop("which", None)
        which = [self.metric] if further is None else [self.metric, *checked_metrics(model, further, ALL_METRICS)]
        self.options = EvaluationOptions(**options, which=checked_metrics(model, dict.fromkeys(which), ALL_METRICS))
        self.model, self.parts = model, parts

    def run(
        self, tried: Sequence[Settings], n_jobs: int, resume: str | os.PathLike[str] | None, progress: bool
    ) -> SearchResult:
        """Evaluate all of these settings, except for those that the file has."""
        from tqdm import tqdm

        models = [self._with(settings) for settings in tried]  # a wrong setting is refused before the work begins
        done = self._read(resume) if resume is not None and Path(resume).exists() else []
        known = [trial.settings for trial in done]
        new = [place for place, settings in enumerate(tried) if settings not in known]
        trials = self._trials([tried[place] for place in new], [models[place] for place in new], n_jobs)
        for trial in tqdm(trials, desc="searching", unit="trial", total=len(new), disable=not progress):
            done.append(trial)
            if resume is not None:
                self._write(resume, done)
        result = SearchResult(self.model, self.metric, [next(t for t in done if t.settings == s) for s in tried])
        if not any(trial.figures for trial in result.trials):
            raise InputError(f"none of the {len(tried)} settings could be used; the first: {result.trials[0].error}")
        return result

    def _with(self, settings: Settings) -> Recommender:
        names = [field.name for field in dataclasses.fields(self.model)]
        for name in settings:
            if name not in names:
                raise unknown(f"setting of {type(self.model).__name__}", name, names, n=len(names))
        return dataclasses.replace(self.model, **settings)

    def _trials(self, tried: Sequence[Settings], models: Sequence[Recommender], n_jobs: int) -> Iterator[Trial]:
        """Yield each trial when all of its folds are evaluated."""
        from joblib import Parallel, delayed

        tasks = (delayed(_evaluated)(model, part, self.options) for model in models for part in self.parts)
        runs = Parallel(n_jobs=checked_jobs(n_jobs), return_as="generator")(tasks)
        for settings in tried:
            of_folds = list(itertools.islice(runs, len(self.parts)))
            error = next((found for found in of_folds if isinstance(found, str)), "")
            names = [] if error else self.options["which"] or []
            yield Trial(settings, {name: np.array([found[name] for found in of_folds]) for name in names}, error)

    def _key(self) -> str:
        """Identify the search: all but the settings that are searched."""
        digest = hashlib.sha256(repr((self.model, self.metric, self.options)).encode())
        for ratings in itertools.chain.from_iterable(self.parts):
            for array in (ratings.csr.indptr, ratings.csr.indices, ratings.csr.data):
                digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        return digest.hexdigest()

    def _write(self, path: str | os.PathLike[str], trials: Iterable[Trial]) -> None:
        rows = [
            {"settings": trial.settings, "error": trial.error,
             "figures": {name: values.tolist() for name, values in trial.figures.items()}}
            for trial in trials
        ]
        save_npz(path, KIND, key=self._key(), trials=rows)

    def _read(self, path: str | os.PathLike[str]) -> list[Trial]:
        contents = load_npz(path, KIND)
        if contents.value("key", str) != self._key():
            found = f"{path} is of another search: of another model, other ratings, folds or metrics"
            raise InputError(f"{found}; name another file, or delete it to start afresh")
        rows = contents.sequence("trials", dict)
        return [
            Trial(row["settings"], {name: np.array(values) for name, values in row["figures"].items()}, row["error"])
            for row in rows
        ]


def _evaluated(model: Recommender, part: tuple[Ratings, Ratings], options: EvaluationOptions) -> dict[str, float] | str:
    """Evaluate a model on one fold; with settings that do not suit the data, return why."""
    try:
        return evaluate(dataclasses.replace(model), *part, **options)
    except InputError as error:
        return str(error)
