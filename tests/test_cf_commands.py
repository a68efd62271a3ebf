"""acai recommend, train, evaluate, reproduce: what they print, and what they say to a mistake."""

import numpy as np
import pytest
from cf_cases import random_ratings

import acai
from acai.cf import ALS, SGD, ItemKNN
from acai.cli import main
from acai.commands.fitting import model_named


@pytest.fixture
def data(tmp_path):
    """Ratings in a file, as anybody might have them."""
    path = tmp_path / "ratings.tsv"
    lines = (f"{user.split()[1]}\t{song}\t{value:g}" for user, song, value in random_ratings().triplets())
    path.write_text("".join(line + "\n" for line in lines))
    return str(path)


def complaint(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("acai: ") and error.count("\n") == 1
    return error


def test_recommend_from_a_file(data, capsys):
    main(["recommend", "--data", "triplets", data, "--user", "7", "-n", "3", "--model", "SGD:n_factors=4,n_epochs=3"])
    printed = capsys.readouterr().out
    assert "480 known entries, 40 users × 30 songs" in printed and "SGD(n_factors=4, n_epochs=3" in printed
    model = SGD(n_factors=4, n_epochs=3).fit(acai.datasets.triplets(data))
    rows = [line.split() for line in printed.split("new for user 7:\n\n")[1].splitlines()]
    assert rows == [[str(place), song, f"{s:.3f}"] for place, (song, s) in enumerate(model.recommend("7", 3), 1)]


def test_recommend_names_films_where_their_titles_are_at_hand(real_data, capsys):
    main(["recommend", "--data", "movielens-100k", str(real_data / "ml-100k"), "--user", "196", "-n", "2"])
    known, new = capsys.readouterr().out.split("user 196 thinks most of:\n\n")[1].split("new for user 196:\n\n")
    assert all(line.endswith("  5") and ")" in line for line in known.strip().splitlines())  # the year stands in brackets
    assert len(new.splitlines()) == 2


def test_a_file_that_is_missing_says_how_to_fetch_it(capsys):
    error = complaint(["recommend", "--data", "movielens-100k", "nowhere/ml-100k.zip", "--user", "1"], capsys)
    found = "--data movielens-100k nowhere/ml-100k.zip: there is no such file or folder"
    assert error == f"acai: {found}; `acai download movielens-100k` downloads it\n"


def test_train_then_recommend(data, capsys, tmp_path):
    kept = str(tmp_path / "model.npz")
    main(["train", "--data", "triplets", data, "--log", "--model", "ALS:n_factors=4", "--out", kept])
    assert f"next: acai recommend --file {kept} --user 0" in capsys.readouterr().out
    main(["recommend", "--file", kept, "--user", "0", "--with-rated", "-n", "50"])
    printed = capsys.readouterr().out
    model = ALS(n_factors=4).fit(acai.datasets.triplets(data).map(np.log1p))
    assert [line.split()[1] for line in printed.split("new for user 0:\n\n")[1].splitlines()] == [
        song for song, _ in model.recommend("0", 50, exclude_rated=False)
    ]


def test_evaluate_prints_and_draws(data, capsys, tmp_path):
    picture = tmp_path / "pictures" / "comparison.png"
    models = ["GlobalMean", "Popularity", "ItemKNN:k=5"]
    main(["evaluate", "--data", "triplets", data, "--models", *models, "--folds", "3", "-k", "5", "--plot", str(picture)])
    printed = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.startswith("  ")}
    assert rows["model"] == ["rmse", "mae", "precision", "recall", "map", "ndcg", "coverage", "auc"]
    assert rows["Popularity"][:2] == ["–", "–"]
    expected = acai.evaluation.cross_validate(ItemKNN(k=5), acai.datasets.triplets(data), 3, k=5)
    assert rows["ItemKNN:k=5"] == [f"{expected[metric].mean():.4f}" for metric in rows["model"]]
    assert picture.read_bytes().startswith(b"\x89PNG")
    main(["evaluate", "--data", "triplets", data, "--models", "GlobalMean", "--metrics", "rmse"])
    assert len(capsys.readouterr().out.splitlines()[-1].split()) == 2


def test_only_the_momentum_study_has_a_plot(data, capsys, tmp_path):
    with pytest.raises(SystemExit) as end:
        main(["reproduce", "surprise", "--data", data, "--plot", str(tmp_path / "x.png")])
    assert end.value.code == 2 and "unrecognized arguments: --plot" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["surprise", "momentum"])
def test_reproduce_movielens(what, capsys, tmp_path):
    """On ratings of MovieLens's form, for what it prints; the figures themselves are in the README."""
    path = tmp_path / "u.data"
    lines = (f"{user.split()[1]}\t{song}\t{value:g}\t0" for user, song, value in random_ratings().triplets())
    path.write_text("".join(line + "\n" for line in lines))
    picture = tmp_path / "momentum.png"
    main(["reproduce", what, "--data", str(path), *(["--plot", str(picture)] if what == "momentum" else [])])
    printed = capsys.readouterr().out
    if what == "surprise":
        for name in ("SVD", "KNNBasic", "KNNWithMeans", "KNNBaseline", "BaselineOnly"):
            assert f"  {name} " in printed
    else:
        assert printed.count("epochs\n") + printed.count("never\n") == 6 and picture.exists()


def test_reproduce_lastfm(capsys, tmp_path):
    path = tmp_path / "user_artists.dat"
    lines = (f"{user.split()[1]}\t{song}\t{9 * value:g}" for user, song, value in random_ratings(m=50, n=70).triplets())
    path.write_text("userID\tartistID\tweight\r\n" + "".join(line + "\r\n" for line in lines))
    main(["reproduce", "lastfm", "--data", str(path)])
    printed = capsys.readouterr().out
    for name in ("Popularity()", "ItemKNN(k=400, ", "ALS(n_factors=64, "):
        assert name in printed


def test_surprises_table_on_the_real_data(real_data, capsys):
    """The figures that Surprise's README gives: all ten within .003."""
    main(["reproduce", "surprise", "--data", str(real_data / "ml-100k")])
    figures = [line.replace("(", " ").replace(")", " ").split()[-4:] for line in capsys.readouterr().out.splitlines()[3:]]
    assert len(figures) == 5
    for ours_rmse, theirs_rmse, ours_mae, theirs_mae in np.array(figures, float):
        assert abs(ours_rmse - theirs_rmse) <= 0.003 and abs(ours_mae - theirs_mae) <= 0.003


def test_models_by_name():
    assert model_named("SGD") == SGD()
    assert model_named("SGD:n_factors=7,biases=false,learning_rate=1e-3,patience=none") == SGD(7, biases=False, learning_rate=1e-3)
    assert model_named("ItemKNN:similarity=msd,keep=90") == ItemKNN(similarity="msd", keep=90)


@pytest.mark.parametrize(
    "model, message",
    [
        ("SDG", "no model 'SDG'; there is: SVD, SGD"),
        ("SGD:n_factor=3", "no setting of SGD 'n_factor'; there is: n_factors"),
        ("SGD:n_factors=many", "n_factors=many; expected an integer, such as n_factors=100"),
        ("SGD:reg=much", "reg=much; expected a number, such as reg=0.02"),
        ("SGD:biases=1", "biases=1; expected true or false"),
        ("SGD:reg", "reg; expected a number, such as reg=0.02"),
        ("SGD:momentum=2", "momentum=2.0; expected a finite number, at least 0, at most 0.9999"),
    ],
)
def test_models_misnamed(model, message, data, capsys):
    assert message in complaint(["recommend", "--data", "triplets", data, "--user", "7", "--model", model], capsys)


def test_mistakes_in_the_data(data, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what is written by default goes to the current folder
    assert "no user '99'; there is: " in complaint(["recommend", "--data", "triplets", data, "--user", "99"], capsys)
    assert "no data set 'tripletts'; there is: triplets" in complaint(["train", "--data", "tripletts", data, "--out", "x"], capsys)
    assert "give either --data NAME PATH or --file MODEL" in complaint(["recommend", "--user", "1"], capsys)
    assert "-k=0; expected an integer, at least 1" in complaint(["evaluate", "--data", "triplets", data, "-k", "0"], capsys)
    assert "no command 'reproduce'; there is: reproduce " in complaint(["reproduce", "--data", data], capsys)
    assert "missing.npz: there is no such file" in complaint(["recommend", "--file", "missing.npz", "--user", "1"], capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["ratings.tsv"]


def test_play_counts_are_recognised_with_and_without_their_logarithm(capsys, tmp_path):
    """Neighbours learn from logarithms by default, and --log does not make the counts look like ratings."""
    R = random_ratings(m=60, n=50, highest=40)
    path = tmp_path / "plays.tsv"
    path.write_text("".join(f"{user}\t{song}\t{max(1, 2 ** (value - 18)):.0f}\n" for user, song, value in R.triplets()))
    printed = {}
    for options in ([], ["--log"]):
        main(["evaluate", "--data", "triplets", str(path), "--metrics", "ndcg", *options])
        printed[bool(options)] = capsys.readouterr().out
    assert "ItemKNN learns from log(1 + plays)" in printed[False] and "learns" not in printed[True]
    for text in printed.values():
        assert [line.split()[0].partition(":")[0] for line in text.splitlines()[-3:]] == ["Popularity", "ItemKNN", "ALS"]
    of_neighbours = [line for text in printed.values() for line in text.splitlines() if "ItemKNN:" in line]
    assert of_neighbours[0] == of_neighbours[1]  # trained on the same
    main(["recommend", "--data", "triplets", str(path), "--user", "user 3", "--log"])
    assert "ALS(" in capsys.readouterr().out


def test_the_models_that_suit_play_counts_are_better_than_popularity(real_data, capsys):
    main(["evaluate", "--data", "hetrec-lastfm", str(real_data / "hetrec-lastfm-2k"), "--metrics", "ndcg"])
    ndcg = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()[-3:]]
    assert ndcg[0] < 0.1 and min(ndcg[1:]) > 0.2
