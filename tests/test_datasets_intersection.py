"""Last.fm 1K ∩ Million Song Dataset, on made-up pairs with known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acai import InputError, datasets
from acai.datasets.intersection import RULES, exact, letters, punctuation, suffixes
from acai.datasets.listening_log import ListeningLog
from acai.datasets.msd import Tracks


def log_of(plays):
    """A log of (song, number of plays), all by one user."""
    songs = [song for song, _ in plays]
    codes = np.repeat(np.arange(len(songs), dtype=np.int32), [n for _, n in plays])
    return ListeningLog(np.zeros(len(codes), np.int32), codes, np.arange(len(codes)), ["ann"], songs)


def tracks_of(*tracks):
    return Tracks(*(list(column) for column in zip(*tracks)))


MSD = tracks_of(
    ("TR1", "SO1", "Björk", "Jóga"),
    ("TR2", "SO2", "Simon & Garfunkel", "The Boxer"),
    ("TR3", "SO3", "The Verve", "Bitter Sweet Symphony"),
    ("TR4", "SO4", "Santana", "Smooth (feat. Rob Thomas)"),
    ("TR5", "SO5", "Ella Fitzgerald", "Misty [Remastered] (Live)"),
    ("TR6", "SO6", "Twin", "Song"),
    ("TR7", "SO7", "Twin", "Song"),
    ("TR8", "SO8", "Wrong", "Pair"),
    ("TR9", "SO9", "!!!", "???"),
)


def test_each_rule_recovers_exactly_what_it_should():
    log = log_of(
        [
            (("Björk", "Jóga"), 100),  # exact
            (("BJÖRK", "jóga"), 20),  # letters: case, and o + combining acute (NFKC)
            (("Simon and Garfunkel", "The Boxer"), 30),  # punctuation: &
            (("The Verve", "Bitter-Sweet Symphony!"), 3),  # punctuation: signs
            (("Santana", "Smooth"), 5),  # suffixes: their guest
            (("Ella Fitzgerald", "Misty (Live at the Opera House)"), 7),  # suffixes on both sides
            (("Twin", "song"), 11),  # letters, of two different songs
            (("Wrong", "Pair"), 13),  # a mismatch: not to be used
            (("!!!", "???"), 17),  # exact; and signs alone are a title still
            (("Nobody", "Knows"), 1000),
        ]
    )
    both = datasets.intersect(log, MSD, mismatches={("SO8", "TR8")})
    found = {a.rule: (a.n_songs, a.n_plays, a.n_ambiguous) for a in both.added}
    assert found == {"exact": (2, 117, 0), "letters": (2, 31, 1), "punctuation": (2, 33, 0), "suffixes": (2, 12, 0)}
    assert both.names == {
        ("Björk", "Jóga"): "SO1",
        ("BJÖRK", "jóga"): "SO1",
        ("Simon and Garfunkel", "The Boxer"): "SO2",
        ("The Verve", "Bitter-Sweet Symphony!"): "SO3",
        ("Santana", "Smooth"): "SO4",
        ("Ella Fitzgerald", "Misty (Live at the Opera House)"): "SO5",
        ("Twin", "song"): "SO6",
        ("!!!", "???"): "SO9",
    }
    assert both.tracks == {f"SO{j}": f"TR{j}" for j in (1, 2, 3, 4, 5, 6, 9)}
    counts = {song: value for _, song, value in both.log.to_ratings().triplets()}
    assert counts == {
        "SO1": 120,
        "SO2": 30,
        "SO3": 3,
        "SO4": 5,
        "SO5": 7,
        "SO6": 11,
        "SO9": 17,
    }  # two names of SO1 are one
    assert both.log.n_plays == 193 and both.n_plays == log.n_plays == 1206
    assert both.log.notes[0] == "matched by exact: 2 songs, 117 plays"
    assert repr(both).splitlines()[-1].split() == ["of", "10", "1,206"]


def test_exact_comes_first():
    # an exact namesake further down beats a near one further up
    tracks = tracks_of(("TR1", "SO1", "a", "SONG"), ("TR2", "SO2", "a", "song"))
    assert datasets.intersect(log_of([(("a", "song"), 1)]), tracks).names == {("a", "song"): "SO2"}


def test_nothing_in_common_is_an_error():
    with pytest.raises(InputError, match="none of the 1 songs in the log matches any of the 9 tracks"):
        datasets.intersect(log_of([(("Nobody", "Knows"), 1)]), MSD)


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (letters, "Ｆｕｌｌ  Width\u2028Straße", "full width strasse"),
        (punctuation, "Don't—Stop… (Live)", "dont stop live"),
        (punctuation, "R.E.M.", "r e m"),
        (punctuation, "Guns N’ Roses", "guns n roses"),
        (suffixes, "Title (Live) [2004 Remaster]", "title"),
        (suffixes, "Title ft. Somebody", "title"),
        (suffixes, "Title [Featuring Somebody]", "title"),
        (
            suffixes,
            "(I Can't Get No) Satisfaction",
            "i cant get no satisfaction",
        ),  # brackets in front belong to the name
        (suffixes, "(Intro)", "intro"),  # nothing else would be left
        (suffixes, "Soft Ft", "soft ft"),
        (suffixes, "Defeat Ftx", "defeat ftx"),
    ],
)
def test_titles_under_each_rule(rule, text, expected):
    assert rule(text) == expected


@given(st.text(min_size=1), st.sampled_from(RULES))
def test_rules_are_more_and_more_tolerant_and_never_return_an_empty_text(text, rule):
    assert rule(rule(text)) == rule(text) or rule is suffixes  # a bracket may hide another
    if letters(text):  # white space alone is nothing, and no id
        assert punctuation(text) and suffixes(text)
    assert exact(text) == text
