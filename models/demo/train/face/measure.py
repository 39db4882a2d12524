"""How open the mouth looks: one number per frame, from pixels alone, the same for pictures of the network and true drawings.

In the box (x1,y1,x2,y2), w wide and h high, look at the rectangle x1+0.36w ... x1+0.64w, y1+0.56h ... y1+0.98h. With
Y = 0.299R+0.587G+0.114B (0...1), S = median of Y in that rectangle of the *base* frame (same cycle index, mouth closed):

    dark  = clamp((0.42 S - Y) / (0.21 S), 0, 1)                                        the cavity
    white = clamp((0.24 - (max-min)/max) / 0.12, 0, 1) * clamp((Y - 0.80 S) / (0.15 S), 0, 1)      the teeth
    m     = max(0, sum(max(dark, white)) over the frame - the same over the base frame) / (w*h)

Skin and lips are neither: they are brighter than 0.42 S and more coloured than 0.24.
"""
import numpy as np


def _inside(rgb, box):
    x1, y1, x2, y2 = box
    w, h = x2 - x1, y2 - y1
    return rgb[int(y1 + 0.56 * h):int(y1 + 0.98 * h), int(x1 + 0.36 * w):int(x1 + 0.64 * w)].astype(np.float32) / 255


def _amount(p, s):
    luma = p @ np.array([0.299, 0.587, 0.114], np.float32)
    top = p.max(-1)
    chroma = (top - p.min(-1)) / np.maximum(top, 1e-3)
    dark = np.clip((0.42 * s - luma) / (0.21 * s), 0, 1)
    white = np.clip((0.24 - chroma) / 0.12, 0, 1) * np.clip((luma - 0.80 * s) / (0.15 * s), 0, 1)
    return float(np.maximum(dark, white).sum())


def opening(frame, base, box):
    """frame, base uint8 RGB; 0 when closed, about 0.04 when wide open."""
    b = _inside(base, box)
    s = float(np.median(b @ np.array([0.299, 0.587, 0.114], np.float32)))
    x1, y1, x2, y2 = box
    return max(0.0, _amount(_inside(frame, box), s) - _amount(b, s)) / ((x2 - x1) * (y2 - y1))
