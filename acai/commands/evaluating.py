"""`acai evaluate`: models compared on held-out data."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from acai import plots
from acai.commands import expect_picture
from acai.commands.fitting import model_named, read_data
from acai.commands.output import Format, Row, print_rows, remarks, warnings_as_remarks
from acai.evaluation import cross_validate
from acai.evaluation.per_user import ALL_METRICS
from acai.settings import Count, Folds, Jobs, Seed
from acai.terminal import one_line

FOR_RATINGS = ["GlobalMean", "Baseline", "UserKNN", "ItemKNN", "SVD", "SGD"]
NEIGHBOURS_OF_PLAYS = "ItemKNN:similarity=asymmetric,centring=none,normalise=false,min_overlap=2,k=400,keep=400"
FOR_PLAYS = ["Popularity", NEIGHBOURS_OF_PLAYS, "ALS:n_factors=64,alpha=1,reg=5"]


def evaluate(  # noqa: PLR0913 - the options of the command
    *, data: tuple[str, str], log: bool = False, models: list[str] | None = None, folds: Folds | None = None,
    test: float = 0.2, k: Count = 10, relevant_from: float = -np.inf, metrics: list[str] | None = None, jobs: Jobs = 1,
    seed: Seed = 0, plot: Path | None = None, format: Format = "table",
    header: bool = False,
) -> None:
    """Compare models: evaluate what each predicts and recommends on held-out data.

      acai evaluate --data movielens-100k PATH --models Baseline SGD UserKNN:similarity=msd --folds 5
      acai evaluate --data hetrec-lastfm PATH --models Popularity ALS --plot comparison.png

    A model is named after its class (GlobalMean, Baseline, Popularity, UserKNN, ItemKNN, SVD, GradientDescent, SGD, ALS), and
    can have settings: SGD:n_factors=50,momentum=0.5 or ItemKNN:similarity=msd,k=80. `pydoc acai.cf.SGD` lists them all.

    Parameters
    ----------
    data : NAME PATH
        A data set and its file, folder or archive, as in `acai recommend --help`.
    log
        Transform each value to log(1 + value) first: play counts have long tails.
    models : MODEL
        The models to compare (default: a choice that suits ratings, or play counts).
    folds : N
        Cross-validate with this number of folds, instead of a single split.
    test : FRACTION
        Fraction of the data to hold out at random.
    k : N
        Number of songs recommended to each user.
    relevant_from : VALUE
        Count only songs with at least this value as relevant.
    metrics : METRIC
        What to measure: rmse mae precision recall map ndcg coverage auc (default: all).
    jobs : N
        Number of processes; -1 is one per core.
    seed : N
        Seed of the split.
    plot : FILE
        Draw the comparison into this file.
    format : {table,csv,json}
        How to print the figures; with csv and json, stdout has nothing else.
    header
        Take line 1 of a file of your own for the names of its fields, even if it does not look like that.
    """
    if plot:
        expect_picture(plot)
    given = read_data(data, log, header)
    ratings = given.ratings
    chosen = {name: model_named(name) for name in models or (FOR_PLAYS if given.are_plays else FOR_RATINGS)}
    parts = list(ratings.folds(folds, seed)) if folds else [ratings.split(test, seed)]
    of_logs = {NEIGHBOURS_OF_PLAYS} if given.are_plays and not (models or log) else set()
    held_out = f"mean of {folds} folds" if folds else f"{test:.0%} held out"
    with remarks(format):
        print(f"{ratings}\n{held_out}; lists of {k} songs")
        print("ItemKNN learns from log(1 + plays)\n" if of_logs else "")
    columns = metrics or list(ALL_METRICS)
    table = _Table(["model", *columns], max(map(len, ["model", *chosen])), format)
    found: dict[str, dict[str, float]] = {}
    for name, model in chosen.items():
        learnt_from = [(train.map(np.log1p), held) for train, held in parts] if name in of_logs else parts
        with warnings_as_remarks():
            runs = cross_validate(model, None, learnt_from, jobs, k=k, which=metrics, relevant_from=relevant_from)
        found[name] = {metric: float(np.mean(values)) for metric, values in runs.items()}
        table.add(name, found[name])
    table.end()
    if plot:
        plots.save(plots.comparisons(found), plot)
        with remarks(format):
            print(f"\ndrawn in {one_line(plot)}")


class _Table:
    """The figures of each model: printed as soon as they are there, or as CSV or JSON at the end."""

    def __init__(self, columns: list[str], width: int, form: Format) -> None:
        self.columns, self.width, self.form = columns, width, form
        self.rows: list[Row] = []

    def add(self, name: str, figures: Mapping[str, float]) -> None:
        """Add the row of one model; a metric that it does not have stays empty."""
        metrics = self.columns[1:]
        self.rows.append({"model": name} | {metric: figures.get(metric) for metric in metrics})
        if self.form != "table":
            return
        if len(self.rows) == 1:
            print(f"  {'model':<{self.width}}" + "".join(f"{metric:>11}" for metric in metrics))
        cells = (f"{figures[metric]:.4f}" if metric in figures else "–" for metric in metrics)
        print(f"  {name:<{self.width}}" + "".join(f"{cell:>11}" for cell in cells), flush=True)

    def end(self) -> None:
        """Print what is not printed yet."""
        if self.form != "table":
            print_rows(self.rows, self.form)
