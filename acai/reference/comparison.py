"""README part E, comparing two models, as loops. Each list of a model has its metric on each fold."""

import math


def mean_difference(theta_a: list[float], theta_b: list[float]) -> float:
    """(E9) 1/F Σ_f d_f, with d_f = θ_A(f) − θ_B(f)."""
    F = len(theta_a)
    d = [theta_a[f] - theta_b[f] for f in range(F)]  # (E9)
    return sum(d[f] for f in range(F)) / F  # (E9)


def standard_error(resampled: list[float], d: list[float]) -> float:
    """(E10) √(variance of the resampled δ_b + variance of the d_f, divided by F)."""
    B, F = len(resampled), len(d)
    mean_delta = sum(resampled) / B  # (E10)
    delta = sum(d) / F  # (E10)
    users = sum((delta_b - mean_delta) ** 2 for delta_b in resampled) / (B - 1)  # (E10)
    folds = sum((d_f - delta) ** 2 for d_f in d) / (F * (F - 1))  # (E10)
    return math.sqrt(users + folds)  # (E10)


def largest_deviation(
    resampled: list[float], d: list[list[float]], s: list[float], xi: list[float], chi: list[float]
) -> float:
    """(E11) T_b, the largest |δ_b − δ̂ + 1/√(F χ_b) Σ_f ξ_bf (d_f − δ̂)| / s; each list but ξ has an element per difference."""
    deviations = []
    for delta_b, d_c, s_c, chi_b in zip(resampled, d, s, chi):
        F = len(d_c)
        delta = sum(d_c) / F  # (E11)
        folds = sum(xi_bf * (d_f - delta) for xi_bf, d_f in zip(xi, d_c)) / math.sqrt(F * chi_b)  # (E11)
        deviation = abs(delta_b - delta + folds) / s_c  # (E11)
        deviations.append(deviation)
    return max(deviations)


def critical_value(T: list[float], level: float) -> float:
    """(E11) q: of the B deviations T_b and one more, infinite, the share `level` is not larger."""
    q = sorted(T)[math.ceil(level * (len(T) + 1)) - 1]  # (E11)
    return q
