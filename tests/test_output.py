"""--format: what other programs read. stdout has rows and nothing else, whatever the names are; remarks go to stderr."""

import csv
import io
import json

import numpy as np
import pytest
from cf_cases import random_ratings

import acai
from acai.cf import Baseline, GlobalMean, Popularity
from acai.cli import main
from acai.commands import listen, sound
from acai.commands.output import print_rows
from acai.content.classify import CrossValidationResult
from acai.datasets import catalogue
from acai.studies.enough import expect_enough, made_up_world
from acai.studies.ladder import ColdStartSplit


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "ratings.tsv"
    lines = (f"{user}\t{song}\t{value:g}\n" for user, song, value in random_ratings().triplets())
    path.write_text("".join(lines))
    return str(path)


def rows(arguments, form, capsys):
    """What a command prints, parsed; every value as text."""
    main([*arguments, "--format", form])
    printed = capsys.readouterr()
    if form == "json":
        found = json.loads(printed.out)
        return [{name: "" if value is None else str(value) for name, value in row.items()} for row in found], printed.err
    return list(csv.DictReader(io.StringIO(printed.out))), printed.err


@pytest.mark.parametrize("form", ["csv", "json"])
def test_recommend(form, data, capsys):
    arguments = ["recommend", "--data", "triplets", data, "--user", "user 7", "-n", "3", "--model", "Baseline"]
    found, remarks = rows(arguments, form, capsys)
    model = Baseline().fit(acai.datasets.triplets(data))
    expected = [(str(place), song, str(score)) for place, (song, score) in enumerate(model.recommend("user 7", 3), 1)]
    assert [(row["place"], row["song"], row["score"]) for row in found] == expected
    assert {row["user"] for row in found} == {"user 7"} and "480 known entries" in remarks


@pytest.mark.parametrize("form", ["csv", "json"])
def test_evaluate(form, data, capsys):
    models = ["Popularity", "GlobalMean"]
    found, remarks = rows(["evaluate", "--data", "triplets", data, "--models", *models, "--metrics", "rmse", "auc"], form, capsys)
    assert [row["model"] for row in found] == models and list(found[0]) == ["model", "rmse", "auc"]
    train, test = acai.datasets.triplets(data).split(0.2, 0)
    for row, model in zip(found, (Popularity(), GlobalMean())):
        expected = acai.evaluation.evaluate(model, train, test, which=["rmse", "auc"])
        assert {name: float(row[name]) for name in expected} == expected
    assert "20% held out" in remarks


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_a_model_has_not_is_empty(form, data, capsys):
    found, _ = rows(["evaluate", "--data", "triplets", data, "--models", "Popularity"], form, capsys)
    assert found[0]["rmse"] == "" and float(found[0]["auc"]) > 0


@pytest.mark.parametrize("form", ["csv", "json"])
def test_data(form, tmp_path, capsys):
    (tmp_path / "ml-100k.zip").touch()
    found, _ = rows(["data", str(tmp_path)], form, capsys)
    assert [row["name"] for row in found] == list(catalogue.CATALOGUE)
    assert {row["name"]: row["path"] for row in found if row["path"]} == {"movielens-100k": str(tmp_path / "ml-100k.zip")}
    assert all(row["terms"] == catalogue.CATALOGUE[row["name"]].terms for row in found)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_classify(form, tmp_path, capsys, monkeypatch):
    predictions = {"the network": np.array([[0, 1, 1], [0, 1, 0], [0, 1, 0]]), "ridge": np.ones((3, 3), int)}
    result = CrossValidationResult(("rock", "jazz"), np.array([0, 1, 1]), predictions)
    monkeypatch.setattr(sound, "_classified", lambda *_: (print("said") or ["a.wav", "b.wav", "c.wav"], result))
    monkeypatch.setattr(sound, "NETWORK", "the network")
    found, remarks = rows(["classify", str(tmp_path), "--out", str(tmp_path / "x.png")], form, capsys)
    assert [row["track"] for row in found] == ["a.wav", "b.wav", "c.wav"] and "said" in remarks and "confusion matrix" in remarks
    assert [row["the network"] for row in found] == ["rock", "jazz", "rock"] and [row["ridge"] for row in found] == ["jazz"] * 3
    assert [float(row["the network, right"]) for row in found] == pytest.approx([1, 1, 1 / 3])


@pytest.mark.parametrize("form, printed", [("csv", ""), ("json", "[]\n")])
def test_no_rows(form, printed, capsys):
    print_rows([], form)
    assert capsys.readouterr().out == printed


HOSTILE = 'a"b,c;d\te', "line\nbreak", "\x1b[2J", "na\u202eïve", "\ud800", "", "=1+1", "北京"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_any_name_survives_in_json_and_parses_in_csv(encoding, monkeypatch):
    import sys

    from acai.terminal import SafeStream

    for form in ("json", "csv"):
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding=encoding)
        monkeypatch.setattr(sys, "stdout", SafeStream(stream))
        print_rows([{"name": name, "n": np.float32(0.5), "nan": np.nan, "inf": -np.inf} for name in HOSTILE], form)
        stream.flush()
        text = raw.getvalue().decode(encoding)
        if form == "json":
            assert json.loads(text) == [{"name": name, "n": 0.5, "nan": None, "inf": None} for name in HOSTILE]
        else:
            found = list(csv.DictReader(io.StringIO(text)))
            assert len(found) == len(HOSTILE) and found[0]["name"] == HOSTILE[0] and found[1]["name"] == HOSTILE[1]
            assert "\x1b" not in text
        monkeypatch.undo()


def test_titles_travel_with_the_model(tmp_path, capsys):
    """From the data set, through `train`, to `recommend --file`, which never sees the data set."""
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    R = random_ratings()
    (folder / "u.data").write_text("".join(f"{user.split()[1]}\t{song}\t{value:g}\t0\n" for user, song, value in R.triplets()))
    (folder / "u.item").write_text("".join(f"{song}|Film {song} (1995)|{'|' * 21}\n" for song in R.songs), encoding="latin-1")
    model = str(tmp_path / "model.npz")
    main(["train", "--data", "movielens-100k", str(folder), "--model", "Baseline", "--out", model])
    capsys.readouterr()
    found, _ = rows(["recommend", "--file", model, "--user", "3", "-n", "2"], "json", capsys)
    assert [row["title"] for row in found] == [f"Film {row['song']} (1995)" for row in found]
    main(["recommend", "--file", model, "--user", "3", "-n", "2"])
    assert f"1 {found[0]['song']}  {found[0]['title']}" in capsys.readouterr().out


@pytest.mark.parametrize("asked", [["reproduce"], ["reproduce", "--help"]])
def test_reproduce_alone_lists_what_there_is(asked, capsys):
    main(asked)
    printed = capsys.readouterr().out
    assert printed.startswith("usage: acai reproduce WHAT")
    assert all(f"  reproduce {what}" in printed for what in ("surprise", "momentum", "lastfm")) and "evaluate" not in printed


@pytest.mark.parametrize("command", ["demo", "evaluate cold-start"])
@pytest.mark.parametrize("songs, users, said", [
    (1, 100, "1 songs and 100 listeners: "), (2, 100, "2 songs and 100 listeners"),
    (3, 100, "3 songs and 100 listeners leave 2 with"), (3, 2, "3 songs and 2 listeners"), (10, 2, "10 songs and 2 listeners"),
])
def test_too_small_a_world_is_refused_before_anything_is_learnt(command, songs, users, said, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(listen, "rating_errors", None)  # the first to train
    monkeypatch.setattr(sound, "compare_models", None)
    out = ["--out", str(tmp_path / "demo")] if command == "demo" else []
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--songs", str(songs), "--users", str(users), *out])
    error = capsys.readouterr().err
    assert end.value.code == 2 and said in error and error.endswith("; expected more: 20 songs and 30 listeners are enough\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(5))
def test_what_is_said_to_be_enough_is(seed):
    world, split = made_up_world(30, 20, seed)
    expect_enough(ColdStartSplit.folds(world.plays, 5, seed), "")
    assert len(split.warm) >= 10
