"""Windows, standardisation, augmentation. Oracles: NumPy's own statistics; the definition, element by element."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acai.content.windows import Augmentation, Standardiser, check_spectrograms, consecutive_windows, random_windows
from acai.errors import InputError

SAME = Standardiser(np.float32([[0], [0]]), np.float32([[1], [1]]))


def numbered(frames: int) -> np.ndarray:
    """A spectrogram of two bands in which every frame holds its own number."""
    return np.stack([np.arange(frames), -np.arange(frames)]).astype(np.float32)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5), st.integers(1, 4), st.integers(0, 99))
def test_statistics_are_those_of_all_frames_together(lengths, rows, seed):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(3, 2, (rows, n)).astype(np.float32) for n in lengths]
    standardise, together = Standardiser.fit(arrays), np.concatenate(arrays, axis=1).astype(np.float64)
    np.testing.assert_allclose(standardise.mean[:, 0], together.mean(axis=1), rtol=1e-5)
    if together.shape[1] > 1:
        np.testing.assert_allclose(standardise.std[:, 0], together.std(axis=1), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(standardise.inverse_transform(standardise.transform(arrays[0])), arrays[0], rtol=1e-4, atol=1e-4)


def test_a_row_that_never_changes_becomes_zero():
    x = np.stack([np.full(9, 0.1), np.arange(9)]).astype(np.float16)
    assert (Standardiser.fit([x]).transform(x)[0] == 0).all()


@pytest.mark.parametrize("constant", [0.0, 0.1, -7.0, 1e30, 1e-30, 1e-45])
@pytest.mark.parametrize("noise", [0.0, 1e-45])
def test_a_row_without_variance_is_not_divided_by_a_tiny_number(constant, noise):
    x = np.stack([np.full(9, constant), np.arange(9)]).astype(np.float32)
    x[0, ::2] += np.float32(noise)
    standardised = Standardiser.fit([x]).transform(x)
    assert np.isfinite(standardised).all() and np.abs(standardised[0]).max() < 4
    assert np.isfinite(Standardiser.fit([x]).inverse_transform(standardised)).all()


@pytest.mark.parametrize("setting", [{"gain": -1.0}, {"gain": np.inf}, {"time_mask": -1}, {"band_mask": 2.5}, {"gain": "0"}])
def test_an_augmentation_out_of_range_is_refused_where_it_is_made(setting):
    (name, value), = setting.items()
    with pytest.raises(InputError, match=f"^{name}={value!r}; expected an? (integer|finite number), at least 0"):
        Augmentation(**setting)


@given(st.integers(1, 30), st.integers(0, 40), st.integers(0, 9))
def test_a_random_window_is_a_part_of_its_song(width, more, seed):
    S = [numbered(width + more), numbered(width)]
    x = random_windows(S, np.array([0, 1, 0]), width, SAME, np.random.default_rng(seed))
    assert x.shape == (3, 2, 1, width) and x.dtype == np.float32
    for window in x[:, :, 0]:
        start = int(window[0, 0])
        np.testing.assert_array_equal(window, numbered(width + more)[:, start : start + width])


def test_random_windows_reach_both_ends():
    starts = {int(random_windows([numbered(12)], np.array([0]), 10, SAME, np.random.default_rng(s))[0, 0, 0, 0]) for s in range(50)}
    assert starts == {0, 1, 2}


@given(st.integers(1, 12), st.integers(0, 50))
def test_consecutive_windows_cover_every_frame_with_as_few_windows_as_possible(width, more):
    frames = width + more
    x = consecutive_windows(numbered(frames), width, SAME)
    assert set(x[:, 0].ravel().astype(int)) == set(range(frames))
    assert len(x) == -(-frames // width)


def test_augmentation_masks_at_most_the_given_sizes_and_draws_anew():
    augment = Augmentation(gain=0.5, time_mask=4, band_mask=3)
    rng = np.random.default_rng(0)
    changed = [augment(np.ones((10, 20), np.float32), rng) for _ in range(40)]
    silent_bands = [(x == 0).all(axis=1).sum() for x in changed]
    silent_frames = [(x == 0).all(axis=0).sum() for x in changed]
    assert max(silent_bands) == 3 and min(silent_bands) == 0
    assert max(silent_frames) == 4 and min(silent_frames) == 0
    assert len({float(x.sum()) for x in changed}) == 40  # a gain each


def test_augmentation_of_nothing_changes_nothing():
    x = numbered(9).copy()
    np.testing.assert_array_equal(Augmentation()(x, np.random.default_rng(0)), numbered(9))


@pytest.mark.parametrize(
    "spectrograms, message",
    [
        ([], "there are no spectrograms"),
        ([np.ones((2, 9)), np.ones((3, 9))], r"spectrogram 1 has shape \(3, 9\); expected \(bands, frames\) with 2 bands"),
        ([np.ones(9)], r"spectrogram 0 has shape \(9,\)"),
        ([np.ones((2, 9)), np.ones((2, 4))], "spectrogram 1 has 4 frames; expected at least the 5 of a window"),
        ([np.full((2, 9), np.nan)], "spectrogram 0 holds NaN, infinity or numbers beyond"),
        ([np.ones((2, 9)), np.full((2, 9), -np.inf)], "spectrogram 1 holds NaN, infinity"),
        ([np.full((2, 9), 1e30)], r"spectrogram 0 holds NaN, infinity or numbers beyond ±1e\+30"),
        (np.ones((2, 9)), r"a single spectrogram was given; expected a list of them: \[S\]"),
        ([np.ones((9, 2))], r"spectrogram 0 has 2 frames; expected at least the 5 of a window: .*transposed\?"),
    ],
)
def test_a_spectrogram_that_fits_no_window_is_refused_by_its_index(spectrograms, message):
    with pytest.raises(InputError, match=message):
        check_spectrograms(spectrograms, 5)
