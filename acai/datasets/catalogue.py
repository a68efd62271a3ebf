"""What is known of each data set: where it comes from, how large it is, on what terms, and what it is good for."""

from dataclasses import dataclass, field

from acai.datasets.lastfm import LOG, PROFILES

MOVIELENS_TERMS = (
    "GroupLens: for research, with acknowledgement; no redistribution, no commercial use without permission"
)
MSD_TERMS = "for research; derived from The Echo Nest's data, see millionsongdataset.com"
MSD_URL = "http://millionsongdataset.com/sites/default/files"


@dataclass(frozen=True)
class Remote:
    """One file to download.

    Attributes
    ----------
    url, name : str
        Where it is, and what it is called here.
    checksum : str or None
        "md5:…" or "sha1:…" as its makers publish it, None where they publish none.
    contents : dict
        Published checksums of files inside the archive.
    """

    url: str
    name: str
    checksum: str | None = None
    contents: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DataSet:
    """One data set; `signs` are the files by which it is recognised in a folder, `reader` is its function in `acai.datasets`."""

    files: tuple[Remote, ...]
    size: str
    terms: str
    good_for: str
    signs: tuple[str, ...]
    reader: str
    by_hand: str = ""  # how to get it where it cannot be fetched without logging in


CATALOGUE = {
    "movielens-100k": DataSet(
        (
            Remote(
                "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
                "ml-100k.zip",
                "md5:0e33842e24a9c977be4e0107933c0723",
            ),
        ),
        "5 MB",
        MOVIELENS_TERMS,
        "ratings 1 to 5 of films: comparing models with published numbers, in seconds",
        ("u.data", "ml-100k.zip"),
        "movielens_100k",
    ),
    "movielens-1m": DataSet(
        (
            Remote(
                "https://files.grouplens.org/datasets/movielens/ml-1m.zip",
                "ml-1m.zip",
                "md5:c4d9eecfca2ab87c1945afe126590906",
            ),
        ),
        "6 MB",
        MOVIELENS_TERMS,
        "the same, ten times as large",
        ("ratings.dat", "ml-1m.zip"),
        "movielens_1m",
    ),
    "hetrec-lastfm": DataSet(
        (
            Remote(
                "https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip", "hetrec2011-lastfm-2k.zip"
            ),
        ),
        "3 MB",
        "non-commercial use, with acknowledgement of Last.fm and HetRec 2011",
        "real play counts of artists: weighted factorisation on a laptop",
        ("user_artists.dat", "hetrec2011-lastfm-2k.zip"),
        "hetrec_lastfm",
    ),
    "lastfm-1k": DataSet(
        (
            Remote(
                "http://mtg.upf.edu/static/datasets/last.fm/lastfm-dataset-1K.tar.gz",
                "lastfm-dataset-1K.tar.gz",
                contents={
                    LOG: "md5:64747b21563e3d2aa95751e0ddc46b68",
                    PROFILES: "md5:c53608b6b445db201098c1489ea497df",
                },
            ),
        ),
        "672 MB",
        "non-commercial use, by agreement of Last.fm; with acknowledgement of Òscar Celma",
        "every play with its time: rules from plays to ratings, splits by time, the original's first source",
        (LOG, "lastfm-dataset-1K.tar.gz"),
        "lastfm_1k",
    ),
    "taste-profile": DataSet(
        (
            Remote(f"{MSD_URL}/challenge/train_triplets.txt.zip", "train_triplets.txt.zip"),
            Remote(f"{MSD_URL}/tasteprofile/sid_mismatches.txt", "sid_mismatches.txt"),
            Remote(f"{MSD_URL}/tasteprofile/sid_matches_manually_accepted.txt", "sid_matches_manually_accepted.txt"),
        ),
        "0.5 GB",
        MSD_TERMS,
        "48 million play counts: everything at full size, the original's third source",
        ("train_triplets.txt", "train_triplets.txt.zip"),
        "taste_profile",
    ),
    "msd-tracks": DataSet(
        (Remote(f"{MSD_URL}/AdditionalFiles/unique_tracks.txt", "unique_tracks.txt"),),
        "84 MB",
        MSD_TERMS,
        "artist and title of a million songs: joining plays with the original's second source",
        ("unique_tracks.txt", "subset_unique_tracks.txt"),
        "msd_tracks",
    ),
    "msd-subset": DataSet(
        (Remote("http://labrosa.ee.columbia.edu/~dpwe/tmp/millionsongsubset.tar.gz", "millionsongsubset.tar.gz"),),
        "1.9 GB",
        MSD_TERMS,
        "timbre and pitch of 10,000 songs in HDF5 files (no audio)",
        ("millionsongsubset.tar.gz", "MillionSongSubset"),
        "msd_hdf5",
    ),
    "msd-challenge": DataSet(
        (),
        "0.1 GB",
        "Kaggle's rules of the Million Song Dataset Challenge",
        "mAP@500 as in the challenge",
        ("kaggle_visible_evaluation_triplets.txt",),
        "taste_profile",
        by_hand="log in at https://www.kaggle.com/c/msdchallenge/data and fetch kaggle_visible_evaluation_triplets.zip",
    ),
    "fma-metadata": DataSet(
        (
            Remote(
                "https://os.unil.cloud.switch.ch/fma/fma_metadata.zip",
                "fma_metadata.zip",
                "sha1:f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
            ),
        ),
        "342 MB",
        "CC BY 4.0",
        "artists, titles, genres and numbers of listens of 106,574 tracks",
        ("tracks.csv", "fma_metadata.zip"),
        "fma",
    ),
    "fma-small": DataSet(
        (
            Remote(
                "https://os.unil.cloud.switch.ch/fma/fma_small.zip",
                "fma_small.zip",
                "sha1:ade154f733639d52e35e32f5593efe5be76c6d70",
            ),
        ),
        "7.2 GB",
        "each clip under the Creative Commons licence that its artist chose",
        "sound: 8,000 clips of 30 seconds in 8 genres",
        ("fma_small", "fma_small.zip"),
        "audio_folder",
    ),
    "acai-game": DataSet(
        (
            Remote(
                "https://raw.githubusercontent.com/BerryAI/Acai/master/OpenMRS/data/acai_game_user_ratings.json",
                "acai_game_user_ratings.json",
            ),
            Remote("https://raw.githubusercontent.com/BerryAI/Acai/master/OpenMRS/data/tracks.json", "tracks.json"),
        ),
        "1 MB",
        "MIT",
        "835 ratings of songs by 44 people: small enough to look at whole",
        ("acai_game_user_ratings.json",),
        "acai_game",
    ),
}
