"""A program that uses every public name of acai. It is not run: `test_typing.py` has type checkers read it."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import acai
from acai import InputError, Ratings, audio, cf, content, datasets, evaluation, gradcheck, load, nn, plots
from acai.teaching import exercises

FOLDER = Path("data")
Floats = NDArray[np.float64]


def part_d_data_sets() -> Ratings:
    """Read every data set, and use what the readers return."""
    ratings = datasets.movielens_100k(FOLDER / "ml-100k")
    titles = datasets.movielens_titles(FOLDER / "ml-100k")
    for larger in (datasets.movielens_latest(FOLDER), datasets.movielens_25m(FOLDER), datasets.movielens_32m(FOLDER)):
        assert_type(larger, Ratings)
    for other in (datasets.movielens_1m(FOLDER), datasets.hetrec_lastfm(FOLDER), datasets.acai_game(FOLDER)):
        assert_type(other.n_ratings, int)
    names = [datasets.hetrec_artists(FOLDER), datasets.acai_game_titles(FOLDER), titles]
    log = datasets.lastfm_1k(FOLDER)
    profiles = datasets.lastfm_1k_profiles(FOLDER)
    by_hand = datasets.ListeningLog(log.user_codes, log.song_codes, log.times, log.users, log.songs)
    mine = datasets.listening_history("my_spotify_data.zip", min_seconds=20)
    mismatches = datasets.msd_mismatches(FOLDER)
    both = datasets.intersect(by_hand, datasets.msd_tracks(FOLDER), mismatches)
    plays = datasets.taste_profile(FOLDER, mismatches)
    clips = datasets.fma(FOLDER, subset="small")
    songs = list(datasets.msd_hdf5(FOLDER))
    world = datasets.synthetic(100, 50, seed=1)
    own = datasets.triplets("plays.tsv", separator="\t", combine="sum")
    readers, known = datasets.READERS, datasets.TITLES
    print(names, profiles, both, clips, songs, sorted(readers), sorted(known), datasets.audio_folder(FOLDER).tracks)
    print(datasets.match_folder(mine, datasets.audio_folder(FOLDER)).unmatched)
    print(mine.skips, plays.density, log.to_ratings("log1p"), world.plays.users[0], own.songs[-1])
    return ratings


def part_c_models(ratings: Ratings) -> cf.Recommender:
    """Fit every model; what `fit` returns is the model itself."""
    train, test = ratings.split(0.2, seed=0)
    assert_type(train, Ratings)
    als = assert_type(cf.ALS(n_factors=8, alpha=1.0).fit(train), cf.ALS)
    descent = cf.GradientDescent(5, n_epochs=10).fit(train)
    sgd = cf.SGD(10, momentum=0.5, init=cf.SVD(10).fit(train)).fit(train, progress=True, validation=test)
    neighbours = cf.UserKNN(k=20, similarity="cosine").fit(train)
    others = [cf.GlobalMean().fit(train), cf.Baseline().fit(train), cf.Popularity().fit(train), cf.ItemKNN().fit(train)]
    for user, song, value in test.triplets():
        assert_type(value, float)
        print(neighbours.explain(user, song))
        break
    users = assert_type(sgd.ratings.n_users, int)
    best = assert_type(als.recommend(train.users[0], n=5), list[tuple[Hashable, float]])
    predicted = assert_type(sgd.predict([train.users[0]], [train.songs[0]]), Floats)
    sgd.save("model.npz")
    print(users, best, predicted, descent.history[-1], als.P @ als.Q.T, others, sorted(cf.MODELS))
    model = assert_type(load("model.npz"), cf.Recommender)
    return model if model.predicts_ratings else cf.load("model.npz")


def part_e_evaluation(model: cf.Recommender, ratings: Ratings) -> dict[str, float]:
    """Measure a model on a split and on folds."""
    runs = evaluation.cross_validate(model, ratings, folds=5, n_jobs=2, k=10, which=["rmse", "ndcg"])
    of_users = assert_type(evaluation.evaluate_per_user(model, *ratings.leave_last_out()), dict[str, Floats])
    compared = assert_type(evaluation.compare([model, cf.Popularity()], ratings, folds=5, which=["ndcg"]), evaluation.Comparison)
    first = assert_type(compared.differences[0], evaluation.Difference)
    searched = assert_type(evaluation.grid_search(cf.SGD(), {"reg": [0.02, 0.1]}, ratings), evaluation.SearchResult)
    drawn = evaluation.random_search(cf.SGD(), {"n_factors": [5, 10]}, ratings, n=2, resume="search.npz")
    best = assert_type(drawn.best, evaluation.Trial)
    print(best.settings, searched.best_model, plots.search(searched))
    print(runs["rmse"].mean(), of_users["ndcg"].max(), compared, first.is_noise, plots.differences(compared))
    return evaluation.evaluate(model, *ratings.split_each_user(0.2), k=10)


class Doubling:
    """A layer of one's own: any class with forward and backward."""

    def forward(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return 2 x."""
        return 2 * x

    def backward(self, dy: NDArray[Any]) -> NDArray[Any]:
        """Return 2 dy."""
        return 2 * dy


def part_n_network(x: NDArray[np.float32], t: NDArray[np.int64]) -> nn.Sequential:
    """Build, check, train and save a network with every layer."""
    conv = nn.Conv2D(1, 8, kernel_size=(3, 3), stride=2, padding=1, seed=0)
    layers = [conv, nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(), nn.Dropout(0.5, seed=0), nn.Linear(128, 10), nn.Tanh()]
    network = nn.Sequential(layers)
    loss = nn.SoftmaxCrossEntropy()
    optimizer = nn.SGD(network, learning_rate=0.1, momentum=0.9, nesterov=True)
    value = assert_type(loss.forward(network.forward(x), t), float)
    network.backward(loss.backward(), want_dx=False)
    optimizer.step()
    network.save("network.npz")
    print(value, conv.stride, conv.params["W"].shape, network.predict(x).argmax(axis=1), nn.GlobalPool(("mean",)), nn.MSE())
    return nn.load("network.npz")


def part_n_gradient_check(x: Floats) -> gradcheck.Finding:
    """Check layers, losses and optimizers."""
    report = gradcheck.check(Doubling(), (2, 3))
    with_target = gradcheck.check(nn.MSE(), x, x + 1)
    of_function = assert_type(gradcheck.check_function(np.tanh, lambda dy: dy, x), gradcheck.Report)
    gradcheck.assert_gradients(nn.ReLU(), x)
    try:
        gradcheck.check(nn.Tanh(), x, method="exact")
    except gradcheck.NotExact as error:
        print(error)
    assert isinstance(report, gradcheck.Report), gradcheck.GeometryReports
    print(report.ok, with_target.ok, of_function.max_error, gradcheck.adjoint(nn.Flatten(), x).ok, gradcheck.check_steps(nn.SGD).ok)
    gradcheck.error_map(report.findings[0], plots.axes())
    return report.findings[0]


def part_a_sound(path: Path, plays: Ratings) -> list[tuple[Hashable, float]]:
    """Go from sound files to recommendations of songs that nobody has played."""
    S = audio.log_mel(path, n_mels=128)
    power, coefficients = audio.mel_power((S[0], 22050), hop=256), audio.mfcc(path, n_mfcc=20)
    print(audio.mel_filters(22050, 1024, 128).shape, power.shape, coefficients.shape)
    print([block.shape for block in audio.frames([S[0]], window=1024, hop=512)])
    model = cf.ALS(n_factors=10).fit(plays)
    network = content.AudioToFactors(content.dieleman_network(10), augment=content.Augmentation(gain=0.1), n_epochs=3)
    Q_hat = network.fit([S], model.Q[:1]).predict([S])
    for simple in (content.SpectrumRidge(spread=True), content.BagOfWords(n_words=10)):
        print(simple.fit([S], model.Q[:1]).predict([S]), network.history[-1].score)
    print(content.Ridge().fit(S.T, S.T).predict(S.T), content.openmrs_network(10))
    recommender = content.ColdStartRecommender(model, {"new": Q_hat[0]})
    return recommender.recommend(plays.users[0], n=1)


def all_pictures(plays: Ratings, log: datasets.ListeningLog, S: NDArray[Any], network: content.AudioToFactors) -> None:
    """Draw every picture."""
    colours = [plots.BLACK, plots.BLUE, plots.GREEN, plots.ORANGE, plots.PURPLE, plots.RED, plots.SKY, plots.YELLOW]
    users, scores = S[:2], {"a": 0.5, "b": 0.75}
    drawn = [
        plots.axes(xlabel=colours[0]), plots.matrix(plays), plots.diary(log.times, ["a", "b"]), plots.long_tail(plays),
        plots.singular_values(S[0], k=2), plots.two_users(users[0], users[1]), plots.heat_map(S), plots.comparison(scores, "AUC"),
        plots.contributions(cf.UserKNN().fit(plays).explain("u", "i"), 3.0), plots.lines({"a": [1.0, 2.0]}, [1, 2], yscale="log"),
        plots.descent({"a": [2.0, 1.0]}), plots.training(network.history), plots.ladder(scores),
        plots.trajectories(lambda w: w[..., 0] ** 2, {"a": S}), plots.waveform(S[0], 22050), plots.mel_bank(S, 22050, [0]),
        plots.spectrogram(S), plots.filters(S[:, None, None]), plots.factor_map(S), plots.confusion(S, ["a", "b"]),
        plots.step_errors(S[0], {"a": [0.1, 0.2]}),
    ]
    figures = [
        plots.rules(log), plots.comparisons({"a": {"rmse": 1.0}}), plots.responses(S, S), plots.matrices({"x": S}),
        plots.overview(scores, network.history, S, "song"), plots.gallery(S[None]),
    ]
    for ax in drawn:
        plots.save(ax, "picture.png")
    for figure in figures:
        plots.save(figure, f"picture.{plots.picture_format('picture.svg')}")


def course(task: exercises.Exercise) -> exercises.Hint:
    """Work on the exercises of the course."""
    everything = assert_type(exercises.exercises("02"), exercises.Exercises)
    verdict = assert_type(exercises.check(task.name, lambda s, n, beta: s * n / (n + beta)), exercises.Verdict)
    print(everything, verdict.ok, verdict.hint, exercises.hint(task.name))
    exercises.language("de")
    print(exercises.load("my_course/"))
    try:
        exercises.require(task.name, 3)
    except exercises.NotSolved as error:
        print(error)
    return exercises.hint(task.name)


def every_name_of_the_package() -> None:
    """Reach the subpackages through `acai` itself."""
    try:
        print(acai.reference, acai.studies, acai.teaching, acai.load("model.npz").ratings.users)
        print(acai.read("C10"))
        print(acai.Ratings.load("ratings.npz"), acai.audio, acai.content, acai.datasets, acai.evaluation, acai.plots)
    except acai.InputError as error:
        raise InputError(f"{error}; {acai.gradcheck}, {acai.nn}, {acai.cf}") from None
