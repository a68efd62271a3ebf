"""How good models of play counts are beside implicit's, and all models at size; `acai bench` compares times.

    python tests/benchmarks/bench_cf.py lastfm --hetrec PATH    # quality and time beside implicit's models of play counts
    python tests/benchmarks/bench_cf.py size                    # 200,000 users × 50,000 songs, 10 million entries

At size, each model has a process of its own, so that its peak memory can be
told. Unset OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE first: where they are set, BLAS is slower than it could be.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from acai import datasets
from acai.bench.growth import peak_memory
from acai.bench.made_up import generated
from acai.cf import ALS, SGD, SVD, Baseline, GradientDescent, ItemKNN, Popularity, UserKNN
from acai.evaluation import evaluate, metrics
from acai.ratings import Ratings


def clock(work, *arguments, **options) -> float:
    """Seconds."""
    start = time.perf_counter()
    work(*arguments, **options)
    return time.perf_counter() - start


def lastfm(args: argparse.Namespace) -> None:
    """80/20 of each user, lists of 10, three seeds of the split and of the models."""
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender
    from scipy import sparse
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    plays = datasets.hetrec_lastfm(args.hetrec)
    rules = {"plays": lambda r: r, "log(1 + plays)": np.log1p}
    rows: dict[tuple[str, str], list] = {}
    for seed in range(args.seeds):
        train, test = plays.split_each_user(0.2, seed)
        asymmetric = {"similarity": "asymmetric", "centring": "none", "normalise": False}
        ours = [(Popularity(), "plays"), (ALS(64, alpha=1.0, reg=5.0, seed=seed), "plays")]
        ours += [(ItemKNN(k=k, keep=k, **asymmetric), rule) for rule in rules for k in (100, 400)]
        ours += [(ItemKNN(k=k, keep=k, min_overlap=2, **asymmetric), "log(1 + plays)") for k in (100, 400)]
        for model, rule in ours:
            seconds = clock(model.fit, train.map(rules[rule]))
            found = evaluate(model, model.ratings, test, which=["ndcg", "map", "recall"])
            shown = f"acai {type(model).__name__}"
            if isinstance(model, ItemKNN):
                shown += f" k={model.k} min_overlap={model.min_overlap}"
            rows.setdefault((shown, rule), []).append((*found.values(), seconds))
        confidence = train.map(lambda r: 1 + np.log1p(r))  # what α = ε = 1 makes of the plays
        for cg in (False, True):
            with threadpool_limits(1, "blas"):
                model = AlternatingLeastSquares(
                    64, regularization=5.0, alpha=1.0, iterations=15, use_cg=cg, random_state=seed
                )
                seconds = clock(model.fit, sparse.csr_matrix(confidence.csr), show_progress=False)
            name = f"implicit ALS ({'conjugate gradients' if cg else 'exact'})"
            rows.setdefault((name, "plays"), []).append((*_judged(model, confidence, test), seconds))
        for rule in rules:
            learnt = train.map(rules[rule])
            for kind in (CosineRecommender, TFIDFRecommender, BM25Recommender):
                for k in (100, 400, 1000):
                    model = kind(K=k)
                    seconds = clock(model.fit, sparse.csr_matrix(learnt.csr), show_progress=False)
                    name = f"implicit {kind.__name__} K={k}"
                    rows.setdefault((name, rule), []).append((*_judged(model, learnt, test), seconds))
    print(f"HetRec Last.fm, 80/20 of each user, lists of 10, mean of {args.seeds} seeds\n")
    print(f"  {'':<42}{'learns from':<16}{'NDCG@10':>9}{'mAP@10':>9}{'recall':>9}{'fit':>8}")
    for (name, rule), found in sorted(rows.items(), key=lambda row: -np.mean(row[1], axis=0)[0]):
        ndcg, precision, recall, _ = np.mean(found, axis=0)
        seconds = np.median([run[3] for run in found])
        print(f"  {name:<42}{rule:<16}{ndcg:>9.4f}{precision:>9.4f}{recall:>9.4f}{seconds:>7.2f}s")


def _judged(model, train: Ratings, test: Ratings) -> tuple[float, float, float]:
    """One of implicit's models, by our metrics."""
    from scipy import sparse

    users = np.flatnonzero(np.diff(test.csr.indptr))
    columns, _ = model.recommend(users, sparse.csr_matrix(train.csr)[users], N=10, filter_already_liked_items=True)
    hits = np.array([np.isin(songs, test.csr[[u]].indices) for u, songs in zip(users, columns)])
    n = np.diff(test.csr.indptr)[users]
    return metrics.ndcg(hits, n).mean(), metrics.average_precision(hits, n).mean(), metrics.recall(hits, n).mean()


AT_SIZE = {
    "Popularity": lambda: Popularity(),
    "Baseline": lambda: Baseline(),
    "UserKNN": lambda: UserKNN(similarity="cosine"),
    "ItemKNN": lambda: ItemKNN(k=100, keep=100, similarity="asymmetric", centring="none", normalise=False),
    "SVD": lambda: SVD(n_factors=20),
    "GradientDescent": lambda: GradientDescent(n_factors=10, n_epochs=10),
    "SGD": lambda: SGD(n_epochs=5),
    "SGD with momentum": lambda: SGD(n_epochs=5, momentum=0.5),
    "ALS": lambda: ALS(n_factors=64, n_epochs=3),
}


def size(args: argparse.Namespace) -> None:
    """A process for each model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "generated.npz"
        generated(args.users, args.songs, args.entries).save(path)
        print(f"{args.users:,} users × {args.songs:,} songs, {args.entries:,} entries, GENERATED\n")
        print(f"  {'':<20}{'fit':>9}{'peak':>14}{f'recommend_all({args.queries})':>18}{'on top':>14}")
        for name in args.models or AT_SIZE:
            command = [sys.executable, __file__, "one", "--name", name, "--path", str(path), "--queries", str(args.queries)]
            subprocess.run(command, check=True)


def one(args: argparse.Namespace) -> None:
    """Fit one model, recommend to some users within the default bound of 256 MiB, and tell the peak of this process."""
    ratings = Ratings.load(args.path)
    model = AT_SIZE[args.name]()
    small = generated(300, 200, 5_000)
    warm = AT_SIZE[args.name]().fit(small)  # compiles
    dict(warm.recommend_all(small.users[:3]))
    fitted = clock(model.fit, ratings)
    peak = peak_memory()
    before = peak_memory(forget=True)
    users = ratings.users[:: max(1, ratings.n_users // args.queries)][: args.queries]
    done = 0
    start = time.perf_counter()
    for _ in model.recommend_all(users):
        done += 1
        if time.perf_counter() - start > args.patience:
            break
    seconds = (time.perf_counter() - start) * len(users) / done
    more = peak_memory() - before
    shown = f"{seconds:.1f}s" if done == len(users) else f"~{seconds:.0f}s"
    print(f"  {args.name:<20}{fitted:>8.1f}s{peak:>10.0f} MiB{shown:>18}{more:>10.0f} MiB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["lastfm", "size", "one"])
    parser.add_argument("--hetrec", metavar="PATH")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--songs", type=int, default=50_000)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--queries", type=int, default=10_000, help="how many users recommend_all is for")
    parser.add_argument("--patience", type=float, default=60, help="seconds after which recommend_all is extrapolated")
    parser.add_argument("--models", nargs="+", choices=list(AT_SIZE))
    parser.add_argument("--name"), parser.add_argument("--path")
    chosen = parser.parse_args()
    {"lastfm": lastfm, "size": size, "one": one}[chosen.what](chosen)
