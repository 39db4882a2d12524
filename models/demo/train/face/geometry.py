"""Projection of the head and the few path helpers everything is drawn with.

Face coordinates: pixels of a 512x512 frame at scale 1, x to the picture's right, y down, origin on the bridge of the
nose just above the tip (iBUG landmark 29), so that the face box of the inference is symmetric around y = 0.
"""
import math

import numpy as np
import skia


class Projection:
    """Rotates, scales and moves face points; depth follows an ellipsoid, so small turns give true parallax."""

    def __init__(self, yaw=0.0, pitch=0.0, roll=0.0, scale=1.0, x=256.0, y=238.0):
        self.scale, self.x, self.y = scale, x, y
        self.roll_deg = math.degrees(roll)
        cy, sy, cp, sp, cr, sr = (math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch), math.cos(roll), math.sin(roll))
        turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
        tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        self.matrix = (scale * (tilt @ nod @ turn))[:2].T.copy()
        self.offset = np.array([x, y])

    @staticmethod
    def depth(p):
        return 72.0 * np.sqrt(np.clip(1 - (p[:, 0] / 104) ** 2 - ((p[:, 1] + 8) / 150) ** 2, 0, 1)) - 24.0

    def __call__(self, points, lift=0.0, flat=False):
        """Face points [n,2] to frame points [n,2]; `lift` is extra depth, `flat` ignores the ellipsoid."""
        p = np.asarray(points, np.float64).reshape(-1, 2)
        z = np.full(len(p), float(lift)) if flat else self.depth(p) + lift
        return p @ self.matrix[:2] + z[:, None] * self.matrix[2] + self.offset

    def point(self, x, y, lift=0.0):
        return self([[x, y]], lift)[0]


def _controls(p, closed):
    if closed:
        before, after = np.roll(p, 1, 0), np.roll(p, -1, 0)
        d = (after - before) / 6.0
        nxt, dn = np.roll(p, -1, 0), np.roll(d, -1, 0)
        return np.hstack([p + d, nxt - dn, nxt])
    d = np.empty_like(p)
    d[1:-1] = (p[2:] - p[:-2]) / 6.0
    d[0] = (p[1] - p[0]) / 3.0
    d[-1] = (p[-1] - p[-2]) / 3.0
    return np.hstack([p[:-1] + d[:-1], p[1:] - d[1:], p[1:]])


def blob(points):
    """A closed smooth path through the points."""
    p = np.asarray(points)
    path = skia.Path()
    path.moveTo(*p[0].tolist())
    for c in _controls(p, True).tolist():
        path.cubicTo(*c)
    path.close()
    return path


def line(points):
    """An open smooth path."""
    p = np.asarray(points)
    path = skia.Path()
    path.moveTo(*p[0].tolist())
    for c in _controls(p, False).tolist():
        path.cubicTo(*c)
    return path


def leaf(first, second):
    """A closed path of two smooth sides with sharp corners: `first` there, `second` back (both given left to right)."""
    a, b = np.asarray(first), np.asarray(second)[::-1]
    path = skia.Path()
    path.moveTo(*a[0].tolist())
    for c in _controls(a, False).tolist():
        path.cubicTo(*c)
    path.lineTo(*b[0].tolist())
    for c in _controls(b, False).tolist():
        path.cubicTo(*c)
    path.close()
    return path


def rgba(c, alpha=1.0):
    return skia.Color4f(float(c[0]), float(c[1]), float(c[2]), float(alpha)).toColor()


def mix(a, b, t):
    return tuple(x + (y - x) * t for x, y in zip(a, b))


def times(a, b):
    return tuple(min(1.0, x * y) for x, y in zip(a, b))


def fill(c, alpha=1.0, blur=0.0, shader=None, atop=False):
    paint = skia.Paint(AntiAlias=True, Color=rgba(c, alpha))
    if atop:
        paint.setBlendMode(skia.BlendMode.kSrcATop)
    if shader is not None:
        paint.setShader(shader)
    if blur:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    return paint


def stroke(c, width, alpha=1.0, blur=0.0, cap=skia.Paint.kRound_Cap):
    paint = skia.Paint(AntiAlias=True, Color=rgba(c, alpha), Style=skia.Paint.kStroke_Style, StrokeWidth=width, StrokeCap=cap, StrokeJoin=skia.Paint.kRound_Join)
    if blur:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    return paint


def soft_line(canvas, path, c, width, alpha, blur):
    """A stroke with soft edges: three nested strokes, an order of magnitude cheaper than a mask blur."""
    for grow, share in ((1.6, 0.26), (0.5, 0.38), (-0.6, 0.46)):
        w = width + grow * blur
        if w > 0.2:
            canvas.drawPath(path, stroke(c, w, alpha * share))


def linear(p0, p1, colors, stops=None):
    return skia.GradientShader.MakeLinear([tuple(map(float, p0)), tuple(map(float, p1))], colors, stops)


def glow(canvas, center, rx, ry, c, alpha, angle=0.0, hardness=0.45, atop=False):
    """A soft ellipse: one radial gradient, far cheaper than a blur. `atop` keeps it to what the layer already covers."""
    canvas.save()
    canvas.translate(float(center[0]), float(center[1]))
    if angle:
        canvas.rotate(angle)
    canvas.scale(float(rx), float(ry))
    shader = skia.GradientShader.MakeRadial((0, 0), 1.0, [rgba(c, alpha), rgba(c, alpha * 0.55), rgba(c, alpha * 0.14), rgba(c, 0)], [0.0, hardness, 0.75, 1.0])
    canvas.drawCircle(0, 0, 1, skia.Paint(Shader=shader, BlendMode=skia.BlendMode.kSrcATop if atop else skia.BlendMode.kSrcOver))
    canvas.restore()


def rim(canvas, center, rx, ry, c, alpha, angle=0.0):
    """Darkens towards the border of an ellipse and beyond, within the layer: the turning away of a round form."""
    canvas.save()
    canvas.translate(float(center[0]), float(center[1]))
    if angle:
        canvas.rotate(angle)
    canvas.scale(float(rx), float(ry))
    shader = skia.GradientShader.MakeRadial((0, 0), 1.0, [rgba(c, 0), rgba(c, 0), rgba(c, alpha * 0.35), rgba(c, alpha)], [0.0, 0.58, 0.82, 1.0])
    canvas.drawRect(skia.Rect.MakeLTRB(-1.6, -1.6, 1.6, 1.6), skia.Paint(Shader=shader))
    canvas.restore()


def trail(canvas, points, width, c, alpha, atop=False):
    """A soft fold that fades at both ends: overlapping glows along the way."""
    p = np.asarray(points)
    for i in range(len(p) - 1):
        d = p[i + 1] - p[i]
        m = (p[i] + p[i + 1]) / 2
        glow(canvas, m, width, float(np.hypot(*d)) * 0.85 + width * 0.4, c, alpha, math.degrees(math.atan2(d[1], d[0])) - 90, 0.5, atop)


def smooth(a, b, x):
    t = min(1.0, max(0.0, (x - a) / (b - a)))
    return t * t * (3 - 2 * t)
