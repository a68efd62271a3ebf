"""Turn a folder of sound files into features, once: log-mel spectrograms (A1, A2) or MFCC (A3).

All cores work; what has been done is kept and found again, even after a kill. Files that cannot be used are listed at
the end with their reason.
"""

import argparse
import time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="a folder of wav, flac, ogg and mp3 files, at any depth")
    parser.add_argument("--cache", metavar="DIR", help="where the features are kept (default: the user's cache folder)")
    parser.add_argument("--kind", default="log_mel", help="log_mel or mfcc (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=-1, metavar="N", help="files at a time (default: as many as cores)")
    parser.add_argument("--sample-rate", type=float, metavar="HZ", help="resample to this rate (default: 22050)")
    parser.add_argument("--window", type=int, metavar="N", help="samples in a frame (default: 1024; mfcc: 2048)")
    parser.add_argument("--hop", type=int, metavar="N", help="samples from frame to frame (default: 512)")
    parser.add_argument("--mels", type=int, dest="n_mels", metavar="N", help="mel bands (default: 128)")
    parser.add_argument("--f-max", type=float, metavar="HZ", help="upper end of the bands (default: half the rate, mfcc: 8 kHz)")


def run(args: argparse.Namespace) -> None:
    from acai.datasets.audio_folder import audio_folder
    from acai.errors import InputError
    from acai.features import default_cache, extract

    names = ("sample_rate", "window", "hop", "n_mels", "f_max")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    folder = audio_folder(args.folder)
    cache = args.cache or default_cache()
    started = time.perf_counter()
    features = extract(folder.paths, cache, args.kind, args.jobs, progress=True, **given)
    seconds = time.perf_counter() - started
    for title, notes in (("worth knowing", features.remarks), ("skipped", features.skipped)):
        if notes:
            print(f"{title}:")
            print("\n".join(f"  {track} {note}" for track, note in notes.items()))
    if not features:
        raise InputError(f"none of the {len(folder)} files in {folder.root} could be used")
    print(
        f"{len(features)} of {len(folder)} tracks have features ({features.n_computed} new, "
        f"{len(features) - features.n_computed} known, {seconds:.2f} s), kept in {cache}"
    )
