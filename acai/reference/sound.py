"""The equations of sound (README part A) as loops over samples, frequencies and bands."""

import cmath
import math


def mel_power(x: list[float], F: list[list[float]], window: int, hop: int) -> list[list[float]]:
    """(A1) Mel power spectrogram S_bt = Σ_f F_bf |Σ_n w_n x(t·hop + n − window/2) e^(−2πi f n / window)|².

    `x` is zero outside its samples, and w is Hann's window, ½ − ½ cos(2πn / window).
    """
    w = [0.5 - 0.5 * math.cos(2 * math.pi * n / window) for n in range(window)]  # (A1)
    S = [[0.0] * (1 + len(x) // hop) for _ in F]
    for t in range(1 + len(x) // hop):
        begin = t * hop - window // 2  # (A1)
        inside = range(max(0, -begin), min(window, len(x) - begin))
        for f in range(window // 2 + 1):
            X_ft = sum(w[n] * x[begin + n] * cmath.exp(-2j * math.pi * f * n / window) for n in inside)  # (A1)
            for b in range(len(F)):
                S[b][t] += F[b][f] * abs(X_ft) ** 2  # (A1)
    return S


def mel_filters(sample_rate: float, window: int, n_mels: int, f_min: float, f_max: float) -> list[list[float]]:
    """(A1) The filter bank F: triangles between neighbouring band edges, equally spaced in mel, each of area one.

    Slaney's scale: a mel is 200/3 Hz below 1,000 Hz (15 mel), and a factor of 6.4^(1/27) above.
    """

    def mel(f: float) -> float:
        return f / (200 / 3) if f < 1000 else 15 + 27 * math.log(f / 1000) / math.log(6.4)

    def hertz(m: float) -> float:
        return m * (200 / 3) if m < 15 else 1000 * 6.4 ** ((m - 15) / 27)

    low, high = mel(f_min), mel(f_max)
    edges = [hertz(low + (high - low) * b / (n_mels + 1)) for b in range(n_mels + 2)]
    F = [[0.0] * (window // 2 + 1) for _ in range(n_mels)]
    for b in range(n_mels):
        left, middle, right = edges[b : b + 3]
        for f in range(window // 2 + 1):
            hz = f * sample_rate / window
            slope = min((hz - left) / (middle - left), (right - hz) / (right - middle))
            F[b][f] = max(0.0, slope) * 2 / (right - left)
    return F


def log_compression(S: list[list[float]], C: float) -> list[list[float]]:
    """(A2) L_bt = log(1 + C · S_bt)."""
    return [[math.log(1 + C * S[b][t]) for t in range(len(S[0]))] for b in range(len(S))]  # (A2)


def mfcc(S: list[list[float]], n_mfcc: int) -> list[list[float]]:
    """(A3) M_jt = a_j Σ_b D_bt cos(π j (2b + 1) / 2B), with D in decibels; a_0 = √(1/B), a_j = √(2/B)."""
    B, T = len(S), len(S[0])
    D = [[10 * math.log10(max(S[b][t], 1e-10)) for t in range(T)] for b in range(B)]
    floor = max(max(row) for row in D) - 80
    D = [[max(decibels, floor) for decibels in row] for row in D]
    M = [[0.0] * T for _ in range(n_mfcc)]
    for j in range(n_mfcc):
        a_j = math.sqrt((1 if j == 0 else 2) / B)  # (A3)
        wave = [math.cos(math.pi * j * (2 * b + 1) / (2 * B)) for b in range(B)]  # (A3)
        for t in range(T):
            M[j][t] = a_j * sum(D[b][t] * wave[b] for b in range(B))  # (A3)
    return M
