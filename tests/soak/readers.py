"""Hostile text and binary files for every reader of a data set: a result that holds together, or an InputError."""

import csv
import functools
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from acai import datasets
from acai.datasets.listening_log import ListeningLog
from acai.ratings import Ratings

from .changes import hostile
from .ledger import Driver, Fault
from .trial import attempt

SONG, TRACK = "SO{:016d}", "TR{:016d}"
LOG = "userid-timestamp-artid-artname-traid-traname.tsv"


def _lines(form: str, n: int = 12) -> bytes:
    """Lines of a form in which {u}, {i}, {r}, {song} and {track} are filled in."""
    filled = [
        form.format(u=j % 3 + 1, i=j // 3 + 1, r=j % 5 + 1, t=978300760 + j, song=SONG.format(j), track=TRACK.format(j), j=j)
        for j in range(n)
    ]
    return "".join(line + "\n" for line in filled).encode()


def _fma() -> bytes:
    header = [
        ["", "album", "artist", "set", "set", "track", "track", "track"],
        ["", "title", "name", "split", "subset", "genre_top", "listens", "title"],
        ["track_id", "", "", "", "", "", "", ""],
    ]
    text = io.StringIO()
    rows = [[str(j), "A", 'B, "the" band', "training", "small", "Pop", str(7 * j), "two\nlines"] for j in range(2, 9)]
    csv.writer(text).writerows([*header, *rows])
    return text.getvalue().encode()


def _spotify() -> bytes:
    names = {"master_metadata_album_artist_name": "Artist", "master_metadata_track_name": "Title"}
    return json.dumps([names | {"ts": f"2020-01-01T10:00:0{j}Z", "ms_played": 20_000 * j} for j in range(9)]).encode()


LISTEN = '{{"listened_at": {t}, "track_metadata": {{"artist_name": "Artist {i}", "track_name": "Title {j}"}}}}'


def _library() -> bytes:
    track = "<key>1</key><dict><key>Name</key><string>A</string><key>Artist</key><string>B</string>"
    track += "<key>Play Count</key><integer>7</integer></dict>"
    return f'<?xml version="1.0"?><plist><dict><key>Tracks</key><dict>{track * 9}</dict></dict></plist>'.encode()


def _hdf5() -> bytes:
    try:
        import h5py
    except ImportError:
        return b""
    raw = io.BytesIO()
    metadata = [("song_id", "S32"), ("artist_name", "S64"), ("title", "S64")]
    analysis = [("track_id", "S32"), ("duration", "f8"), ("tempo", "f8"), ("loudness", "f8"), ("key", "i4"), ("mode", "i4")]
    with h5py.File(raw, "w") as h5:
        h5["metadata/songs"] = np.array([(b"SOMZWCG12A8C13C480", b"Casual", b"Title")], metadata)
        h5["analysis/songs"] = np.array([(b"TRAAAAW128F429D538", 218.9, 92.2, -11.2, 1, 0)], analysis)
        h5["analysis/segments_start"] = np.array([0.0, 0.3])
        h5["analysis/segments_timbre"], h5["analysis/segments_pitches"] = np.arange(24.0).reshape(2, 12), np.ones((2, 12))
        h5["musicbrainz/songs"] = np.array([(0, 2004)], [("idx_artist_mbtags", "i4"), ("year", "i4")])
    return raw.getvalue()


def _joined(path: Path) -> object:
    """`intersect`, of a hostile list of tracks and a good log."""
    log = path.parent / LOG
    log.write_bytes(SEEDS["lastfm_1k"][1])
    return datasets.intersect(datasets.lastfm_1k(log), datasets.msd_tracks(path))


GAME = json.dumps({f"user {u}": {SONG.format(i): 1 + (u + i) % 5 for i in range(5)} for u in range(3)}).encode()
TITLES = json.dumps({SONG.format(i): {"name": f"title {i}", "artists": ["A", "B"]} for i in range(5)}).encode()
MISMATCH = "ERROR: <{song} {track}> Underground  -  The Way  !=  Linkwood  -  What's up"
SEEDS: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {  # the name of the file, a good one, and what reads it
    "movielens_100k": ("u.data", _lines("{u}\t{i}\t{r}\t{t}"), datasets.movielens_100k),
    "movielens_1m": ("ratings.dat", _lines("{u}::{i}::{r}::{t}"), datasets.movielens_1m),
    "movielens_titles": ("u.item", _lines("{j}|Toy Story (1995)|01-Jan-1995||http://x" + "|0" * 19), datasets.movielens_titles),
    "movielens_1m_titles": ("movies.dat", _lines("{j}::Toy Story::Animation"), datasets.movielens_titles),
    "hetrec_lastfm": ("user_artists.dat", b"userID\tartistID\tweight\n" + _lines("{u}\t{i}\t{t}"), datasets.hetrec_lastfm),
    "hetrec_artists": ("artists.dat", b"id\tname\turl\tpictureURL\n" + _lines("{j}\tA{j}\thttp\thttp"), datasets.hetrec_artists),
    "taste_profile": ("train_triplets.txt", _lines("u{u}\t{song}\t{r}"), datasets.taste_profile),
    "acai_game": ("acai_game_user_ratings.json", GAME, datasets.acai_game),
    "acai_game_titles": ("tracks.json", TITLES, datasets.acai_game_titles),
    "triplets": ("mine.csv", _lines("{u},{i},{r}"), datasets.triplets),
    "triplets_skip": ("mine.tsv", _lines("{u}\t{i}\t{r}.5"), functools.partial(datasets.triplets, on_error="skip", combine="sum")),
    "lastfm_1k": (LOG, _lines("user_{u}\t2009-05-04T23:08:5{r}Z\tmbid\tArtist {i}\t\tTitle {j}"), datasets.lastfm_1k),
    "lastfm_1k_ratings": (LOG, _lines("user_{u}\t2009-05-04T23:08:5{r}Z\tmbid\tA\t\tT"), datasets.READERS["lastfm-1k"]),
    "lastfm_1k_profiles": (
        "userid-profile.tsv", b"#id\tgender\tage\tcountry\tregistered\n" + _lines("u_{j}\tm\t\tJapan\tAug 13, 2006"),
        datasets.lastfm_1k_profiles,
    ),
    "history_spotify": ("endsong_0.json", _spotify(), datasets.listening_history),
    "history_listenbrainz": ("1.jsonl", _lines(LISTEN), datasets.listening_history),
    "history_lastfm": ("ann.csv", _lines("Artist {i},Album,Title {j},0{r} Jan 2020 10:00"), datasets.listening_history),
    "history_itunes": ("Library.xml", _library(), datasets.listening_history),
    "msd_tracks": ("unique_tracks.txt", _lines("{track}<SEP>{song}<SEP>Artist {i}<SEP>Title {j}"), datasets.msd_tracks),
    "intersect": ("unique_tracks.txt", _lines("{track}<SEP>{song}<SEP>Artist {i}<SEP>Title {j}"), _joined),
    "msd_mismatches": ("sid_mismatches.txt", _lines(MISMATCH), datasets.msd_mismatches),
    "msd_accepted": (
        "accepted.txt", b"9d8\n" + _lines("< " + MISMATCH) + b"26c25\n", lambda path: _accepted(path, datasets.msd_mismatches),
    ),
    "fma": ("tracks.csv", _fma(), datasets.fma),
    "msd_hdf5": ("TRAAAAW128F429D538.h5", _hdf5(), lambda path: list(datasets.msd_hdf5(path))),
}


def _accepted(path: Path, mismatches: Callable[..., object]) -> object:
    good = path.parent / "sid_mismatches.txt"
    good.write_bytes(SEEDS["msd_mismatches"][1])
    return mismatches(good, accepted=path)


def prepare(folder: Path) -> None:
    """Read each good file once: a reader that refuses it would make the rest meaningless."""
    for name, (file, raw, read) in SEEDS.items():
        if raw:
            (folder / file).write_bytes(raw)
            faults = incoherent(read(folder / file))
            if faults:
                raise RuntimeError(f"{name}: {faults}")


def incoherent(result: object) -> str:
    """What does not hold together in the result of a reader; "" where everything does."""
    if isinstance(result, ListeningLog):
        n = {len(result.user_codes), len(result.song_codes), len(result.times)}
        if len(n) != 1 or result.user_codes.max() >= len(result.users) or result.song_codes.max() >= len(result.songs):
            return "the log has codes that stand for nobody"
        if min(result.user_codes.min(), result.song_codes.min()) < 0:
            return "the log has negative codes"
        result = result.to_ratings()
    if not isinstance(result, Ratings):
        return ""
    result.csr.check_format()
    if not np.isfinite(result.csr.data).all():
        return "the ratings hold NaN or infinity"
    if len(set(result.users)) != result.n_users or len(set(result.songs)) != result.n_songs:
        return "an id occurs twice on an axis"
    if result.n_ratings == 0:
        return "there is not one rating, and no error"
    return ""


def case(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """A hostile file for one reader."""
    names = [name for name, (_, raw, _) in SEEDS.items() if raw]
    name = names[n % len(names)]
    file, raw, read = SEEDS[name]
    path = room / file
    path.write_bytes(hostile(raw, rng))
    trial = attempt(name, lambda: read(path))
    wrong = incoherent(trial.value) if trial.succeeded else ""
    return [*trial.faults, *([Fault("silent", f"{name}: {wrong}")] if wrong else [])]


READERS = Driver("readers", "hostile files for every reader", "inputs", prepare, case, limit=10, memory=2**31, share=1.2)
