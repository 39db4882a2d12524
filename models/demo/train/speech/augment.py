"""Makes clean synthetic speech sound recorded, and noises during which nobody speaks.

The encoder hears only espeak-ng in training; what makes it work on people is that
spectrum, level, room and background are never twice the same.
"""

import numpy as np

RATE = 16000


def _colour(rng, n, slope_db):
    """Noise whose spectrum falls by slope_db per octave, unit RMS."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    f = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 30.0)
    x = np.fft.irfft(spectrum * (f / 1000.0) ** (slope_db / 6.02), n)
    return x / max(1e-9, np.sqrt(np.mean(x * x)))


def hum(rng, n):
    """Mains hum, 50 or 60 Hz with harmonics, unit RMS."""
    t = np.arange(n) / RATE
    base = rng.choice([50.0, 60.0]) * rng.uniform(0.998, 1.002)
    x = sum(
        rng.uniform(0, 1) / k ** rng.uniform(0.3, 1.5) * np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6.3))
        for k in range(1, int(rng.integers(3, 14)))
    )
    return x / max(1e-9, np.sqrt(np.mean(x * x)))


def babble(rng, n, pool):
    """Several talkers at once, unit RMS; as a background it moves no mouth."""
    x = np.zeros(n)
    for _ in range(int(rng.integers(4, 8))):
        other = pool[int(rng.integers(len(pool)))].astype(np.float32) / 32768
        x += np.roll(np.resize(other, n), int(rng.integers(n))) * rng.uniform(0.5, 1)
    return x / max(1e-9, np.sqrt(np.mean(x * x)))


def noise(rng, n, pool):
    kind = rng.random()
    if kind < 0.3:
        return _colour(rng, n, 0.0)
    if kind < 0.65:
        return _colour(rng, n, rng.uniform(-7, -2))
    if kind < 0.8:
        return hum(rng, n)
    return babble(rng, n, pool)


def _spectrum(rng, x):
    """Random smooth equaliser, with a band limit now and then (telephone, 8 kHz sources)."""
    n = len(x)
    f = np.fft.rfftfreq(n, 1 / RATE)
    knots = np.array([0, 120, 250, 500, 1000, 2000, 3500, 5500, 8000.0])
    db = np.interp(f, knots, rng.normal(0, 4.5, len(knots)) + rng.uniform(-6, 6) * np.linspace(-1, 1, len(knots)))
    if rng.random() < 0.3:
        db -= np.maximum(0, np.log2(np.maximum(f, 1) / rng.uniform(3300, 7000))) * rng.uniform(60, 400)
    if rng.random() < 0.3:
        db -= np.maximum(0, np.log2(rng.uniform(60, 300) / np.maximum(f, 1))) * rng.uniform(6, 40)
    return np.fft.irfft(np.fft.rfft(x) * 10 ** (db / 20), n)


def _room(rng, x):
    """Exponentially decaying noise as an impulse response behind the direct sound."""
    decay = rng.uniform(0.08, 0.5)
    m = int(decay * RATE)
    tail = rng.standard_normal(m) * np.exp(-6.9 * np.arange(m) / m)
    tail[: int(rng.uniform(0.001, 0.008) * RATE)] = 0
    tail *= 10 ** (-rng.uniform(2, 16) / 20) / max(1e-9, np.sqrt(np.sum(tail * tail)))
    tail[0] = 1
    size = 1 << (len(x) + m - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(tail, size), size)[: len(x)]


def _breaths(rng, x, mouth):
    """Breath noises in the longer rests of the mouth."""
    rest = np.r_[0, (mouth[:, 0] == 0) & (mouth[:, 4] == 0), 0].astype(int)
    starts, ends = np.flatnonzero(np.diff(rest) == 1), np.flatnonzero(np.diff(rest) == -1)
    level = np.sqrt(np.mean(x * x)) * 10 ** (-rng.uniform(8, 26) / 20)
    for a, b in zip(starts, ends):
        if b - a > 25 and rng.random() < 0.6:
            s, e = a * 160, min(b * 160, len(x))
            if e - s > 1600:
                x[s:e] += _colour(rng, e - s, rng.uniform(-5, 2)) * np.hanning(e - s) ** 2 * level
    return x


def _clicks(rng, x, count):
    for _ in range(count):
        m = int(rng.integers(8, 200))
        at = int(rng.integers(max(1, len(x) - m)))
        burst = rng.standard_normal(m) * np.exp(-5 * np.arange(m) / m) * rng.uniform(0.02, 0.4)
        x[at : at + m] += burst[: len(x) - at]
    return x


def warp(rng, audio, mouth, labels):
    """Played up to 10 % slower or faster, crudely interpolated; the mouth keeps up."""
    factor = rng.uniform(0.9, 1.1)
    n = int(len(audio) / factor) // 1600 * 1600  # a length that the FFT likes
    k = min(n // 160, int(len(mouth) / factor))
    audio = np.interp(np.arange(n) * factor, np.arange(len(audio)), audio)
    at = np.minimum(np.round(np.arange(k) * factor).astype(int), len(mouth) - 1)
    return audio, mouth[at], labels[at]


def recorded(rng, audio, mouth, labels, pool):
    """A clean utterance (float, peak about 0.7) as some microphone might hear it."""
    x = audio
    if rng.random() < 0.5:
        x, mouth, labels = warp(rng, x, mouth, labels)
    x = np.array(x, np.float64)
    if rng.random() < 0.25:
        x = _breaths(rng, x, mouth)
    if rng.random() < 0.85:
        x = _spectrum(rng, x)
    if rng.random() < 0.35:
        x = _room(rng, x)
    if rng.random() < 0.15:
        x = np.tanh(x / (np.abs(x).max() + 1e-9) * rng.uniform(1, 4))
    rms = np.sqrt(np.mean(x * x)) + 1e-9
    if rng.random() < 0.7:
        x = x + noise(rng, len(x), pool) * rms * 10 ** (-rng.uniform(8, 45) / 20)
    if rng.random() < 0.1:
        x = _clicks(rng, x, int(rng.integers(1, 8)))
    x *= 10 ** (rng.uniform(-24, 6) / 20) * 0.7 / max(1e-9, np.abs(x).max())
    x = np.clip(x, -1, 1)
    if rng.random() < 0.08:
        x = np.sign(x) * (np.expm1(np.round(np.log1p(255 * np.abs(x)) / np.log(256) * 127) / 127 * np.log(256)) / 255)
    if rng.random() < 0.5:
        x = np.round(x * 32768) / 32768
    return x.astype(np.float32), mouth, labels


def nobody(rng, seconds, pool):
    """Silence and noises with the mouth at rest."""
    n = int(seconds * RATE)
    kind = rng.random()
    x = np.zeros(n)
    level = 10 ** (rng.uniform(-60, -25) / 20)
    if kind < 0.15:
        pass
    elif kind < 0.4:
        x = _colour(rng, n, 0.0) * level
    elif kind < 0.65:
        x = _colour(rng, n, rng.uniform(-8, -2)) * level
    elif kind < 0.85:
        x = hum(rng, n) * level
    else:
        x = _breaths(rng, _colour(rng, n, -3.0) * level, np.zeros((n // 160, 6)))
    if rng.random() < 0.2:
        x = _clicks(rng, x, int(rng.integers(1, 12)))
    return x.astype(np.float32)
