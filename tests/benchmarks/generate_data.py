"""Files shaped like Last.fm 1K and the Taste Profile, of any length: real id lengths, long tails, made-up names.

python tests/benchmarks/generate_data.py log 19150868 /tmp/log.tsv
python tests/benchmarks/generate_data.py triplets 48373586 /tmp/triplets.txt
"""

import argparse
from pathlib import Path

import numpy as np

from acai.files import atomic_write

HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", dtype=np.uint8)
SYLLABLES = "ka ra no mi te lo sha bel vor dun fee gli tam per ax nu is qo wen zil œu ño 坂本 ж".split()


def triplets(n_lines: int, path: Path, seed: int = 0) -> None:
    """`user \\t song \\t count`: 40 hexadecimal digits, 18 letters; about 47 songs a user, no pair twice (as the real file)."""
    rng = np.random.default_rng(seed)
    n_songs = max(n_lines // 126, 1000)
    songs = np.hstack([np.tile(np.frombuffer(b"SO", np.uint8), (n_songs, 1)), rng.choice(LETTERS, (n_songs, 16))])
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        while n_lines > 0:
            n_users = min(20_000, n_lines // 47 + 1)
            n_each = np.maximum(rng.lognormal(3.4, 0.95, n_users), 10).astype(np.int64)
            user = np.repeat(np.arange(n_users), n_each)
            song = long_tail(rng, n_songs, len(user))
            _, first = np.unique(user * n_songs + song, return_index=True)
            first = np.sort(first)[:n_lines]
            user, song = user[first], song[first]
            count = np.minimum(rng.geometric(0.35, len(user)) ** rng.integers(1, 3, len(user)), 999)
            digits = np.stack([count // 100, count // 10 % 10, count % 10], axis=1).astype(np.uint8) + 48
            digits[count < 100, 0] = 0
            digits[count < 10, 1] = 0
            users = rng.choice(HEX, (n_users, 40))
            line = np.zeros((len(user), 64), dtype=np.uint8)  # zeros are squeezed out below
            line[:, :40], line[:, 40], line[:, 41:59] = users[user], 9, songs[song]
            line[:, 59], line[:, 60:63], line[:, 63] = 9, digits, 10
            file.write(line[line != 0].tobytes())
            n_lines -= len(user)


def log(n_lines: int, path: Path, seed: int = 0) -> None:
    """Six columns as in Last.fm 1K, user by user, the latest play first; 992 users, about 13 plays a song."""
    rng = np.random.default_rng(seed)
    n_users, n_songs = 992, max(n_lines // 13, 1000)
    n_artists = n_songs // 9 + 1
    artists = [f"\t{mbid(rng)}\t{name(rng, 2)}\t".encode() for _ in range(n_artists)]
    songs = [
        artists[a] + (b"" if rng.random() < 0.11 else mbid(rng).encode()) + f"\t{name(rng, 3)} {i}\n".encode()
        for i, a in enumerate(long_tail(rng, n_artists, n_songs).tolist())
    ]
    n_each = rng.multinomial(n_lines, rng.dirichlet(np.full(n_users, 0.8)))
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        for u, n in enumerate(n_each.tolist()):
            known = long_tail(rng, n_songs, n // 3 + 1)  # a user plays few songs often and many once
            played = known[long_tail(rng, len(known), n)].tolist()
            times = np.sort(rng.integers(1_108_339_200, 1_241_481_600, n))[::-1].astype("datetime64[s]")
            user = f"user_{u + 1:06d}\t".encode()
            stamps = np.char.add(np.datetime_as_string(times), "Z").astype("S20").tolist()
            file.write(b"".join([user + time + songs[i] for time, i in zip(stamps, played)]))


def long_tail(rng: np.random.Generator, n_things: int, n: int) -> np.ndarray:
    """`n` draws of things 0 … n_things − 1, of which a few are drawn very often: number j with a weight of about 1 / (j + 10)."""
    return (10 * (1 + n_things / 10) ** rng.random(n) - 10).astype(np.int64)  # the inverse of the cumulative weight


def mbid(rng: np.random.Generator) -> str:
    """Thirty-six characters that look like a MusicBrainz id."""
    digits = rng.bytes(16).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def name(rng: np.random.Generator, n_words: int) -> str:
    """A made-up title, sometimes beyond Latin-1."""
    return " ".join("".join(SYLLABLES[s] for s in rng.integers(0, len(SYLLABLES), 2)).title() for _ in range(n_words))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=["log", "triplets"])
    parser.add_argument("n_lines", type=int)
    parser.add_argument("path", type=Path)
    arguments = parser.parse_args()
    {"log": log, "triplets": triplets}[arguments.shape](arguments.n_lines, arguments.path)
