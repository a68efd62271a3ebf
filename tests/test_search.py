"""grid_search and random_search: every trial is a cross-validation, and what was interrupted goes on where it stopped."""

import numpy as np
import pytest
from cf_cases import random_ratings
from scipy import stats

from acai import InputError
from acai.cf import SVD, Baseline, GlobalMean, Popularity, UserKNN
from acai.evaluation import SearchResult, Trial, cross_validate, grid_search, random_search, search
from acai.files import save_npz

R = random_ratings()
GRID = {"reg_u": [0.5, 50.0], "n_epochs": [1, 3]}


def figures(result):
    return [(trial.settings, {name: values.tolist() for name, values in trial.figures.items()}) for trial in result.trials]


def test_a_grid_is_every_combination_cross_validated():
    found = grid_search(Baseline(reg_i=2.0), GRID, R, folds=3, seed=4, which=["mae"])
    assert [trial.settings for trial in found.trials] == [
        {"reg_u": reg, "n_epochs": n} for reg in (0.5, 50.0) for n in (1, 3)
    ]
    for trial in found.trials:
        expected = cross_validate(Baseline(reg_i=2.0, **trial.settings), R, folds=3, seed=4, which=["rmse", "mae"])
        assert list(trial.figures) == ["rmse", "mae"]
        assert all(np.array_equal(trial.figures[name], expected[name]) for name in expected)
    best = min(found.trials, key=lambda trial: trial.figures["rmse"].mean())
    assert found.best is best and found.best_model == Baseline(reg_i=2.0, **best.settings)


def test_the_best_is_the_smallest_error_or_the_largest_score_and_never_nan():
    figures = {1: [0.2, 0.4], 2: [0.1, 0.9], 3: [np.nan, 0.0]}
    for metric, order in ("rmse", [1, 2, 3, 4]), ("ndcg", [2, 1, 3, 4]):
        trials = [Trial({"k": k}, {metric: np.array(values)}) for k, values in figures.items()]
        result = SearchResult(UserKNN(), metric, [*trials, Trial({"k": 4}, {}, "too large")])
        assert [trial.settings["k"] for trial in result.ranked()] == order
    rows = [row.split() for row in str(result).splitlines()]
    assert (rows[0], rows[1], rows[4]) == (["k", "ndcg"], ["2", "0.5000", "±", "0.5657"], ["4", "too", "large"])
    assert result._repr_html_().count("<tr>") == 5


def test_a_single_split_has_no_spread():
    found = grid_search(Baseline(), {"n_epochs": [1]}, None, folds=[R.split(0.2)])
    assert str(found).splitlines()[1].split() == ["1", f"{found.best.figures['rmse'][0]:.4f}"]


def test_models_without_ratings_are_judged_by_their_lists():
    assert random_search(Popularity(), {}, R, n=1, folds=2).metric == "ndcg"


def test_random_settings_come_from_lists_and_distributions_and_more_of_them_from_the_same():
    space = {"reg_u": stats.loguniform(0.1, 100), "n_epochs": stats.randint(1, 9), "reg_i": [1.0, 2.0]}
    few, more = (random_search(Baseline(), space, R, n=n, folds=2, seed=3) for n in (3, 5))
    assert figures(few) == figures(more)[:3] and len(more.trials) == 5
    for trial in more.trials:
        reg_u, n_epochs, reg_i = trial.settings.values()
        assert 0.1 <= reg_u <= 100 and n_epochs in range(1, 9) and reg_i in (1, 2)
        assert [type(value) for value in (reg_u, n_epochs, reg_i)] == [float, int, float]
    assert figures(random_search(Baseline(), space, R, n=3, folds=2, seed=4)) != figures(few)
    assert len(random_search(Baseline(), {"n_epochs": [1, 2]}, R, n=9, folds=2).trials) == 2  # none is evaluated twice


def test_the_same_bits_for_any_number_of_workers():
    one, two = (grid_search(Baseline(), GRID, R, folds=2, n_jobs=n) for n in (1, 2))
    assert figures(one) == figures(two)


@pytest.mark.parametrize("finished", [0, 1, 3])
def test_what_ctrl_c_interrupts_goes_on_where_it_stopped(finished, tmp_path, monkeypatch):
    whole = grid_search(Baseline(), GRID, R, folds=2)
    file, calls = tmp_path / "search.npz", []
    evaluate = search.evaluate

    def counted(*arguments, **options):
        calls.append(arguments)
        if len(calls) > 2 * finished + 1:  # in the second fold of a trial
            raise KeyboardInterrupt
        return evaluate(*arguments, **options)

    monkeypatch.setattr(search, "evaluate", counted)
    with pytest.raises(KeyboardInterrupt):
        grid_search(Baseline(), GRID, R, folds=2, resume=file)
    calls.clear()
    monkeypatch.setattr(search, "evaluate", lambda *a, **o: calls.append(a) or evaluate(*a, **o))
    assert figures(grid_search(Baseline(), GRID, R, folds=2, resume=file)) == figures(whole)
    assert len(calls) == 2 * (4 - finished)
    larger = GRID | {"n_epochs": [1, 3, 5]}
    calls.clear()
    assert len(grid_search(Baseline(), larger, R, folds=2, resume=file).trials) == 6 and len(calls) == 4  # only the new ones


def test_a_file_of_another_search_is_refused(tmp_path):
    file = tmp_path / "search.npz"
    grid = {"reg_u": [1.0]}
    grid_search(Baseline(), grid, R, folds=2, resume=file)
    others = [
        dict(model=Baseline(reg_i=3.0)), dict(ratings=R.map(lambda r: r + 1)), dict(folds=3), dict(seed=1), dict(metric="mae"),
        dict(which=["mae"]),
    ]
    for other in others:
        arguments = dict(model=Baseline(), grid=grid, ratings=R, folds=2, resume=file) | other
        with pytest.raises(InputError, match=r"is of another search.*name another file, or delete it to start afresh"):
            grid_search(**arguments)
    (tmp_path / "other.npz").write_text("no search")
    with pytest.raises(InputError, match="not a search saved by acai"):
        grid_search(Baseline(), grid, R, folds=2, resume=tmp_path / "other.npz")
    save_npz(tmp_path / "model.npz", "a model saved by acai")
    with pytest.raises(InputError, match="this is a model saved by acai; expected a search saved by acai"):
        grid_search(Baseline(), grid, R, folds=2, resume=tmp_path / "model.npz")


def test_settings_that_do_not_suit_the_data_are_reported_and_the_others_used():
    found = grid_search(SVD(), {"n_factors": [2, 500]}, R, folds=2)
    assert found.best.settings == {"n_factors": 2} and "n_factors" in found.ranked()[1].error
    with pytest.raises(InputError, match=r"none of the 1 settings could be used; the first: .*n_factors"):
        grid_search(SVD(), {"n_factors": [500]}, R, folds=2)


@pytest.mark.parametrize("call, message", [
    (lambda: grid_search(Baseline(), {"reg": [1]}, R), "no setting of Baseline 'reg'; there is: "),
    (lambda: grid_search(Baseline(), {"n_epochs": 3}, R), r"n_epochs: 3; expected a list of values: \[3\]"),
    (lambda: grid_search(UserKNN(), {"similarity": "msd"}, R), r"similarity: 'msd'; expected a list of values: \['msd'\]"),
    (lambda: grid_search(Baseline(), {"n_epochs": []}, R), "n_epochs has no values to choose from"),
    (lambda: grid_search(Baseline(), {"n_epochs": [1, -1]}, R), "n_epochs=-1; expected an integer, at least 0"),
    (lambda: grid_search(Baseline, {"n_epochs": [1]}, R), "model=Baseline; expected a model with its settings"),
    (lambda: grid_search(GlobalMean(), {}, R, metric="rsme"), "no metric 'rsme'; there is: rmse"),
    (lambda: random_search(Baseline(), {"n_epochs": [1]}, R, n=0), "n=0; expected an integer, at least 1"),
    (lambda: random_search(Baseline(), {"n_epochs": stats.uniform(1, 3)}, R, n=1), "n_epochs=.*; expected an integer"),
])
def test_mistakes_are_named_before_the_work(call, message):
    with pytest.raises(InputError, match=message):
        call()
