# %% [markdown]
# # 07 · Sound
#
# **The question:** a network can look at pictures. How do you make a picture of a sound, so that sounds that differ to the
# ear look different in the picture, too?
#
# We go from air pressure to the log-mel spectrogram, one step after another, with something to listen to at each; then come
# filters that respond to it. Equations (A1) and (A2) are in part A of the [README](../README.md); the code is
# `acai/audio/spectrogram.py`.

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

from acai import audio, nn, plots
from acai.datasets.synthetic import FEATURES, render
from acai.teaching.exercises import check, exercises, hint

RATE = 22050  # samples per second

exercises("07")

# %% [markdown]
# ## A sound is a sequence of numbers
#
# 22,050 times a second, the air pressure is measured and written down. That is all. This song is made up by `render`: chords
# over a drum, shaped by seven numbers that we will come to below. (Your own songs work as well: wherever a sound is expected,
# you can give the path of a wav, flac, ogg or mp3 file.)

# %%
features = np.array([0.4, 0.0, -0.2, -0.3, -0.8, 0.3, -1.0])
song = render(features, 3.0, np.random.default_rng(4))
print(song.shape, song.dtype, song[:5])
Audio(song, rate=RATE)

# %%
fig, (whole, close) = plt.subplots(2, 1, figsize=(8, 3.6), layout="constrained")
plots.waveform(song, RATE, ax=whole).set_title("three seconds")
plots.waveform(song[15000:15882], RATE, 15000 / RATE, ax=close).set_title(
    "close-up of 40 milliseconds"
)
plt.show()

# %% [markdown]
# In the upper plot you can see *when* something is struck, but not what. In the close-up there is a pattern that repeats: a
# tone is nothing but air that vibrates so many times a second (Hz). Which tones are in there? The eye cannot tell. The
# Fourier transform can.

# %% [markdown]
# ## One frame: which tones are in it
#
# Take a short piece, a **frame** of 1,024 samples, and ask how much of each frequency it contains:
#
# $$|X_f|^2 = \Big|\sum_n w_n x_n e^{-2\pi i f n / 1024}\Big|^2$$
#
# The weights w are the **Hann window**, $w_n = \tfrac12 - \tfrac12 \cos(2\pi n / 1024)$, which fades the frame in and out.
# Without it the frame begins and ends with a click, and a click contains all frequencies: the grey line below. With it, the
# three tones of this chord stand out clearly.

# %%
# three tones
chord = sum(np.sin(2 * np.pi * tone * np.arange(1024) / RATE) for tone in (523, 1319, 2093))


def hann(window):
    """Return a Hann window with this many samples."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


hertz = np.fft.rfftfreq(1024, 1 / RATE)  # the frequencies, from 0 to half the rate
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
plots.waveform(chord * hann(1024), RATE, ax=left).set_title(
    "a frame of a chord, with the Hann window"
)
for x, colour, name in (
    (chord, "0.7", "without a window"),
    (chord * hann(1024), plots.BLUE, "with the Hann window"),
):
    right.plot(hertz, 10 * np.log10(np.abs(np.fft.rfft(x)) ** 2), color=colour, label=name)
plots.axes(right).set(xlabel="frequency (Hz)", ylabel="power (dB)", xlim=(0, 5000), ylim=(-40, 70))
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ### Exercise `07-frame` (20 minutes)
# Frame t of (A1) is *centred* on sample t·hop: it begins at t·hop − window/2. Before the first sample and after the last, the
# signal counts as 0. Multiply the frame by the Hann window as given above, and return the power of the frequencies 0 …
# window/2 (`np.fft.rfft` gives exactly these).

# %% exercise="07-frame"
def power(x, t, window, hop):
    """x (n,) samples → |X_f|² of frame t, shape (window // 2 + 1,)."""
    ...


check("07-frame", power)

# %% solution="07-frame"
def power(x, t, window, hop):
    """x (n,) samples → |X_f|² of frame t, shape (window // 2 + 1,)."""
    padded = np.concatenate([np.zeros(window // 2), x, np.zeros(window)])
    w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    return np.abs(np.fft.rfft(w * padded[t * hop : t * hop + window])) ** 2


check("07-frame", power)

# %% [markdown]
# ## Frame after frame: the spectrogram
#
# Move the frame on by a **hop** of 512 samples, again and again, and put the spectra side by side: time runs to the right,
# pitch upwards, and loud is bright. How long should a frame be? Short frames know *when*, long ones know *what*, and no frame
# knows both: a tone of 100 Hz needs a hundredth of a second for a single vibration.

# %%
def spectra(window, highest=2000):
    """Return the spectra of frames, one every 256 samples, up to `highest` Hz, one per column."""
    # of the first second; (frames, window)
    frames = np.concatenate(list(audio.frames([song[:RATE]], window, 256)))
    X = np.fft.rfft(frames * hann(window))[:, : highest * window // RATE]
    return np.log1p(1e6 * np.abs(X.T / window) ** 2)


def draw_spectra(window, ax=None):
    ax = plots.spectrogram(spectra(window), ax, hop=256, bar=False)
    ax.set(
        title=f"frames of {window} samples, {1000 * window / RATE:.0f} ms",
        ylabel="0 to 2,000 Hz",
        yticks=[],
    )


fig, panels = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
for panel, window in zip(panels, (256, 1024, 4096)):
    draw_spectra(window, panel)
plt.show()

# %% [markdown]
# With 12 ms you see the vibrations of the air, but no individual tone. With 186 ms each tone is a thin line, but when the
# second chord began is anybody's guess. acai chooses the middle, 1,024 samples.
#
# In a notebook that runs, try other lengths.

# %% slider
from ipywidgets import SelectionSlider, interact

lengths = SelectionSlider(options=[256, 512, 1024, 2048, 4096, 8192], value=1024)


def show(window):
    draw_spectra(window)


interact(show, window=lengths);

# %% [markdown]
# ## Mel: pitch as we hear it
#
# From 100 to 200 Hz is an octave; between 5,100 and 5,200 Hz you hear hardly any difference. The **mel scale** spaces
# frequencies as we hear them: equal steps up to 1,000 Hz, equal *ratios* above. (A1) puts 128 triangles at equal distances on
# this scale, and each sums the power under it:
#
# $$S_{bt} = \sum_f F_{bf} |X_{ft}|^2$$
#
# So 513 frequencies become 128 bands, narrow at the bottom and wide at the top.

# %%
F = audio.mel_filters(RATE, 1024, 128).toarray()  # (128, 513)
plots.mel_bank(F, RATE, range(3, 128, 12))
plt.show()

# %% [markdown]
# What does one band let through? Take noise, which contains all frequencies, and keep only what is under one triangle: band
# 20, band 60 and band 110, one after the other.

# %%
noise = np.fft.rfft(np.random.default_rng(0).normal(size=RATE // 2))
f = np.fft.rfftfreq(RATE // 2, 1 / RATE)
filtered = [
    np.fft.irfft(noise * np.interp(f, hertz, F[band] / F[band].max())) for band in (20, 60, 110)
]
Audio(np.concatenate([x / np.abs(x).max() for x in filtered]).astype(np.float32), rate=RATE)

# %% [markdown]
# ### Exercise `07-mel` (15 minutes)
# Slaney's scale: below 1,000 Hz a mel is 200/3 Hz, so that 1,000 Hz is 15 mel; above that, 27 mel are a factor of 6.4. Write
# it for an array of frequencies.

# %% exercise="07-mel"
def mel(f):
    """f, frequencies in Hz → mel."""
    ...


check("07-mel", mel)

# %% solution="07-mel"
def mel(f):
    """f, frequencies in Hz → mel."""
    above = 15 + 27 * np.log(np.maximum(f, 1000) / 1000) / np.log(6.4)
    return np.where(f < 1000, f / (200 / 3), above)


check("07-mel", mel)

# %% [markdown]
# ## Log: loudness as we hear it
#
# Ten times the power does not sound ten times as loud, only one step louder. In the raw power on the left you see a few loud
# places and nothing else. The logarithm (A2) brings out the rest:
#
# $$L = \log(1 + C \cdot S), \qquad C = 10{,}000$$
#
# The 1 keeps silence at 0, where a plain logarithm would go to −∞; and C sets how much quiet sounds are raised.

# %%
S = audio.mel_power((song, RATE))  # (A1), (128, frames)
L = audio.log_mel((song, RATE))  # (A2)
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3), layout="constrained")
plots.spectrogram(S, left).set_title("S: power (A1)")
plots.spectrogram(L, right).set_title("L: its logarithm (A2)")
left.images[0].colorbar.set_label("power")
plt.show()

# %% [markdown]
# Now you can read it: horizontal lines are tones, and they wobble; vertical strokes are drum hits; a chord begins where some
# lines end and others start.
#
# ### Exercise `07-log` (5 minutes)

# %% exercise="07-log"
def compressed(S, C):
    """(A2): powers S of any shape → their compressed logarithm."""
    return ...


check("07-log", compressed)

# %% solution="07-log"
def compressed(S, C):
    """(A2): powers S of any shape → their compressed logarithm."""
    return np.log(1 + C * S)


check("07-log", compressed)

# %% [markdown]
# ## What an average misses
#
# acai's made-up songs have seven features, each from −1 to 1. Brightness, register and noise can be heard in the *average*
# spectrum; tempo, tremor and beat exist only in time, and touch mostly so: a note that rings longer is louder on average,
# too.

# %%
for name, (low, high) in FEATURES.items():
    print(f"{name:<11} −1: {low:<16} +1: {high}")

# %% [markdown]
# Here are two songs that differ in one thing: the first is slow, the second fast. Listen.

# %%
slow, fast = (
    render(np.array([0.4, 0, 0.2, tempo, -0.8, -0.5, -1]), 2.0, np.random.default_rng(2))
    for tempo in (-0.9, 0.9)
)
Audio(slow, rate=RATE)

# %%
Audio(fast, rate=RATE)

# %%
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
L_slow, L_fast = (audio.log_mel((x, RATE)) for x in (slow, fast))
for x, panel, title in ((L_slow, left, "slow"), (L_fast, middle, "fast")):
    plots.spectrogram(x, panel, bar=False).set_title(title)
right.plot(L_slow.mean(axis=1), color=plots.BLUE, label="slow")
right.plot(L_fast.mean(axis=1), color=plots.ORANGE, label="fast")
plots.axes(right).set(title="average over time", xlabel="mel band", ylabel="L")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# The pictures have little in common, the averages nearly everything. A model that sees only the average cannot know the
# tempo. That is why the network in notebook 08 looks at *windows of time*, and why it can beat a regression on averages.

# %% [markdown]
# ## What a filter responds to
#
# A filter in the first layer is a convolution (N1) as tall as the spectrogram and four frames wide. It slides along time and
# answers one question at each moment: *how much does this look like me?* Here are three that were made by hand. `onset` has
# −1 in its first two frames and +1 in the last two: it responds when the sound gets louder. `low` and `high` wait for power
# in their bands.

# %%
layer = nn.Conv2D(1, 3, (128, 4))
W = layer.params["W"]  # (3, 1, 128, 4)
W[...] = 0
W[0, 0, :, :2], W[0, 0, :, 2:] = -1, 1
W[1, 0, 5:25], W[2, 0, 90:] = 1, 1
# each band: mean 0, standard deviation 1
x = (L - L.mean(axis=1, keepdims=True)) / L.std(axis=1, keepdims=True)
A = nn.ReLU().forward(layer.forward(x[None, None].astype(np.float32)))[0, :, 0]  # (3, frames')

fig, panels = plt.subplots(
    4, 1, figsize=(9, 5.4), layout="constrained", sharex=True, height_ratios=(2, 1, 1, 1)
)
seconds = np.arange(A.shape[1]) * 512 / RATE
plots.spectrogram(L, panels[0], bar=False).set_xlabel("")
for panel, name, response in zip(panels[1:], ("onset", "low", "high"), A):
    plots.axes(panel).fill_between(seconds, response, color=plots.BLUE, lw=0)
    panel.set(ylabel=name, yticks=[])
panels[-1].set(xlabel="time (s)")
plt.show()

# %% [markdown]
# And now *listen* through it: here are the moments with the strongest responses of `onset`, a fifth of a second each, one
# after another. You hear nothing but beginnings.

# %%
def moments(response, n=8, length=RATE // 5):
    """Return the sound at the n strongest responses that do not overlap, in the order of time."""
    found = []
    for t in np.argsort(-response):
        if all(abs(t - other) * 512 > length for other in found):
            found.append(t)
    clips = [song[t * 512 : t * 512 + length] for t in sorted(found[:n])]
    return np.concatenate([clip * np.hanning(len(clip)) for clip in clips])  # each faded in and out


Audio(moments(A[0]), rate=RATE)

# %% [markdown]
# Nobody will make the network's filters by hand: it finds them itself, by gradient descent. But this is all that they can do:
# slide a pattern along time.
#
# ### Exercise `07-tempo` (an evening)
# Write `tempo(S)`, which estimates from a log-mel spectrogram, (128, frames), with frames 512/22050 s apart, how many chords
# per minute a song has. The answer is between 80 and 200. Your goal: within 4% of the truth for three songs out of four, of
# sixteen that the check makes up. If you always say 126, you get three of the sixteen right.

# %% exercise="07-tempo"
def tempo(S):
    """S (128, frames), a log-mel spectrogram → chords per minute, 80 to 200."""
    ...


check("07-tempo", tempo)

# %% solution="07-tempo"
def tempo(S):
    """S (128, frames), a log-mel spectrogram → chords per minute, 80 to 200."""
    # how much louder it gets, summed over the bands
    onset = np.maximum(np.diff(S, axis=1), 0).sum(axis=0)
    onset = (onset - onset.mean()) * np.hanning(len(onset))
    strength = np.abs(np.fft.rfft(onset, 16384))  # padded with zeros: a finer grid of frequencies
    per_minute = 60 * np.fft.rfftfreq(16384, 512 / 22050)
    tempos = np.linspace(80, 200, 601)
    # a beat has overtones
    return tempos[sum(np.interp(k * tempos, per_minute, strength) for k in (1, 2, 3, 4)).argmax()]


check("07-tempo", tempo)

# %% [markdown]
# ## What to read next
#
# * [`acai/audio/spectrogram.py`](../acai/audio/spectrogram.py): this notebook for files of any length, read block by block.
#   `acai features FOLDER` does the same to your own music.
# * [`acai/audio/recording.py`](../acai/audio/recording.py): what can be wrong with a sound file, and how each problem is
#   reported.
# * **[Notebook 08](08_cold_start.ipynb)**: the network listens, and a song that nobody has played finds its listeners.
