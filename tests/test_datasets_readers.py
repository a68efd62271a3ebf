"""Each data set as it comes: small files of the real form with known contents, and the real ones where they are at hand."""

import csv
import gzip
import json

import numpy as np
import pytest

from acai import InputError, datasets


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def as_dict(ratings):
    return {(user, song): value for user, song, value in ratings.triplets()}


# ------------------------------------------------------------------ the real ones


def test_real_movielens_100k(real_data):
    ratings = datasets.movielens_100k(real_data / "ml-100k", complete=True)
    assert (ratings.n_ratings, ratings.n_users, ratings.n_songs) == (100_000, 943, 1_682)
    assert as_dict(ratings)["196", "242"] == 3 and ratings.users[:3] == ("196", "186", "22")
    assert ratings.times[ratings.csr.indptr[0]] > 0
    titles = datasets.movielens_titles(real_data / "ml-100k")
    assert titles["1"] == "Toy Story (1995)" and set(titles) == set(ratings.songs)
    assert any("é" in title for title in titles.values())  # Latin-1
    assert ratings.notes[1] == "published: 100,000 rows, 943 users, 1,682 songs; here: the same"


def test_real_movielens_100k_is_what_pandas_reads(real_data):
    pandas = pytest.importorskip("pandas", reason="compares with pandas.read_csv")
    frame = pandas.read_csv(real_data / "ml-100k" / "u.data", sep="\t", header=None, dtype={0: str, 1: str})
    ratings = datasets.movielens_100k(real_data / "ml-100k")
    assert as_dict(ratings) == {(user, item): rating for user, item, rating, _ in frame.itertuples(index=False)}
    assert sorted(ratings.times.tolist()) == sorted(frame[3].tolist())


def test_real_hetrec_lastfm(real_data):
    plays = datasets.hetrec_lastfm(real_data / "hetrec-lastfm-2k", complete=True)
    assert (plays.n_ratings, plays.n_users, plays.n_songs) == (92_834, 1_892, 17_632)
    assert plays.csr.data.sum(dtype=np.int64) == 69_183_975
    names = datasets.hetrec_artists(real_data / "hetrec-lastfm-2k")
    assert names["51"] == "Duran Duran" and set(names) >= set(plays.songs)


def test_real_acai_game(real_data):
    ratings = datasets.acai_game(real_data / "acai-game", complete=True)
    assert (ratings.n_ratings, ratings.n_users, ratings.n_songs) == (835, 44, 505)
    assert set(np.unique(ratings.csr.data)) == {1, 2, 3, 4, 5}
    assert set(datasets.acai_game_titles(real_data / "acai-game")) >= set(ratings.songs)


def test_real_lastfm_1k_excerpt(real_data):
    log = datasets.lastfm_1k(real_data / "lastfm-1k-excerpt")
    assert (log.n_plays, log.n_users) == (5_000, 2)
    assert np.bincount(log.user_codes).tolist() == [4_997, 3]
    assert log.songs[1] == ("坂本龍一", "Composition 0919 (Live_2009_4_15)")
    assert str(log.times.view("datetime64[s]")[0]) == "2009-05-04T23:08:57"
    with pytest.raises(
        InputError, match="is not complete: 19,150,868 rows, 992 users were published; it has 19,145,868 rows fewer"
    ):
        datasets.lastfm_1k(real_data / "lastfm-1k-excerpt", complete=True)
    profiles = datasets.lastfm_1k_profiles(real_data / "lastfm-1k-excerpt")
    assert len(profiles) == 992
    assert profiles["user_000003"] == {
        "gender": "m",
        "age": "22",
        "country": "United States",
        "registered": "Oct 30, 2005",
    }


def test_real_msd_subset(real_data):
    tracks = datasets.msd_tracks(real_data / "msd-subset", complete=True)
    assert len(tracks) == 10_000
    assert (tracks.track_ids[0], tracks.song_ids[0]) == ("TRAAAAW128F429D538", "SOMZWCG12A8C13C480")
    assert (tracks.artists[0], tracks.titles[0]) == ("Casual", "I Didn't Mean To")


# ------------------------------------------------------------------ made-up ones of the real form


def test_movielens_1m(tmp_path):
    write(tmp_path, "ml-1m/ratings.dat", "1::1193::5::978300760\n1::661::3::978302109\n2::661::4::978298413\n")
    write(
        tmp_path, "ml-1m/movies.dat", "661::James et la pêche::Animation|Children's\n1193::Cuckoo::Drama\n", "latin-1"
    )
    ratings = datasets.movielens_1m(tmp_path)
    assert as_dict(ratings) == {("1", "1193"): 5, ("1", "661"): 3, ("2", "661"): 4}
    assert dict(zip(as_dict(ratings), ratings.times.tolist()))["2", "661"] == 978298413
    assert datasets.movielens_titles(tmp_path) == {"661": "James et la pêche", "1193": "Cuckoo"}
    _, test = ratings.split_by_time(0.3)
    assert list(as_dict(test)) == [("1", "661")]


def test_names_from_a_file_with_one_part_doubled_are_refused(tmp_path):
    """Two gzip files end to end are one, with a header in the middle that would be taken for a name."""
    (tmp_path / "artists.dat.gz").write_bytes(2 * gzip.compress(b"id\tname\turl\tpictureURL\n1\tA\tu\tp\n2\tB\tu\tp\n"))
    with pytest.raises(InputError, match="names '1' twice; expected each id once"):
        datasets.hetrec_artists(tmp_path / "artists.dat.gz")


def test_a_time_must_be_whole(tmp_path):
    path = write(tmp_path, "u.data", "1\t2\t3\t881250949\n1\t3\t3\t881250949.5\n")
    with pytest.raises(InputError, match="line 2: expected an integer of at least 0 as timestamp"):
        datasets.movielens_100k(path)


LOG = "userid-timestamp-artid-artname-traid-traname.tsv"


def test_lastfm_1k(tmp_path):
    lines = [
        'user_000001\t2009-05-04T23:08:57Z\tf1b1cf71\tDeep Dish\t\tSay "Hello\u2028again',
        'user_000001\t2009-05-03T23:08:57Z\t\tDeep Dish\tabc\tSay "Hello\u2028again',
        "user_000002\t2013-09-29T18:32:04Z\t\tDeep\t\tDish\x85",
    ]
    write(tmp_path, f"lastfm-dataset-1K/{LOG}", "\n".join(lines) + "\n")
    log = datasets.lastfm_1k(tmp_path)
    assert log.users == ["user_000001", "user_000002"]
    assert log.songs == [("Deep Dish", 'Say "Hello\u2028again'), ("Deep", "Dish\x85")]
    assert as_dict(log.to_ratings()) == {("user_000001", log.songs[0]): 2, ("user_000002", log.songs[1]): 1}
    assert log.notes[2] == "1 play is dated after the log was collected: line 3, …"
    assert repr(log) == "ListeningLog: 3 plays of 2 songs by 2 users, 2009-05-03 to 2013-09-29"


def test_artist_and_title_are_not_confused(tmp_path):
    write(
        tmp_path,
        LOG,
        "".join(f"u\t2009-05-04T23:08:57Z\t\t{a}\t\t{t}\n" for a, t in [("ab", "c"), ("a", "bc"), ("ab", "c")]),
    )
    assert datasets.lastfm_1k(tmp_path).songs == [("ab", "c"), ("a", "bc")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("u\t2009-13-04T23:08:57Z\ta\tA\tt\tT", "expected a time like 2009-05-04T23:08:57Z as time; found 'u"),
        ("u\t2009-05-04T23:08:57Z\ta\tA\tt\t", "expected a non-empty title"),
        ("u\t2009-05-04T23:08:57Z\ta\t\tt\tT", "expected a non-empty artist"),
        ("u\t2009-05-04T23:08:57Z\tA\tT", r"expected 6 fields \(user, time, artist MBID, artist, track MBID, title\)"),
    ],
)
def test_lastfm_1k_with_a_faulty_line(tmp_path, line, message):
    good = "u\t2009-05-04T23:08:57Z\t\tA\t\tT\n"
    path = write(tmp_path, LOG, good + line + "\n" + good)
    with pytest.raises(InputError, match=f"{LOG}, line 2: {message}"):
        datasets.lastfm_1k(path)
    log = datasets.lastfm_1k(path, on_error="skip")
    assert log.n_plays == 2 and log.songs == [("A", "T")]
    assert log.notes[1].startswith("1 line skipped: expected ") and log.notes[1].endswith(" (line 2)")


def test_profiles(tmp_path):
    write(
        tmp_path,
        "userid-profile.tsv",
        "#id\tgender\tage\tcountry\tregistered\nuser_000001\tm\t\tJapan\tAug 13, 2006\nuser_2\t\t\t\t\n",
    )
    assert datasets.lastfm_1k_profiles(tmp_path) == {
        "user_000001": {"gender": "m", "age": "", "country": "Japan", "registered": "Aug 13, 2006"},
        "user_2": {"gender": "", "age": "", "country": "", "registered": ""},
    }


SONG, TRACK = "SO" + "A" * 16, "TR" + "B" * 16


def test_taste_profile_and_mismatches(tmp_path):
    other, right = "SO" + "C" * 16, "SO" + "D" * 16
    write(tmp_path, "train_triplets.txt", f"u1\t{SONG}\t1\nu1\t{other}\t2\nu2\t{right}\t5\nu3\t{SONG}\t7\n")
    errors = [f"ERROR: <{SONG} {TRACK}> Underground  -  The Way  !=  Linkwood  -  What\u2028s up"]
    errors += [f"ERROR: <{other} {TRACK}> a  -  b  !=  c  -  d"]
    write(tmp_path, "sid_mismatches.txt", "\n".join(errors) + "\n")
    write(tmp_path, "accepted.txt", f"9d8\n< ERROR: <{other} {TRACK}> a  -  b  !=  c  -  d\n26c25\n")
    plays = datasets.taste_profile(tmp_path)
    assert as_dict(plays) == {("u1", SONG): 1, ("u1", other): 2, ("u2", right): 5, ("u3", SONG): 7}
    assert "48,373,582 rows fewer, 1,019,315 users fewer, 384,543 songs fewer" in plays.notes[1]
    assert datasets.msd_mismatches(tmp_path) == {(SONG, TRACK), (other, TRACK)}
    wrong = datasets.msd_mismatches(tmp_path, tmp_path / "accepted.txt")
    assert wrong == {(SONG, TRACK)}
    plays = datasets.taste_profile(tmp_path, mismatches=wrong)
    assert as_dict(plays) == {("u1", other): 2, ("u2", right): 5}
    assert plays.users == ("u1", "u2")
    assert plays.notes[-1] == "dropped 2 rows of 1 songs that belong to the wrong track"


def test_the_challenges_triplets_have_their_own_numbers(tmp_path):
    path = write(tmp_path, "kaggle_visible_evaluation_triplets.txt", f"u1\t{SONG}\t1\n")
    assert "published: 1,450,933 rows, 110,000 users" in datasets.taste_profile(path).notes[1]
    path = write(tmp_path, "mine.txt", f"u1\t{SONG}\t1\n")
    assert len(datasets.taste_profile(path).notes) == 1
    with pytest.raises(InputError, match="complete=True, but no numbers are published for a file of this name"):
        datasets.taste_profile(path, complete=True)


@pytest.mark.parametrize("text", ["ERROR: <SOX TRX> a\n", "nothing of the kind\n"])
def test_mismatches_of_another_form(tmp_path, text):
    path = write(tmp_path, "sid_mismatches.txt", text)
    with pytest.raises(InputError, match=r"line 1: expected 'ERROR: <SO… TR…> artist  -  title  !=  …'; found"):
        datasets.msd_mismatches(path)
    with pytest.raises(InputError, match="expected lines '< ERROR"):
        datasets.msd_mismatches(write(tmp_path, "good.txt", f"ERROR: <{SONG} {TRACK}> a\n"), accepted=path)


def test_msd_tracks_with_odd_titles(tmp_path):
    write(tmp_path, "unique_tracks.txt", f"{TRACK}<SEP>{SONG}<SEP>A<B<SEP>C\u2028D\x85\nTR2<SEP>{SONG}<SEP>A<B<SEP>\n")
    tracks = datasets.msd_tracks(tmp_path)
    assert tracks.titles == ["C\u2028D\x85", ""] and tracks.artists == ["A<B", "A<B"]
    assert repr(tracks) == "Tracks: 2 tracks of 1 songs by 1 artists"
    assert "here: 999,998 rows fewer" in tracks.notes[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected JSON"),
        ('{"u": {"s": 3', "line 1: expected JSON"),
        ('{"u":\n {"s": 6}}', "user 'u', song 's': expected a rating from 1 to 5; found 6"),
        ('{"u": {"s": NaN}}', "expected a rating from 1 to 5; found nan"),
        ('{"u": {"s": true}}', "expected a rating from 1 to 5; found True"),
        ('{"u": [3]}', r"user 'u': expected \{song: rating, …\}; found \[3\]"),
        ("[]", "expected a JSON object"),
        ("{}", "has no rating"),
        ('{"u": {"s": 3, "s": 4}}', "expected each name once in an object; found 's' again"),
    ],
)
def test_an_acai_game_of_another_form(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        datasets.acai_game(write(tmp_path, "acai_game_user_ratings.json", text))


def test_acai_game_not_utf8(tmp_path):
    path = tmp_path / "g.json"
    path.write_bytes(b'{"u":\n{"\xff": 3}}')
    with pytest.raises(InputError, match="line 2: expected UTF-8 text"):
        datasets.acai_game(path)


def test_acai_game_with_a_byte_order_mark(tmp_path):
    path = write(tmp_path, "acai_game_user_ratings.json", "\ufeff" + json.dumps({"u": {"s": 3, "t": 5}, "v": {"s": 1}}))
    assert as_dict(datasets.acai_game(path)) == {("u", "s"): 3, ("u", "t"): 5, ("v", "s"): 1}


FMA_HEADER = [
    ["", "album", "artist", "set", "set", "track", "track", "track"],
    ["", "title", "name", "split", "subset", "genre_top", "listens", "title"],
    ["track_id", "", "", "", "", "", "", ""],
]


def write_fma(folder, rows):
    with open(folder / "tracks.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*FMA_HEADER, *rows])


def test_fma(tmp_path):
    rows = [
        ["2", "AWOL", "AWOL, the band", "training", "small", "Hip-Hop", "1293", 'Food\nand "drink"'],
        ["108925", "x", "y", "test", "medium", "", "7", "z"],
    ]
    write_fma(tmp_path, rows)
    clips = datasets.fma(tmp_path)
    assert [clip.track_id for clip in clips] == [2, 108925]
    assert (clips[0].artist, clips[0].title, clips[0].listens) == ("AWOL, the band", 'Food\nand "drink"', 1293)
    assert clips[0].path.as_posix() == "000/000002.mp3" and clips[1].path.as_posix() == "108/108925.mp3"
    assert clips[0].has_sound and not clips[1].has_sound
    assert [clip.track_id for clip in datasets.fma(tmp_path, subset="small")] == [2]
    assert len(datasets.fma(tmp_path, subset="large")) == 2
    with pytest.raises(InputError, match="no subset 'tiny'; there is: small, medium, large"):
        datasets.fma(tmp_path, subset="tiny")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["2", "a", "b", "training", "small", "", "many", "t"]], "line 4: expected a track with the fields of the header"),
        ([["2", "a", "b"]], "line 4: expected a track with the fields of the header"),
    ],
)
def test_fma_with_a_faulty_line(tmp_path, rows, message):
    write_fma(tmp_path, rows)
    with pytest.raises(InputError, match=message):
        datasets.fma(tmp_path)


def test_fma_without_its_header(tmp_path):
    write(tmp_path, "tracks.csv", "track_id,artist\n2,AWOL\n")
    with pytest.raises(
        InputError, match="line 2: expected two header rows with artist/name, track/title"
    ):
        datasets.fma(tmp_path)


@pytest.mark.parametrize("separator", ["\t", "<SEP>", "::", ",", ";", "|", " "])
def test_triplets_finds_the_separator(tmp_path, separator):
    path = write(tmp_path, "mine", separator.join(["ann", "blackbird", "2.5", "more"]) + "\n")
    assert as_dict(datasets.triplets(path)) == {("ann", "blackbird"): 2.5}


def test_triplets_with_columns_and_header(tmp_path):
    path = write(tmp_path, "mine.csv", 'when,plays,who,what\n1,4,ann,"x"\n2,5,bob,y\n')
    for options in ({}, {"header": True}):
        assert as_dict(datasets.triplets(path, columns=(2, 3, 1), **options)) == {("ann", "x"): 4, ("bob", "y"): 5}
    with pytest.raises(InputError, match="line 1: expected a number as field 2; found 'when,plays,who,what'"):
        datasets.triplets(path, columns=(2, 3, 1), header=False)
    with pytest.raises(
        InputError, match=r"columns=\(0, 1, 4\); expected three numbers from 0 to 3, as line 1 has 4 fields"
    ):
        datasets.triplets(path, columns=(0, 1, 4))


def test_triplets_with_a_header_that_names_two_fields_alike(tmp_path):
    path = write(tmp_path, "mine.csv", "id,id,plays\nann,x,4\n")
    assert as_dict(datasets.triplets(path, header=True)) == {("ann", "x"): 4}


def test_every_reader_has_a_name():
    assert {
        "movielens-100k",
        "movielens-1m",
        "movielens-latest-small",
        "movielens-latest",
        "movielens-25m",
        "movielens-32m",
        "hetrec-lastfm",
        "lastfm-1k",
        "taste-profile",
        "acai-game",
        "triplets",
    } == set(datasets.READERS)
    assert set(datasets.TITLES) <= set(datasets.READERS)
