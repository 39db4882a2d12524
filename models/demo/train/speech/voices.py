"""Speakers that nobody has: variants of espeak-ng with their own formants, drawn at random.

The synthesiser ships about sixty variants, most of them within a tenth of its own formants.
A voice much darker than those is heard as one that hardly opens its mouth; these fill the room
around, so that what a vowel is has to be told from its neighbours.
"""

from pathlib import Path

import numpy as np

INSTALLED = ["/usr/lib/x86_64-linux-gnu/espeak-ng-data", "/usr/lib/aarch64-linux-gnu/espeak-ng-data", "/usr/share/espeak-ng-data"]


def variant(rng, name):
    """One random speaker as the text of a variant file: pitch, formants (% of frequency, height, width), voicing, consonants."""
    length = rng.uniform(0.78, 1.2)  # of the vocal tract, inverse: moves all formants
    lines = ["language variant", f"name {name}"]
    low = int(rng.uniform(60, 200))
    lines.append(f"pitch {low} {low + int(rng.uniform(20, 80))}")
    if rng.random() < 0.12:
        lines.append(f"klatt {rng.choice([1, 2, 4])}")
    tilt = rng.normal(0, 0.12)
    spread = (0.2, 0.13, 0.12, 0.2, 0.18, 0.15, 0.15)
    for k, s in enumerate(spread):
        at = np.clip(100 * length * (1 + rng.uniform(-s, s)), 56, 140)
        height = np.clip(100 * np.exp(rng.normal(0, 0.3) + tilt * (k - 1)), 25, 190)
        lines.append(f"formant {k} {at:.0f} {height:.0f} {rng.uniform(40, 150):.0f}")
    lines.append(f"voicing {rng.uniform(75, 180):.0f}")
    lines.append(f"consonants {rng.uniform(50, 200):.0f} {rng.uniform(50, 200):.0f}")
    if rng.random() < 0.5:
        lines.append(f"flutter {rng.uniform(0, 8):.0f}")
    if rng.random() < 0.4:
        lines.append(f"roughness {rng.integers(0, 4)}")
    return "\n".join(lines) + "\n"


def data_folder(folder, count, seed):
    """A data folder for `Synthesiser`: the installed languages and `count` variants r000 …, whose names are returned.

    The installed variants stay out of it: the library lists no more than 350 voices and drops the rest.
    """
    source = next(Path(p) for p in INSTALLED if Path(p).is_dir())
    data = Path(folder) / "espeak-ng-data"
    variants = data / "voices" / "!v"
    variants.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        link = data / path.name
        if path.name != "voices" and not link.exists():
            link.symlink_to(path)
    rng = np.random.default_rng(seed)
    names = [f"r{k:03d}" for k in range(count)]
    for name in names:
        (variants / name).write_text(variant(rng, name))
    return names
