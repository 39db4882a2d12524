"""Who is drawn: the traits of one character, drawn at random or given by name."""
from dataclasses import dataclass, field

import numpy as np

SKINS = [(0.99, 0.86, 0.78), (0.97, 0.81, 0.70), (0.95, 0.76, 0.63), (0.90, 0.69, 0.54), (0.82, 0.60, 0.45), (0.71, 0.49, 0.35), (0.58, 0.38, 0.27), (0.47, 0.305, 0.22), (0.39, 0.25, 0.185)]
HAIRS = [(0.09, 0.075, 0.075), (0.15, 0.10, 0.08), (0.25, 0.15, 0.10), (0.37, 0.22, 0.13), (0.52, 0.33, 0.18), (0.72, 0.53, 0.31), (0.86, 0.72, 0.48), (0.60, 0.24, 0.12), (0.62, 0.61, 0.61), (0.84, 0.83, 0.82)]
IRISES = [(0.26, 0.15, 0.08), (0.36, 0.22, 0.11), (0.43, 0.33, 0.16), (0.33, 0.42, 0.24), (0.27, 0.44, 0.55), (0.38, 0.47, 0.52)]
CLOTHES = [(0.16, 0.22, 0.34), (0.55, 0.19, 0.20), (0.20, 0.36, 0.33), (0.88, 0.86, 0.82), (0.30, 0.28, 0.36), (0.76, 0.56, 0.32), (0.45, 0.52, 0.62), (0.13, 0.13, 0.15), (0.62, 0.45, 0.55), (0.36, 0.45, 0.30)]
BACKS = [((0.80, 0.84, 0.87), (0.52, 0.60, 0.68)), ((0.93, 0.86, 0.77), (0.70, 0.56, 0.47)), ((0.72, 0.82, 0.78), (0.38, 0.52, 0.50)), ((0.84, 0.78, 0.86), (0.52, 0.45, 0.60)), ((0.40, 0.44, 0.52), (0.17, 0.20, 0.27)), ((0.93, 0.92, 0.90), (0.73, 0.72, 0.71)), ((0.62, 0.50, 0.44), (0.30, 0.22, 0.20))]
HAIR_STYLES = ("long", "bob", "fringe", "tied", "curly", "short", "swept", "crop", "bald")


@dataclass
class Identity:
    female: bool = True
    age: float = 0.3
    skin: tuple = SKINS[1]
    hair: tuple = HAIRS[3]
    iris: tuple = IRISES[2]
    lips: tuple = (0.78, 0.36, 0.36)
    cloth: tuple = CLOTHES[0]
    back: tuple = BACKS[0]
    style: str = "long"
    collar: str = "crew"
    glasses: str = ""
    beard: float = 0.0
    moustache: float = 0.0
    earring: bool = False
    face_w: float = 1.0
    jaw_w: float = 1.0
    chin_w: float = 1.0
    eye_x: float = 36.0
    eye_y: float = -29.0
    eye_w: float = 17.5
    eye_h: float = 8.6
    eye_tilt: float = 1.5
    brow_y: float = -50.0
    brow_t: float = 4.4
    brow_arch: float = 4.0
    nose_w: float = 1.0
    nose_l: float = 1.0
    mouth_y: float = 51.0
    mouth_w: float = 29.0
    lip_up: float = 6.8
    lip_low: float = 9.0
    neck_w: float = 37.0
    freckles: float = 0.0
    part: float = -1.0
    seed: int = 0
    tags: dict = field(default_factory=dict)


def random_identity(rng: np.random.Generator) -> Identity:
    """One plausible person. Traits are drawn independently apart from those that come with sex, age and complexion."""
    u = rng.uniform
    female = bool(rng.random() < 0.5)
    tone = u(0, len(SKINS) - 1)
    k = min(int(tone), len(SKINS) - 2)
    skin = tuple(np.asarray(SKINS[k]) * (1 - (tone - k)) + np.asarray(SKINS[k + 1]) * (tone - k))
    skin = tuple(np.clip(np.asarray(skin) * u(0.97, 1.03, 3), 0, 1))
    age = float(rng.beta(1.6, 2.2))
    if age > 0.72 and rng.random() < 0.7:
        hair = HAIRS[8 + int(rng.integers(2))]
    elif tone > 4.5:
        hair = HAIRS[int(rng.integers(0, 3))]
    else:
        hair = HAIRS[int(rng.integers(0, 8))]
    hair = tuple(np.clip(np.asarray(hair) * u(0.85, 1.15) + u(-0.015, 0.015, 3), 0.03, 0.95))
    iris = IRISES[int(rng.integers(0, 2 if tone > 4.5 else len(IRISES)))]
    natural = np.asarray(skin) * np.array([0.86, 0.58, 0.58]) + np.array([0.05, 0.0, 0.01])
    if female:
        paint = np.array([(0.74, 0.24, 0.28), (0.80, 0.40, 0.40), (0.62, 0.20, 0.26), (0.85, 0.48, 0.45), (0.58, 0.28, 0.26)][int(rng.integers(5))])
        lips = natural + (paint - natural) * u(0.1, 0.75)
    else:
        lips = natural + (np.asarray(skin) * 0.86 - natural) * u(0.1, 0.5)
    styles = ("long", "bob", "fringe", "tied", "curly", "long") if female else ("short", "swept", "crop", "short", "bald", "curly", "swept")
    bearded = (not female) and rng.random() < 0.2
    return Identity(
        female=female, age=age, skin=skin, hair=hair, iris=iris, lips=tuple(np.clip(lips, 0.05, 0.95)),
        cloth=tuple(np.clip(np.asarray(CLOTHES[int(rng.integers(len(CLOTHES)))]) * u(0.8, 1.2), 0, 1)),
        back=BACKS[int(rng.integers(len(BACKS)))], style=styles[int(rng.integers(len(styles)))],
        collar=("crew", "vee", "shirt", "turtle")[int(rng.integers(4))],
        glasses=("round", "square")[int(rng.integers(2))] if rng.random() < 0.18 else "",
        beard=float(u(0.35, 1.0)) if bearded else (float(u(0, 0.22)) if not female else 0.0),
        moustache=float(u(0.4, 1.0)) if bearded and rng.random() < 0.6 else 0.0,
        earring=bool(female and rng.random() < 0.4),
        face_w=u(0.94, 1.05), jaw_w=u(0.90, 1.0) if female else u(0.97, 1.10), chin_w=u(0.85, 1.05) if female else u(1.0, 1.3),
        eye_x=u(34, 38), eye_y=u(-31, -27), eye_w=u(17.5, 20.5) if female else u(16.5, 19), eye_h=(u(8.8, 11.2) if female else u(7.4, 9.4)), eye_tilt=u(-0.5, 3.0),
        brow_y=(u(-56, -52) if female else u(-52, -48)), brow_t=(u(3.0, 4.8) if female else u(5.0, 7.4)), brow_arch=(u(2.5, 5.5) if female else u(1.0, 3.5)),
        nose_w=u(0.85, 1.0) if female else u(0.95, 1.25), nose_l=u(0.92, 1.08), mouth_y=u(49, 53.5), mouth_w=(u(27, 31.5) if female else u(29, 33.5)),
        lip_up=(u(5.6, 8.6) if female else u(4.4, 6.8)), lip_low=(u(7.6, 11.0) if female else u(6.4, 9.4)), neck_w=u(33, 37) if female else u(42, 50),
        freckles=float(u(0.3, 1.0)) if rng.random() < 0.12 and tone < 3 else 0.0, part=float(rng.choice([-1.0, 1.0])), seed=int(rng.integers(1 << 31)))


def named(name: str) -> Identity:
    """The avatars of the demo."""
    if name == "iris":
        return Identity(female=True, age=0.25, skin=(0.965, 0.80, 0.70), hair=(0.36, 0.19, 0.12), iris=(0.29, 0.43, 0.36), lips=(0.77, 0.36, 0.37), cloth=(0.19, 0.36, 0.38), back=((0.93, 0.87, 0.79), (0.71, 0.60, 0.53)),
                        style="long", collar="vee", earring=True, face_w=0.98, jaw_w=0.95, chin_w=0.92, eye_x=36.0, eye_y=-29, eye_w=19.8, eye_h=10.6, eye_tilt=2.2, brow_y=-53.5, brow_t=4.0, brow_arch=4.2,
                        nose_w=0.9, nose_l=0.98, mouth_y=51, mouth_w=29.8, lip_up=7.2, lip_low=9.6, neck_w=35, part=-1.0, seed=11)
    if name == "marco":
        return Identity(female=False, age=0.42, skin=(0.79, 0.57, 0.43), hair=(0.13, 0.10, 0.09), iris=(0.33, 0.20, 0.10), lips=(0.68, 0.40, 0.36), cloth=(0.23, 0.29, 0.42), back=((0.66, 0.75, 0.79), (0.36, 0.46, 0.54)),
                        style="swept", collar="shirt", beard=0.16, face_w=1.0, jaw_w=1.06, chin_w=1.15, eye_x=36.0, eye_y=-28, eye_w=18.4, eye_h=8.8, eye_tilt=1.0, brow_y=-49.5, brow_t=6.2, brow_arch=2.4,
                        nose_w=1.08, nose_l=1.03, mouth_y=51.5, mouth_w=32, lip_up=5.6, lip_low=8.0, neck_w=46, part=1.0, seed=5)
    raise KeyError(name)
