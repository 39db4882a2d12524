"""Drawing of the mouth from the six mouth parameters (open, jaw, wide, round, teeth, tongue)."""
import numpy as np
import skia

from geometry import blob, fill, glow, leaf, line, linear, mix, rgba, smooth, soft_line, stroke, times, trail

JAW_DROP = 12.0
APERTURE = 31.0


class MouthShape:
    """The curves of the lips in face coordinates. At rest (all zero) the inner curves coincide: a closed line."""

    def __init__(self, ident, mouth):
        o, jaw, wide, rnd, teeth, tongue = (float(v) for v in mouth)
        self.open, self.jaw, self.wide, self.round, self.teeth, self.tongue = o, jaw, wide, rnd, teeth, tongue
        parted = smooth(0.0, 0.07, o)
        self.parted = parted
        # Upper teeth resting on the lower lip (f, v): a nearly closed, neutral mouth with the teeth shown.
        self.bite = smooth(0.25, 0.7, teeth) * parted * (1 - smooth(0.16, 0.3, o)) * (1 - smooth(0.1, 0.4, wide)) * (1 - smooth(0.1, 0.4, rnd))
        w = ident.mouth_w * (1 + 0.20 * max(wide, 0) + 0.14 * min(wide, 0) - 0.34 * rnd - 0.07 * o)
        a = APERTURE * (0.92 * o + 0.08 * min(1.0, o * 6)) * (1 - 0.18 * max(wide, 0)) * (1 - 0.12 * rnd)
        a = a * (1 - self.bite) + max(a, 3.6) * self.bite if parted else a
        self.a, self.w = a, w
        lift = 1.6 * max(wide, 0) * parted - 0.8 * rnd
        yu = ident.mouth_y - 0.20 * a - lift * 0.6 - 1.0 * self.bite
        yl = ident.mouth_y + 0.80 * a - lift * 0.2 - 0.6 * self.bite
        hu = ident.lip_up * (1 - 0.16 * o - 0.14 * max(wide, 0) + 0.18 * rnd)
        hl = ident.lip_low * (1 - 0.14 * o - 0.12 * max(wide, 0) + 0.14 * rnd) * (1 - 0.42 * self.bite)
        cy = ident.mouth_y + 0.26 * a - 1.9 * max(wide, 0) - 1.5
        wi = w * (0.93 - 0.07 * smooth(0, 0.3, o) - 0.12 * rnd)
        full = 0.70 + 0.16 * rnd + 0.10 * min(1.0, o) - 0.04 * max(wide, 0)   # 1 would be a rectangle
        shut = 1 - smooth(0.0, 0.12, o)
        m = 1.3 * shut                                                        # the wave of the closed line
        self.yu, self.yl, self.hu, self.hl, self.cy, self.wi = yu, yl, hu, hl, cy, wi

        def inner(y_mid, dip):
            d = y_mid - cy
            return [(-wi, cy), (-0.80 * wi, cy + d * (full * 0.62)), (-0.48 * wi, cy + d * (full * 0.62 + 0.30) - dip * 0.7), (-0.2 * wi, cy + d * 0.985 - dip * 0.8), (0, y_mid + dip),
                    (0.2 * wi, cy + d * 0.985 - dip * 0.8), (0.48 * wi, cy + d * (full * 0.62 + 0.30) - dip * 0.7), (0.80 * wi, cy + d * (full * 0.62)), (wi, cy)]
        self.inner_up = np.array(inner(yu, m + 0.5 * rnd * parted))
        self.inner_low = np.array(inner(yl, m))
        peak = 0.19 + 0.05 * rnd
        top, dip = yu - hu, yu - hu * 0.76
        self.outer_up = np.array([(-w, cy), (-0.80 * w, cy + (top - cy) * 0.36), (-0.52 * w, cy + (top - cy) * 0.76), (-peak * w, top), (-0.06 * w, dip + 0.3), (0, dip + 0.9), (0.06 * w, dip + 0.3), (peak * w, top),
                                  (0.52 * w, cy + (top - cy) * 0.76), (0.80 * w, cy + (top - cy) * 0.36), (w, cy)])
        bot = yl + hl
        f = 0.06 * rnd
        self.outer_low = np.array([(-w, cy), (-0.82 * w, cy + (bot - cy) * (0.46 + f)), (-0.55 * w, cy + (bot - cy) * (0.82 + f)), (-0.24 * w, bot - 0.3), (0, bot), (0.24 * w, bot - 0.3),
                                   (0.55 * w, cy + (bot - cy) * (0.82 + f)), (0.82 * w, cy + (bot - cy) * (0.46 + f)), (w, cy)])


def draw_mouth(canvas, proj, ident, s: MouthShape, light):
    """Folds, cavity, teeth, tongue and lips, back to front."""
    skin, lips, k = ident.skin, ident.lips, proj.scale
    shade = times(skin, (0.62, 0.48, 0.46))
    deep = times(lips, (0.40, 0.26, 0.28))
    lift = 4.0 + 4.0 * s.round
    P = lambda pts: proj(pts, lift)
    angle = proj.roll_deg
    # Folds from nose to corners and the shade below the lower lip.
    fold = 0.06 + 0.20 * ident.age + 0.16 * max(s.wide, 0) * s.parted + 0.07 * s.open
    for side in (-1, 1):
        x = side * (s.w + 5)
        trail(canvas, proj([(side * 17 * ident.nose_w, 20), (side * 20.5 * ident.nose_w, 25), (side * (25 + 1.5 * s.open), 31), (x + side * 1, s.cy - 11), (x + side * 3, s.cy - 2)]), 4.0 * k, shade, fold + 0.02)
        glow(canvas, proj.point(side * (s.w + 2.5), s.cy), 4.5 * k, 4 * k, shade, 0.30, angle)
    bot = s.yl + s.hl
    glow(canvas, proj.point(0, bot + 5.0), (17 + 2 * s.round) * k, 6.2 * k, shade, 0.46, angle)
    glow(canvas, proj.point(0, s.yu - s.hu - 6.5), 5.0 * k, 7.5 * k, shade, 0.26, angle)
    for side in (-1, 1):
        glow(canvas, proj.point(side * 4.6, s.yu - s.hu - 4), 3.2 * k, 6 * k, (1, 0.97, 0.93), 0.14, angle)

    up_in, low_in = P(s.inner_up), P(s.inner_low)
    up_out, low_out = P(s.outer_up), P(s.outer_low)
    hole = leaf(up_in, low_in)
    if s.parted > 0:
        canvas.save()
        canvas.clipPath(hole, doAntiAlias=True)
        top, low = proj.point(0, s.yu), proj.point(0, s.yl)
        dark = (0.16, 0.045, 0.05)
        canvas.drawPaint(fill(dark, 1, shader=linear(top, low, [rgba((0.11, 0.03, 0.035)), rgba((0.23, 0.065, 0.075))])))
        # Tongue: rests low; its tip rises behind the upper teeth for l, n, t, d, th.
        tip = s.tongue
        rise = 0.24 + 0.06 * s.open + 0.50 * tip
        ty = s.yl - rise * s.a
        tw = s.wi * (0.62 - 0.10 * tip)
        pink, pink_d = (0.74, 0.36, 0.38), (0.52, 0.20, 0.23)
        strength = smooth(0.05, 0.25, s.open) * (0.55 + 0.45 * tip)
        body = blob(proj([(-tw, s.yl + 3), (-tw * 0.88, ty + 0.35 * (s.yl - ty)), (-tw * 0.5, ty + 0.05 * s.a), (0, ty + 0.03 * s.a * (1 - tip)), (tw * 0.5, ty + 0.05 * s.a), (tw * 0.88, ty + 0.35 * (s.yl - ty)), (tw, s.yl + 3), (0, s.yl + 6)], lift - 6))
        canvas.drawPath(body, fill(pink, strength, 0, linear(proj.point(0, ty), low, [rgba(mix(pink, (1, .75, .72), 0.18 * tip), strength), rgba(mix(pink_d, pink, 0.35), strength)])))
        soft_line(canvas, line(proj([(0, ty + 0.10 * s.a), (0.3, ty + 0.22 * s.a), (0, s.yl)], lift - 6)), pink_d, 1.3 * k, 0.35 * strength, 0.8 * k)
        # Upper teeth hang from the skull: they stay where they are while the lip uncovers them.
        th = min((2.0 + 7.5 * s.teeth) * smooth(0.03, 0.3, s.a / APERTURE) + 4.6 * s.bite + 2.4 * s.teeth * s.parted, max(0.0, s.a * (0.97 if s.teeth > 0.5 else 0.6)) + 0.8 * s.bite)
        th *= 1 - 0.45 * s.round
        if th > 0.3:
            wt = s.wi * (0.86 - 0.1 * s.round)
            y0, y1 = s.yu - 5, s.yu + th
            edge = [(-wt, y1 - 2.6), (-wt * 0.75, y1 - 1.1), (-wt * 0.4, y1 - 0.1), (0, y1), (wt * 0.4, y1 - 0.1), (wt * 0.75, y1 - 1.1), (wt, y1 - 2.6)]
            row = leaf(proj([(-wt, y0), (0, y0), (wt, y0)], lift - 3), proj(edge, lift - 3))
            ivory, grey = (0.97, 0.945, 0.90), (0.70, 0.63, 0.60)
            canvas.drawPath(row, fill(ivory, 1, 0.0, linear(proj.point(-wt, y1), proj.point(wt, y1), [rgba(grey), rgba(ivory), rgba(ivory), rgba(grey)], [0.0, 0.3, 0.7, 1.0])))
            for x in (-0.62, -0.36, -0.12, 0.12, 0.36, 0.62):
                canvas.drawLine(*proj.point(x * wt + (0.0), y0, lift - 3).tolist(), *proj.point(x * wt, y1 - 0.4, lift - 3).tolist(), stroke((0.55, 0.45, 0.42), 0.55 * k, 0.35))
        # Lower teeth peep out of a wide or very open mouth.
        lt = min(3.4 * s.teeth * smooth(0.1, 0.3, s.open) * (1 - s.round) + 1.6 * smooth(0.6, 1.0, s.open), 0.3 * s.a)
        if lt > 0.3:
            wl = s.wi * 0.6
            canvas.drawPath(leaf(proj([(-wl, s.yl - lt + 1.6), (-wl * .5, s.yl - lt + .3), (0, s.yl - lt), (wl * .5, s.yl - lt + .3), (wl, s.yl - lt + 1.6)], lift - 4), proj([(-wl, s.yl + 4), (0, s.yl + 4), (wl, s.yl + 4)], lift - 4)), fill((0.88, 0.84, 0.79), 0.9, 0.5 * k))
        # The upper lip throws its shadow on what lies behind it.
        soft_line(canvas, line(up_in), (0.08, 0.02, 0.02), 5.0 * k, 0.42, 1.8 * k)
        soft_line(canvas, line(low_in), (0.10, 0.02, 0.02), 3.0 * k, 0.25, 1.4 * k)
        canvas.restore()

    upper = leaf(up_out, up_in)
    lower = leaf(low_in, low_out)
    pt, pl = proj.point(0, s.yu - s.hu), proj.point(0, s.yu + 1)
    canvas.drawPath(lower, stroke(mix(lips, skin, 0.3), 1.5 * k, 0.35))
    canvas.drawPath(upper, stroke(mix(lips, skin, 0.3), 1.5 * k, 0.35))
    canvas.drawPath(lower, fill(lips, 1, 0, linear(proj.point(0, s.yl - 1), proj.point(0, bot), [rgba(mix(lips, deep, 0.10)), rgba(mix(lips, (1, .80, .76), 0.16)), rgba(mix(lips, shade, 0.38))], [0, 0.42, 1])))
    canvas.drawPath(upper, fill(lips, 1, 0, linear(pt, pl, [rgba(mix(lips, skin, 0.10)), rgba(mix(lips, deep, 0.22)), rgba(mix(lips, deep, 0.46))], [0, 0.55, 1])))
    # Sheen.
    wet = (0.16 + 0.14 * ident.female) * light.power
    glow(canvas, proj.point(light.x * 4 - 0.15 * s.w, s.yl + 0.42 * s.hl, lift), 0.30 * s.w * k, 0.26 * s.hl * k, (1, 0.95, 0.92), wet + 0.10, angle)
    glow(canvas, proj.point(light.x * 4 + 0.22 * s.w, s.yl + 0.45 * s.hl, lift), 0.18 * s.w * k, 0.22 * s.hl * k, (1, 0.95, 0.92), wet * 0.8, angle)
    for side in (-1, 1):
        glow(canvas, proj.point(side * 0.22 * s.w, s.yu - 0.72 * s.hu, lift), 0.20 * s.w * k, 0.2 * s.hu * k, (1, 0.95, 0.92), wet * 0.55, angle + side * 14)
    # The line between the lips, and the edge of the opening.
    ink = mix(deep, (0.10, 0.02, 0.02), 0.45)
    closed = 1 - smooth(0.0, 0.10, s.open)
    mid = P((s.inner_up + s.inner_low) * 0.5)
    if closed > 0:
        soft_line(canvas, line(mid), ink, 2.5 * k, 0.30 * closed, 1.1 * k)
        canvas.drawPath(line(mid), stroke(ink, 1.35 * k, 0.95 * closed))
    if s.parted > 0:
        canvas.drawPath(line(up_in), stroke(ink, 0.9 * k, 0.7 * (1 - closed)))
        canvas.drawPath(line(low_in), stroke(ink, 0.7 * k, 0.4 * (1 - closed)))
    for side in (0, -1):
        glow(canvas, P(s.inner_up)[side], 3.0 * k, 2.4 * k, ink, 0.75, angle)
