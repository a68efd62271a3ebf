"""What a model's file keeps: titles, and models of one's own, whose class is given to `load`."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from cf_cases import random_ratings
from forgery import forge

import acai
from acai import InputError
from acai.cf import SGD, Baseline, Popularity, Recommender
from acai.cf.learnt import Learnt
from acai.cf.recommender import KIND
from acai.files import load_npz, save_npz
from acai.settings import setting

R = random_ratings()


@dataclass
class Newest(Recommender):
    """A model of one's own: songs late in the alphabet first, with settings of every kind that can be saved."""

    state: ClassVar = {"order": Learnt(("n",)), "mean": float, "some": list}
    power: float = setting(1.0, more_than=0)
    name: str = "newest"
    sizes: tuple = (1, 2)
    limit: int | None = None

    @property
    def predicts_ratings(self):
        return False

    def _learn(self, ratings, progress):
        self.order = np.arange(ratings.n_songs) ** self.power
        self.mean, self.some = 2.5, [1.0, 2.0]

    def _finalise(self, ratings):
        super()._finalise(ratings)
        self.doubled = 2 * self.order

    def _predict_pairs(self, u, i):
        return np.where(i >= 0, self.doubled[i], 0)


@dataclass
class Forgetful(Newest):
    state: ClassVar = {"mean": float, "some": list}

    def _finalise(self, ratings):
        Recommender._finalise(self, ratings)


def test_a_model_of_ones_own_is_saved_and_loaded(tmp_path):
    model = Newest(power=2.0, name="mine", sizes=(3, 4, 5), limit=7).fit(R)
    model.save(tmp_path / "model.npz")
    again = acai.load(tmp_path / "model.npz", Newest)
    assert again == model and again.sizes == (3, 4, 5) and type(again) is Newest
    assert again.recommend("user 3", 5) == model.recommend("user 3", 5) and again.some == [1.0, 2.0]


def test_its_class_must_be_given_and_be_the_right_one(tmp_path):
    Newest().fit(R).save(tmp_path / "own.npz")
    Baseline().fit(R).save(tmp_path / "baseline.npz")
    cases = [
        (("own.npz",), r"holds a model of the class 'Newest', which is not one of acai's.*acai\.load\(path, Newest\)"),
        (("own.npz", SGD), "holds a model of the class 'Newest'; expected SGD"),
        (("baseline.npz", Newest), "holds a model of the class 'Baseline'; expected Newest"),
        (("own.npz", "Newest"), "model='Newest'; expected the class of the model"),
        (("own.npz", dict), "expected the class of the model"),
        (("own.npz", Newest()), "expected the class of the model"),
    ]
    for (name, *given), message in cases:
        with pytest.raises(InputError, match=message):
            acai.load(tmp_path / name, *given)
    assert acai.load(tmp_path / "baseline.npz", Baseline) == Baseline()


def test_what_its_file_would_lose_is_refused_when_it_is_saved(tmp_path):
    with pytest.raises(InputError, match="Forgetful has learnt order, which its file would not hold; name it in"):
        Forgetful().fit(R).save(tmp_path / "model.npz")
    with pytest.raises(InputError, match="only text, numbers and tuples of them can be saved"):
        Newest(sizes=(object(),)).fit(R).save(tmp_path / "model.npz")
    assert not (tmp_path / "model.npz").exists()


def test_titles_are_saved_and_belong_to_the_songs(tmp_path):
    model = Popularity().fit(R)
    model.titles = {song: f"title of {song}" for song in R.songs[3:]} | {"another": "unknown"}
    model.save(tmp_path / "model.npz")
    assert acai.load(tmp_path / "model.npz").titles == {song: f"title of {song}" for song in R.songs[3:]}
    Popularity().fit(R).save(tmp_path / "model.npz")
    assert acai.load(tmp_path / "model.npz").titles == {}


@pytest.mark.parametrize("titles", [("a",), "a", tuple(range(30)), None])
def test_titles_that_do_not_fit_are_refused(titles, tmp_path):
    Popularity().fit(R).save(tmp_path / "model.npz")
    contents = load_npz(tmp_path / "model.npz", KIND)
    save_npz(tmp_path / "forged.npz", KIND, **contents.arrays, **contents.values, titles=titles)
    with pytest.raises(InputError, match="not a model saved by acai: titles"):
        acai.load(tmp_path / "forged.npz")


def test_a_setting_of_another_version_is_named(tmp_path):
    Baseline().fit(R).save(tmp_path / "model.npz")
    contents = load_npz(tmp_path / "model.npz", KIND)
    contents.values["settings"]["trend"] = 3
    save_npz(tmp_path / "newer.npz", KIND, **contents.arrays, **contents.values)
    with pytest.raises(InputError, match="Baseline has no setting trend=3; it may be of another version of acai"):
        acai.load(tmp_path / "newer.npz")


@pytest.mark.parametrize("number", [float("inf"), float("nan"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(number, tmp_path):
    path = tmp_path / "model.npz"
    Baseline().fit(random_ratings()).save(path)
    with pytest.raises(InputError, match=f"not a model saved by acai: mu is {number}; expected a finite number"):
        acai.load(forge(path, lambda arrays, values: values.update({"learnt mu": number})))


def test_a_share_of_the_users_is_no_rating():
    assert Popularity().predicts_ratings is False and Baseline().predicts_ratings is True
