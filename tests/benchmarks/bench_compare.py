"""How often `compare` calls two models different that differ only in their seed, on HetRec Last.fm; and what users alone would say.

`python tests/benchmarks/bench_compare.py --hetrec PATH`: 200 pairs take about half an hour on one core.
"""

import argparse

import numpy as np

from acai.cf import ALS
from acai.datasets import hetrec_lastfm
from acai.evaluation import compare, evaluate_per_user
from acai.evaluation.comparing import seeded

METRICS = ["precision", "recall", "map", "ndcg"]


def significant_over_users(models: list[ALS], folds: list) -> bool:
    """Whether a paired t-test over the users, of their mean NDCG over the folds, calls the two different."""
    ndcg = np.array([
        [evaluate_per_user(seeded(model, fold), *part, which=["ndcg"])["ndcg"] for fold, part in enumerate(folds)]
        for model in models
    ])
    of_users = np.nanmean((ndcg[0] - ndcg[1])[:, ~np.isnan(ndcg[0]).all(axis=0)], axis=0)
    return bool(abs(of_users.mean()) > 1.96 * of_users.std(ddof=1) / np.sqrt(len(of_users)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hetrec", required=True, help="the file, folder or archive of HetRec Last.fm")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--factors", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=4)
    given = parser.parse_args()
    plays = hetrec_lastfm(given.hetrec)
    different = dict.fromkeys(["of four metrics", "NDCG alone", "users alone"], 0)
    for pair in range(given.pairs):
        models = [ALS(given.factors, given.epochs, seed=2 * pair + which) for which in range(2)]
        folds = list(plays.folds(5, seed=pair))
        for metrics, name in (METRICS, "of four metrics"), (["ndcg"], "NDCG alone"):
            found = compare(dict(zip("ab", models)), None, folds, which=metrics)
            different[name] += any(not difference.is_noise for difference in found.differences)
        different["users alone"] += significant_over_users(models, folds)
        print(f"{pair + 1} pairs, called different: {different}", flush=True)


if __name__ == "__main__":
    main()
