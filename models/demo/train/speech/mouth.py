"""Timed phonemes and their sound to a mouth track at 100 Hz.

Sample k of a track is the mouth at t = k · 10 ms: float32 [n, 6] of
open, jaw, wide, round, teeth, tongue (see phonemes.py for the shapes).

The track is a blend of viseme targets, weighted by dominance that falls off with
distance in time (faster after a sound than before it: lips get ready early).  On
top, hard facts are enforced: p, b and m are sealed for at least 80 ms, f and v are
nearly shut, and the mouth is exactly at rest in pauses.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from phonemes import CLASSES, VISEMES, is_bilabial, parse

RATE = 100
PAUSE = 0.10          # silent events shorter than this do not part the speech
BEFORE, AFTER = 0.045, 0.028
SEAL = 0.090          # shortest time the lips stay shut (≥ 80 ms after sampling)
_TARGET = np.array([VISEMES[c][0] for c in CLASSES])
_DOMINANCE = np.array([VISEMES[c][1] for c in CLASSES])
OPEN_SCALE = 1.12


def _step(x):
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def loudness(audio, rate, n):
    """RMS over 50 ms around each 10 ms, smoothed, against the loud parts: about 0…1.3.

    Relative to the utterance, so the track does not depend on the recording level.
    """
    power = np.concatenate([[0.0], np.cumsum(np.asarray(audio, np.float64) ** 2)])
    centre = np.arange(n) / RATE
    a = np.clip(((centre - 0.025) * rate).astype(int), 0, len(audio))
    b = np.clip(((centre + 0.025) * rate).astype(int), 0, len(audio))
    rms = np.sqrt((power[b] - power[a]) / np.maximum(1, b - a))
    active = rms[rms > 0.05 * max(rms.max(), 1e-9)]
    reference = np.percentile(active, 85) if len(active) else 1.0
    return gaussian_filter1d(rms / max(reference, 1e-9), 3.0)


def segments(phonemes, end):
    """(start, end, viseme) pieces, with silences of at least PAUSE as "rest"."""
    edges = [t for t, _ in phonemes] + [end]
    merged = []
    for (t0, name), t1 in zip(phonemes, edges[1:]):
        parts = parse(name)
        if not parts and merged and not merged[-1][2]:
            merged[-1][1] = t1
        elif t1 > t0:
            merged.append([t0, t1, parts])
    if merged and merged[0][0] > 0:
        merged.insert(0, [0.0, merged[0][0], []])
    out = []
    for t0, t1, parts in merged:
        if not parts:
            if t1 - t0 >= PAUSE or t0 == 0.0 or t1 >= end - 1e-6:
                out.append((t0, t1, "rest"))
            continue
        for j, viseme in enumerate(parts):
            width = (t1 - t0) / len(parts)
            out.append((t0 + j * width, t0 + (j + 1) * width, viseme))
    return out


def bilabials(phonemes, end, audio, rate):
    """(start, end) seconds of each lip closure, found in the sound around the event.

    espeak-ng puts the event of a plosive at its burst after a short silence, except
    for voiced ones between vowels, where it is the beginning of the murmur.
    """
    hop = rate // 200
    count = len(audio) // hop
    env = np.sqrt(np.mean(np.asarray(audio[: count * hop], np.float64).reshape(count, hop) ** 2, 1))
    quiet = 0.02 * np.percentile(env, 95) if count else 0.0

    def level(i):
        return env[i] if 0 <= i < count else 0.0

    events = []
    edges = [t for t, _ in phonemes] + [end]
    for (t0, name), t1 in zip(phonemes, edges[1:]):
        if not is_bilabial(name):
            continue
        if name[0] == "m":
            start, stop = t0, t1
        else:
            i = int(t0 * 200)
            j = i - 1
            while j > i - 24 and level(j) <= quiet:
                j -= 1
            start, stop = (j + 1) / 200, t0 + 0.008
            if name[0] == "b" and t1 - t0 > 0.045:
                floor = min(level(k) for k in range(i + 1, i + 5))
                k = i + 2
                while k < int(t1 * 200) and level(k) < 2 * floor + quiet:
                    k += 1
                stop = max(stop, k / 200)
        stop = min(stop, start + 0.18) if name[0] != "m" else stop
        if stop - start < SEAL:
            # Mostly before the burst; half and half around a short m.
            start -= (SEAL - (stop - start)) * (0.5 if name[0] == "m" else 0.75)
            stop = start + SEAL
        if events and start < events[-1][1] + 0.03:
            events[-1] = (events[-1][0], max(stop, events[-1][1]))
        else:
            events.append((max(start, 0.0), stop))
    return events


def mouth_track(phonemes, audio, rate):
    """Mouth track, viseme class per sample and lip closures of one utterance."""
    end = len(audio) / rate
    n = int(np.ceil(end * RATE))
    t = np.arange(n) / RATE
    pieces = segments(phonemes, end)
    labels = np.zeros(n, np.uint8)
    number = np.zeros((n, 5))
    weight = np.full((n, 5), 1e-6)
    for t0, t1, viseme in pieces:
        k = CLASSES.index(viseme)
        labels[int(np.ceil(t0 * RATE)) : int(np.ceil(t1 * RATE))] = k
        if viseme == "rest":
            continue
        a, b = max(0, int((t0 - 0.3) * RATE)), min(n, int((t1 + 0.25) * RATE) + 1)
        core = 0.25 * (t1 - t0)
        s = t[a:b]
        near = np.exp(-np.maximum(0, t0 + core - s) / BEFORE - np.maximum(0, s - t1 + core) / AFTER)
        near = near[:, None] * _DOMINANCE[k]
        number[a:b] += near * _TARGET[k]
        weight[a:b] += near
    shape = gaussian_filter1d(number / weight, 1.2, axis=0, mode="nearest")

    # Rest: the mouth opens a little before the sound and is back 100 ms after it.
    gate = np.zeros(n)
    run = None
    for t0, t1, viseme in pieces + [(end, end, "rest")]:
        if viseme == "rest":
            if run:
                up = _step((t - run[0] + 0.09) / 0.11)
                down = 1 - _step((t - run[1] + 0.02) / 0.12)
                gate = np.maximum(gate, up * down)
            run = None
        else:
            run = (run[0] if run else t0, t1)
    shape *= gate[:, None]

    loud = np.clip(0.45 + 0.62 * loudness(audio, rate, n), 0.45, 1.3)
    opening = OPEN_SCALE * shape[:, 0] * loud
    opening = opening / (1 + opening ** 6) ** (1 / 6)  # soft ceiling at 1

    for t0, t1, viseme in pieces:
        if viseme == "f":
            # Lower lip on the teeth: the opening is pressed to a slit, softly.
            d = np.maximum(0, np.maximum(t0 + 0.01 - t, t - t1 + 0.02))
            opening = np.minimum(opening, 0.07 + 0.93 * _step(d / 0.075))
    events = bilabials(phonemes, end, audio, rate)
    for t0, t1 in events:
        d = np.maximum(0, np.maximum(t0 - t, t - t1))
        lift = _step(d / 0.06)
        opening *= lift
        for j in (3, 4):
            shape[:, j] *= 0.15 + 0.85 * lift
    track = np.zeros((n, 6), np.float32)
    track[:, 0] = opening
    track[:, 1] = _jaw(opening)
    track[:, 2:] = shape[:, 1:]
    still = gate <= 0
    track[still] = 0
    track[np.abs(track) < 1e-4] = 0
    return track, labels, events


def _jaw(opening):
    """The chin follows the opening with inertia, and does not shut on a short closure."""
    slow = gaussian_filter1d(opening, 4.5)
    follow = np.empty_like(slow)
    y = 0.0
    for i, x in enumerate(slow):
        y += (x - y) * (0.35 if x > y else 0.28)
        follow[i] = y
    # Undo the delay of the recursion, then let it go to rest with the lips.
    follow = np.roll(follow, -2)
    follow[-2:] = 0
    return np.clip(follow, 0, 1)
