"""Hair, beards and moustaches: masses with flowing strands and a band of gloss."""
import numpy as np
import skia

from geometry import blob, fill, glow, leaf, line, linear, mix, rgba, soft_line, stroke, times


def _sample(points, n):
    """n points evenly spaced in parameter on a polyline smoothed by Catmull-Rom."""
    p = np.asarray(points, float)
    t = np.linspace(0, len(p) - 1 - 1e-6, n)
    i = t.astype(int)
    f = (t - i)[:, None]
    get = lambda k: p[np.clip(k, 0, len(p) - 1)]
    a, b, c, d = get(i - 1), get(i), get(i + 1), get(i + 2)
    return 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f ** 2 + (3 * b - a - 3 * c + d) * f ** 3)


def _mass(canvas, proj, ident, inner, outer, lift, strands=11, gloss=0.3, gloss_at=(0.15, 0.5), seed=0, blur=0.6):
    """A lock of hair between two curves that run the same way, with strands following them."""
    k, c = proj.scale, ident.hair
    dark, lite = times(c, (0.55, 0.52, 0.52)), mix(c, (1.0, 0.88, 0.72), 0.34)
    a, b = _sample(inner, 18), _sample(outer, 18)
    place = lambda q: proj(q, lift)
    path = leaf(place(a), place(b))
    pa, pb = place(a), place(b)
    canvas.drawPath(path, fill(c, 1, blur * k, linear(pb[5], pb[-1], [rgba(mix(c, lite, 0.22)), rgba(c), rgba(mix(c, dark, 0.55))], [0, 0.45, 1])))
    rng = np.random.default_rng(ident.seed + seed)
    canvas.drawPath(line(place(a + (b - a) * 0.03)), stroke(dark, 3.0 * k, 0.4))
    for s in np.linspace(0.06, 0.96, strands):
        s = float(np.clip(s + rng.normal(0, 0.02), 0, 1))
        flow = place(a + (b - a) * s)
        up = rng.random()
        canvas.drawPath(line(flow), stroke(lite if up > 0.52 else dark, (0.9 + 2.2 * rng.random()) * k, 0.20 + 0.12 * rng.random()))
        if gloss and rng.random() < 0.8:
            g0, g1 = int(gloss_at[0] * 18), int(gloss_at[1] * 18)
            for cut in (0, 1, 2):
                canvas.drawPath(line(flow[g0 + cut:g1 - cut]), stroke(lite, (1.6 + 1.2 * rng.random()) * k, gloss * 0.33))


def _back_shape(style):
    if style == "long":
        return [(0, -152), (55, -144), (92, -108), (106, -50), (110, 20), (114, 90), (108, 150), (88, 196), (40, 214), (0, 216)]
    if style == "fringe":
        return [(0, -150), (55, -142), (92, -106), (105, -50), (107, 20), (108, 90), (100, 140), (70, 170), (30, 180), (0, 182)]
    if style == "bob":
        return [(0, -152), (56, -144), (96, -108), (110, -50), (114, 20), (110, 70), (94, 96), (60, 100), (30, 98), (0, 98)]
    return [(0, -148), (52, -140), (86, -106), (96, -60), (95, -20), (84, 10), (50, 20), (20, 22), (0, 22)]


def draw_back(canvas, ident, proj, body):
    k, c = proj.scale, ident.hair
    dark = times(c, (0.52, 0.50, 0.50))
    if ident.style in ("bald", "crop", "short", "swept"):
        return
    if ident.style == "curly":
        rng = np.random.default_rng(ident.seed)
        for a in np.linspace(-0.25 * np.pi, 1.25 * np.pi, 22):
            r = 14 * rng.normal()
            p = proj.point((92 + 0.3 * r) * np.cos(a), -58 - (88 + 0.3 * r) * np.sin(a), -30)
            canvas.drawCircle(float(p[0]), float(p[1]), (25 + 4 * rng.random()) * k, fill(mix(c, dark, 0.2 + 0.4 * rng.random()), 1, 1.2 * k))
        return
    if ident.style == "tied":
        p = proj.point(0, -160, -40)
        canvas.drawCircle(float(p[0]), float(p[1]), 34 * k, fill(mix(c, dark, 0.25), 1, 0.8 * k))
        for r, w in ((26, 2.2), (18, 2.0), (10, 1.8)):
            canvas.drawCircle(float(p[0]) + 2 * k, float(p[1]) - 2 * k, r * k, stroke(mix(c, (1, .88, .72), 0.25), w * k, 0.3, 0.8 * k))
    half = np.array(_back_shape(ident.style), float)
    ring = np.vstack([half, half[1:-1][::-1] * np.array([-1, 1])])
    path = blob(proj(ring, lift=-30))
    canvas.drawPath(path, fill(c, 1, 0.7 * k, linear(proj.point(0, -120), proj.point(0, 200), [rgba(mix(c, dark, 0.35)), rgba(mix(c, dark, 0.75)), rgba(mix(c, dark, 0.9))], [0, 0.5, 1])))
    rng = np.random.default_rng(ident.seed + 3)
    if ident.style in ("long", "fringe"):
        for side in (-1, 1):
            for s in np.linspace(0.72, 0.98, 6):
                flow = half[3:9] * np.array([side * s, 1])
                soft_line(canvas, line(proj(flow, lift=-30)), mix(c, (1, .88, .72), 0.2), (1.2 + 1.6 * rng.random()) * k, 0.28, 0.7 * k)


def draw_front(canvas, ident, proj, light):
    f, style = ident.face_w, ident.style
    if style == "bald":
        k = proj.scale
        glow(canvas, proj.point(20 * light.x, -104), 34 * k, 14 * k, (1, 1, 1), 0.30 * light.power, proj.roll_deg)
        return
    if style == "curly":
        rng = np.random.default_rng(ident.seed + 7)
        k, c = proj.scale, ident.hair
        dark, lite = times(c, (0.6, 0.58, 0.58)), mix(c, (1, .88, .72), 0.22)
        for a in np.linspace(0.02 * np.pi, 0.98 * np.pi, 17):
            for rad in (1.10, 0.97):
                x, y = 80 * rad * np.cos(a), -48 - 68 * rad * np.sin(a)
                p = proj.point(x * f, y + 3 * rng.normal(), 2)
                canvas.drawCircle(float(p[0]), float(p[1]), (13 + 4 * rng.random()) * k, fill(mix(c, dark, 0.5 * rng.random()), 1, 0.8 * k))
                canvas.drawArc(skia.Rect.MakeXYWH(float(p[0]) - 9 * k, float(p[1]) - 9 * k, 18 * k, 18 * k), float(180 + 60 * rng.random()), 130, False, stroke(lite, 2.0 * k, 0.5, 0.9 * k))
        return
    flip = ident.part
    X = lambda pts: [(flip * x * f, y) for x, y in pts]
    if style in ("long", "bob", "tied"):
        root = (-22, -121)
        wide_in = [root, (4, -106), (36, -88), (62, -60), (77, -24), (82, 6)]
        wide_out = [root, (12, -152), (58, -143), (90, -108), (102, -50), (98, 4)]
        near_in = [root, (-40, -104), (-60, -78), (-73, -48), (-80, -20), (-82, 4)]
        near_out = [root, (-44, -150), (-72, -132), (-94, -96), (-103, -46), (-98, 4)]
        if style == "tied":
            wide_in[-2:], near_in[-2:] = [(78, -32), (84, -14)], [(-79, -30), (-84, -14)]
            wide_out[-1:], near_out[-1:] = [(94, -14)], [(-94, -14)]
        if style == "long":
            tail_in, tail_out = [(82, 40), (88, 84), (80, 130), (74, 168), (62, 196)], [(108, 50), (118, 96), (112, 142), (112, 178), (84, 214)]
        elif style == "bob":
            tail_in, tail_out = [(80, 40), (76, 70), (66, 92)], [(112, 40), (112, 74), (84, 104)]
        else:
            tail_in, tail_out = [], []
        mirror = lambda pts: [(-x, y) for x, y in pts]
        _mass(canvas, proj, ident, X(near_in + mirror(tail_in)), X(near_out + mirror(tail_out)), -4, seed=1)
        _mass(canvas, proj, ident, X(wide_in + tail_in), X(wide_out + tail_out), -3, seed=2, strands=13)
    elif style == "fringe":
        for side in (-1, 1):
            X2 = lambda pts: [(side * x * f, y) for x, y in pts]
            _mass(canvas, proj, ident, X2([(0, -140), (50, -100), (74, -60), (80, -10), (83, 50), (84, 110), (70, 158)]), X2([(0, -153), (60, -142), (94, -104), (105, -40), (108, 40), (108, 110), (76, 176)]), -4, seed=side + 5)
        _mass(canvas, proj, ident, X([(-82, -30), (-70, -58), (-30, -63), (10, -61), (48, -62), (72, -56), (82, -30)]), X([(-88, -70), (-74, -118), (-40, -143), (0, -150), (40, -143), (74, -118), (88, -70)]), 3, strands=9, gloss=0.35, gloss_at=(0.3, 0.75), seed=9)
    elif style in ("short", "swept", "crop"):
        top = {"short": 0, "swept": 10, "crop": -6}[style]
        base = [(-83, 6), (-81, -30), (-72, -62), (-52, -86), (-22, -97), (14, -99), (46, -91), (68, -70), (79, -36), (83, 6)]
        crown = [(-86, 6), (-95, -40), (-91, -98), (-64, -134 - 0.5 * top), (-28, -148 - top), (14, -152 - top), (54, -143 - 0.7 * top), (86, -108), (95, -44), (86, 6)]
        _mass(canvas, proj, ident, X(base), X(crown), -3, strands=8, gloss=0.0, seed=4)
        if style != "crop":
            sweep_in = [(-58, -82), (-30, -92), (6, -94), (40, -86), (62, -72), (76, -46)]
            sweep_out = [(-56, -96), (-40, -150 - top), (8, -160 - top), (52, -150 - top), (84, -116), (88, -64)]
            _mass(canvas, proj, ident, X(sweep_in), X(sweep_out), 1, strands=13, gloss=0.32, gloss_at=(0.3, 0.7), seed=6)


def draw_beard(canvas, ident, proj, ring, drop):
    """Clipped to the face by the caller; light values give a shadow of stubble."""
    k, a = proj.scale, ident.beard
    c = mix(times(ident.hair, (0.8, 0.78, 0.78)), ident.skin, 0.12)
    y = ident.mouth_y
    if a < 0.3:
        for x, dy, rx, ry in ((-52, 8, 26, 42), (52, 8, 26, 42), (0, 34, 44, 18), (0, -14, 26, 9), (-30, 20, 26, 20), (30, 20, 26, 20)):
            glow(canvas, proj.point(x, y + dy + (0.8 * drop if dy > 10 else 0)), rx * k, ry * k, c, 1.7 * a, proj.roll_deg, 0.5, True)
        return
    half = np.array([(0, y + 21 + 0.9 * drop), (24, y + 20 + 0.8 * drop), (40, y + 8 + 0.4 * drop), (54, y - 14), (70, y - 34), (88, y - 50), (110, y), (96, y + 60), (50, y + 84), (0, y + 90)], float)
    poly = np.vstack([half, half[1:-1][::-1] * np.array([-1, 1])])
    canvas.drawPath(blob(proj(poly, lift=2)), fill(c, min(0.95, 0.10 + 0.9 * a), (5.0 - 2.6 * a) * k, atop=True))
    canvas.drawPath(blob(proj([(-12, y + 15 + drop), (0, y + 13 + drop), (12, y + 15 + drop), (9, y + 36 + drop), (0, y + 40 + drop), (-9, y + 36 + drop)], lift=2)), fill(c, 0.7 * a, 2.4 * k, atop=True))
    if a > 0.3:
        rng = np.random.default_rng(ident.seed + 12)
        for x in np.linspace(-64, 64, 22):
            yy = y + 30 - 0.008 * x * x + rng.normal() * 3 + drop * 0.9
            soft_line(canvas, line(proj([(x, yy), (x * 0.98, yy + 7), (x * 0.94, yy + 13)], lift=2)), times(c, (0.7, 0.7, 0.7)) if rng.random() < .5 else mix(c, (1, .9, .8), .25), 1.1 * k, 0.35 * a, 0.4 * k)


def draw_moustache(canvas, ident, proj, mouth):
    k, a = proj.scale, ident.moustache
    c = mix(times(ident.hair, (0.8, 0.78, 0.78)), ident.skin, 0.08)
    y = mouth.yu - mouth.hu - 3.0
    w = ident.mouth_w * 1.02
    for side in (-1, 1):
        top = [(0, y - 6), (side * 0.35 * w, y - 7), (side * 0.75 * w, y - 2), (side * 1.05 * w, y + 9)]
        low = [(0, y + 0.5), (side * 0.35 * w, y + 2), (side * 0.7 * w, y + 5), (side * 1.05 * w, y + 9)]
        canvas.drawPath(leaf(proj(top, lift=6), proj(low, lift=6)), fill(c, 0.35 + 0.6 * a, 1.3 * k))
        for s in np.linspace(0.15, 0.9, 7):
            canvas.drawPath(line(proj([(side * s * w * 0.8, y - 5 + 5 * s), (side * s * w * 0.95, y + 1 + 4 * s)], lift=6)), stroke(times(c, (0.65, 0.65, 0.65)), 0.9 * k, 0.4 * a))
