"""Compare models: what each predicts and recommends, held against a part of the data that none of them was told.

  acai evaluate --data movielens-100k PATH --models Baseline SGD UserKNN:similarity=msd --folds 5
  acai evaluate --data hetrec-lastfm PATH --models Popularity ALS --plot comparison.png
"""

import argparse

from acai.commands.options import MODELS_HELP, add_data, holds_plays, model_named, read_data
from acai.errors import InputError

FOR_RATINGS = ("GlobalMean", "Baseline", "UserKNN", "ItemKNN", "SVD", "SGD")
FOR_PLAYS = ("Popularity", "ItemKNN:similarity=asymmetric,centring=none,normalise=false,k=400,keep=400", "ALS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `acai evaluate`."""
    parser.epilog = MODELS_HELP
    add_data(parser)
    parser.add_argument("--models", nargs="+", help="what to compare (a choice that suits ratings, or play counts)")
    parser.add_argument("--folds", type=int, help="cross-validate in so many folds, instead of a single split")
    parser.add_argument("--test", type=float, default=0.2, help="the share of the data to hold out at random (0.2)")
    parser.add_argument("-k", type=int, default=10, help="how many songs each user is recommended (10)")
    parser.add_argument("--relevant-from", type=float, help="count only songs rated so high as relevant")
    parser.add_argument("--metrics", nargs="+", help="what to measure: rmse mae precision recall map ndcg coverage auc")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes share the folds (1)")
    parser.add_argument("--seed", type=int, default=0, help="of the split (0)")
    parser.add_argument("--plot", metavar="FILE", help="draw the comparison, too")


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    import numpy as np

    from acai.cf import cross_validate

    if args.k < 1:
        raise InputError(f"-k {args.k}; expected at least 1 song")
    ratings = read_data(args)
    names = args.models or (FOR_PLAYS if holds_plays(ratings) else FOR_RATINGS)
    models = {name: model_named(name) for name in names}
    options = {"k": args.k, "which": args.metrics, "relevant_from": args.relevant_from}
    options = {key: value for key, value in options.items() if value is not None}
    if args.folds:
        parts, how = list(ratings.folds(args.folds, args.seed)), f"mean of {args.folds} folds"
    else:
        parts, how = [ratings.split(args.test, args.seed)], f"{args.test:.0%} held out"
    print(f"{ratings}\n{how}; lists of {args.k} songs\n")
    found = {}
    for name, model in models.items():
        runs = cross_validate(model, ratings, parts, n_jobs=args.jobs, **options)
        found[name] = {metric: float(np.mean(values)) for metric, values in runs.items()}
        if len(found) == 1:
            columns = args.metrics or ["rmse", "mae", "precision", "recall", "map", "ndcg", "coverage", "auc"]
            width = max(len("model"), *(len(each) for each in names))
            print(f"  {'model':<{width}}" + "".join(f"{metric:>11}" for metric in columns))
        row = (f"{found[name][metric]:>11.4f}" if metric in found[name] else f"{'–':>11}" for metric in columns)
        print(f"  {name:<{width}}" + "".join(row), flush=True)
    if args.plot:
        from acai import plots
        from acai.files import written_whole

        with written_whole(args.plot) as temporary:
            plots.comparisons(found).savefig(temporary)
        print(f"\ndrawn in {args.plot}")
