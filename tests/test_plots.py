"""Pictures say what they are given: what is drawn is read back from the axes and compared."""

import io
from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.text import Text

from acai import plots
from acai.cf import UserKNN
from acai.cf.lists import Reason
from acai.datasets import synthetic
from acai.errors import InputError
from acai.evaluation import Comparison, Difference, SearchResult, Trial
from acai.ratings import Ratings
from acai.teaching.survey import listening_log

RNG = np.random.default_rng(0)
R = Ratings.from_triplets("aabbbcd", "xyxyzzz", [5, 3, 1, 2, 4, 1, 30])
S = RNG.random((16, 40)).astype(np.float32)


@dataclass
class Epoch:
    loss: float
    score: float


HISTORY = [Epoch(2.0, -0.1), Epoch(1.0, 0.4)]
NEIGHBOURS = [Reason("v", 0.9, 5.0, 0.6), Reason("w", 0.5, 1.0, -0.4)]
DIFFERENCES = [Difference("rmse", "a$", "b", 0.1, -0.1, 0.3, 0.4), Difference("ndcg", "a$", "b", 0.2, 0.1, 0.3, 0.01)]
COMPARISON = Comparison({}, DIFFERENCES, 0.95, 9)
TRIALS = [Trial({"k": k, "s": s}, {"ndcg": np.array([k, k + 1.0])}) for k in (1, 50) for s in ("cosine", "msd")]
SEARCH = SearchResult(UserKNN(), "ndcg", TRIALS)
EXAMPLES = {
    "axes": lambda: plots.axes(),
    "comparison": lambda: plots.comparison({"a": 1.0, "b": 0.5}, "RMSE"),
    "comparisons": lambda: plots.comparisons({"a": {"rmse": 1.0}, "b": {"rmse": 0.5}}),
    "confusion": lambda: plots.confusion(np.array([[2.0, 1], [0, 3]]), ["a", "b"]),
    "contributions": lambda: plots.contributions(NEIGHBOURS, mean=3.0),
    "descent": lambda: plots.descent({"a": [3, 2, 1]}),
    "diary": lambda: plots.diary(np.array([0, 86400, 172800]), ["x", "y", "y"]),
    "differences": lambda: plots.differences(COMPARISON),
    "factor_map": lambda: plots.factor_map(RNG.normal(size=(9, 3)), np.arange(9), "tempo"),
    "filters": lambda: plots.filters(RNG.normal(size=(5, 1, 8, 3))),
    "gallery": lambda: plots.gallery(RNG.random((3, 8, 8)), ["a", "b", "c"]),
    "heat_map": lambda: plots.heat_map(np.eye(3), rows=["a", "b", "c"]),
    "ladder": lambda: plots.ladder({"chance": 0.5, "truth": 0.9}),
    "lines": lambda: plots.lines({"a": [1, 2], "b": [3, 1]}, [5, 9], xlabel="k"),
    "long_tail": lambda: plots.long_tail(R, head=1 / 3),
    "matrices": lambda: plots.matrices({"x": np.eye(2), "y": np.ones((2, 3))}),
    "matrix": lambda: plots.matrix(R),
    "mel_bank": lambda: plots.mel_bank(np.eye(4, 9), 22050, [0, 2]),
    "overview": lambda: plots.overview({"chance": 0.5, "truth": 0.9}, HISTORY, S, "song-0001"),
    "responses": lambda: plots.responses(S, RNG.random((4, 37))),
    "rules": lambda: plots.rules(listening_log(synthetic(20, 10, seconds=1))),
    "search": lambda: plots.search(SEARCH),
    "singular_values": lambda: plots.singular_values(np.array([4.0, 2, 1]), k=2),
    "spectrogram": lambda: plots.spectrogram(S),
    "step_errors": lambda: plots.step_errors(np.array([0.5, 0.25]), {"a cube": [0.25, 0.0]}),
    "training": lambda: plots.training(HISTORY),
    "trajectories": lambda: plots.trajectories(lambda w: (w**2).sum(axis=-1), {"a": np.array([[0.5, 0.5], [0.1, 0.2]])}),
    "two_users": lambda: plots.two_users(np.array([1, 2, np.nan, 4, 2]), np.array([2, 3, 3, np.nan, 3])),
    "waveform": lambda: plots.waveform(np.sin(np.arange(100)), 22050),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("name", [name for name in plots.__all__ if name in EXAMPLES])
def test_every_picture_can_be_drawn_and_saved(name, tmp_path):
    drawn = EXAMPLES[name]()
    plots.save(drawn, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    figure = drawn.figure
    if name != "axes":
        assert any(ax.get_xlabel() or ax.get_ylabel() or ax.get_title() or ax.get_yticklabels() for ax in figure.axes)


def test_there_is_an_example_of_every_picture():
    assert {name for name in plots.__all__ if name.islower()} == {*EXAMPLES, "save", "picture_format"}


EVIL = "_$\\frac$ a$b$ \\$5 r\udcfcck ^{c} tab\tbell\x07"
NAMED = {  # every picture that draws names: of songs, users, folders, models
    "comparison": lambda a: plots.comparison({a: 1.0}, "RMSE"),
    "comparisons": lambda a: plots.comparisons({a: {a: 1.0}}),
    "confusion": lambda a: plots.confusion(np.array([[2.0, 1], [0, 3]]), [a, "b"]),
    "contributions": lambda a: plots.contributions([Reason(a, 0.9, 5.0, 0.6)], mean=3.0),
    "descent": lambda a: plots.descent({"b": [1.0, 0.5], a: [3, 2, 1]}),
    "diary": lambda a: plots.diary(np.array([0, 86400]), [a, "y"]),
    "gallery": lambda a: plots.gallery(RNG.random((1, 8, 8)), [a]),
    "heat_map": lambda a: plots.heat_map(np.eye(2), rows=[a, "b"], columns=["b", a]),
    "ladder": lambda a: plots.ladder({a: 0.5, "truth": 0.9}),
    "matrices": lambda a: plots.matrices({a: np.eye(2)}),
    "overview": lambda a: plots.overview({"chance": 0.5, a: 0.9}, HISTORY, S, a),
    "step_errors": lambda a: plots.step_errors(np.array([0.5, 0.25]), {a: [0.25, 0.0]}),
    "trajectories": lambda a: plots.trajectories(lambda w: (w**2).sum(axis=-1), {a: np.array([[0.5, 0.5], [0.1, 0.2]])}),
}


@pytest.mark.parametrize("name", NAMED)
def test_names_are_drawn_as_they_are(name):
    figure = NAMED[name](EVIL).figure
    plots.save(figure, io.BytesIO())
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert any(plots.style.literal(EVIL) in text for text in texts), texts


@pytest.mark.parametrize("name", [r"$\frac$", "a$b$c", r"\$5 \$6", r"\\$", "x_1^{a} #%&~", "100 $"])
def test_a_literal_looks_like_text_in_which_nothing_has_a_meaning(name):
    pictures = []
    for text, how in ((plots.style.literal(name), {}), (name, {"parse_math": False})):
        ax = plots.axes(size=(3, 1))
        ax.set_axis_off()
        ax.text(0, 0.5, text, **how)
        pictures.append(io.BytesIO())
        plots.save(ax, pictures[-1])
    assert pictures[0].getvalue() == pictures[1].getvalue()
    assert plots.style.literal("a\tb\udcff") == "a\ufffdb\ufffd"


@pytest.mark.parametrize("name", ["picture.txt", "picture.tar.gz", "picture.html"])
def test_a_picture_in_no_known_format_is_refused_and_nothing_is_left(name, tmp_path):
    with pytest.raises(InputError, match=r"expected a name that ends in \.png, \.pdf"):
        plots.save(plots.axes(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_pictures_go_where_one_wants_them():
    ax = plots.axes()
    assert plots.matrix(R, ax) is ax and plots.lines({"a": [1]}, [1], ax=ax) is ax and plots.heat_map(np.eye(2), ax=ax) is ax
    assert plots.long_tail(R, ax=ax) is ax and plots.singular_values(np.ones(3), ax=ax) is ax


def test_gaps_of_the_matrix_stay_empty_and_a_known_zero_does_not():
    zero = Ratings.from_triplets("ab", "xy", [0, 2])
    image = plots.matrix(zero).images[0].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(np.ma.masked_invalid(image)), [[False, True], [True, False]])
    assert image[0, 0] == 0 and image[1, 1] == 2


def test_the_sorted_matrix_has_the_busiest_in_the_upper_left_corner():
    image = np.ma.filled(plots.matrix(R, sort=True).images[0].get_array(), np.nan)
    known = ~np.isnan(image)
    assert (np.diff(known.sum(axis=1)) <= 0).all() and (np.diff(known.sum(axis=0)) <= 0).all() and known.sum() == 7


def test_the_long_tail_is_sorted_and_its_head_has_its_share():
    ax = plots.long_tail(R, head=1 / 3)
    assert [bar.get_height() for bar in ax.patches] == [35, 6, 5]  # z, x, y
    assert "33% of the songs\nhave 76% of the plays" in ax.texts[0].get_text()


def test_a_diary_has_a_row_for_each_song_the_most_played_first_and_no_more_than_asked_for():
    times = np.arange(6) * 86400
    ax = plots.diary(times, ["x", "y", "y", "z", "z", "z"], n_songs=2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["z (3×)", "y (2×)"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [1, 1, 0, 0, 0])
    assert ax.yaxis_inverted()


def test_two_users_shows_songs_that_both_rated_and_their_means():
    ax = plots.two_users(np.array([1, 2, np.nan, 4, 2]), np.array([2, 3, 3, np.nan, 3]))
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), [[1, 2], [2, 3]])
    np.testing.assert_array_equal(ax.collections[0].get_sizes(), [60, 120])  # two songs on one spot
    assert ax.lines[0].get_xdata()[0] == pytest.approx(5 / 3) and ax.lines[1].get_ydata()[0] == pytest.approx(8 / 3)


def test_confusion_writes_counts_and_paints_shares():
    ax = plots.confusion(np.array([[2.0, 2], [0, 3]]), ["a", "b"])
    assert [text.get_text() for text in ax.texts] == ["2", "2", "0", "3"]
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0.5, 0.5], [0, 1]])


def test_a_ladder_shows_every_rung_even_one_below_chance():
    ax = plots.ladder({"chance": 0.44, "truth": 0.9}, errors={"truth": 0.01, "chance": 0.02})
    assert [bar.get_width() for bar in ax.patches] == [0.44, 0.9] and ax.get_xlim()[0] <= 0.44
    assert [text.get_text().strip() for text in ax.texts] == ["0.4400", "0.9000"]


def test_contributions_lead_from_the_mean_to_the_prediction():
    ax = plots.contributions(NEIGHBOURS, mean=3.0)
    np.testing.assert_allclose([(bar.get_x(), bar.get_width()) for bar in ax.patches], [(3.0, 0.6), (3.6, -0.4)])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["r̄(u) = 3.00", "r̂(u,i) = 3.20"]
    assert ax.get_xlim()[0] < 3 and ax.get_xlim()[1] > 3.6  # nothing ends at the frame


def test_singular_values_say_how_much_the_first_k_have():
    ax = plots.singular_values(np.array([4.0, 2, 1]), k=2)
    assert [bar.get_height() for bar in ax.patches] == [4, 2, 1]
    assert ax.get_title() == "the first 2 have 95.2% of Σσ²"  # 20 of 21
    assert ax.patches[1].get_facecolor() != ax.patches[2].get_facecolor()


def test_trajectories_draw_each_path_from_its_dot_to_its_ring():
    path = np.array([[0.9, 0.9], [0.5, 0.1], [0.1, 0.2]])
    ax = plots.trajectories(lambda w: (w**2).sum(axis=-1), {"η = 0.1": path}, x=(-2, 2), y=(-1, 1))
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), path)
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), path[:1])
    np.testing.assert_array_equal(ax.lines[2].get_xydata(), path[-1:])
    assert ax.get_xlim() == (-2, 2) and ax.get_ylim() == (-1, 1)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["η = 0.1"]


def test_lines_tell_their_names_and_differ_in_colour_and_dashes():
    ax = plots.lines({"a": [1, 2], "b": [3, 1], "c": [0, 0]}, [5, 9], steps=True, ylabel="RMSE")
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 3
    assert len({line.get_linestyle() for line in ax.lines}) == 3  # for those who see no colours
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[5, 3], [9, 1]])
    assert ax.get_ylabel() == "RMSE" and ax.lines[0].get_drawstyle() == "steps-mid"


def test_a_heat_map_is_symmetric_about_zero():
    image = plots.heat_map(np.array([[1, -0.5]]), rows=["u"], columns=["v", "w"]).images[0]
    assert image.get_clim() == (-1, 1)


def test_colours_can_be_told_apart_by_lightness_or_hue():
    colours = [plots.BLUE, plots.ORANGE, plots.GREEN, plots.RED, plots.PURPLE, plots.SKY, plots.YELLOW, plots.BLACK]
    rgb = np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in colours]) / 255
    distance = np.linalg.norm(rgb[:, None] - rgb[None], axis=-1)[np.triu_indices(8, 1)]
    assert distance.min() > 0.2


def test_differences_are_drawn_with_their_intervals_and_noise_in_grey():
    of_rmse, of_ndcg = plots.differences(COMPARISON).axes
    for ax, (low, delta, high), colour in (of_rmse, (-0.1, 0.1, 0.3), "0.6"), (of_ndcg, (0.1, 0.2, 0.3), plots.BLUE):
        interval, point, zero = ax.lines
        assert list(interval.get_xdata()) == [low, high] and list(point.get_xdata()) == [delta] and list(zero.get_xdata()) == [0, 0]
        assert interval.get_color() == point.get_color() == colour
        assert [label.get_text() for label in ax.get_yticklabels()] == [r"a\$ − b"]


def test_trials_are_drawn_over_each_setting_and_the_best_is_orange():
    over_k, over_s = plots.search(SEARCH).axes
    assert over_k.get_xscale() == "log" and [label.get_text() for label in over_s.get_xticklabels()] == ["cosine", "msd"]
    for ax, x in (over_k, [1, 1, 50, 50]), (over_s, [0, 1, 0, 1]):
        (dots,) = ax.collections
        assert dots.get_offsets().tolist() == [list(point) for point in zip(x, [1.5, 1.5, 50.5, 50.5])]
        assert np.ptp(np.delete(dots.get_facecolors(), 2, axis=0), axis=0).max() == 0  # all but the best are the same
        assert tuple(dots.get_facecolors()[2]) == to_rgba(plots.ORANGE)
