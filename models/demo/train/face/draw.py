"""The drawn character: background, clothes, hair, face. `render` gives RGB of any region of the 512x512 frame."""
import numpy as np
import skia

import hair as hair_styles
from geometry import blob, fill, glow, leaf, line, linear, mix, rgba, rim, smooth, soft_line, stroke, times, trail
from mouth import JAW_DROP, MouthShape, draw_mouth

SIZE = 512
REST = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def outline(ident, jaw=0.0):
    """Right half of the face contour from the top of the forehead to the chin, mirrored: closed ring of points."""
    f, j, c = ident.face_w, ident.jaw_w, ident.chin_w
    half = np.array([(0, -119), (40 * f, -112), (70 * f, -86), (83 * f, -46), (85.5 * f, -8), (81.5 * f * (0.6 + 0.4 * j), 24), (70 * f * j, 52), (50 * f * (0.4 * c + 0.6 * j), 76), (29 * c, 90.0), (12.5 * c, 94.9), (0, 95.4)], float)
    t = np.clip((half[:, 1] - 20) / 72.0, 0, 1)
    t = t * t * (3 - 2 * t)
    half[:, 1] += JAW_DROP * jaw * t
    half[:, 0] *= 1 - 0.035 * jaw * np.sin(np.pi * np.clip((half[:, 1] - 10) / 95, 0, 1))
    left = half[1:-1][::-1] * np.array([-1, 1])
    return np.vstack([half, left])


def face_box(ident, proj):
    """The box of the inference (spec 5.4): symmetric round landmark 29, from the jaw's widest points to the chin at rest, plus the chin margin."""
    ring = outline(ident)
    jaw = proj(ring[ring[:, 1] > -30], lift=6)
    bridge = proj.point(0, 0, lift=16).astype(int)
    pts = jaw.astype(int)
    bottom = int(pts[:, 1].max())
    top = max(0, int(2 * bridge[1] - bottom))
    margin = int(round(10 + 10 * proj.scale))
    return int(pts[:, 0].min()), top, int(pts[:, 0].max()), min(bottom + margin, SIZE)


def draw_background(canvas, ident, light):
    a, b = ident.back
    canvas.drawPaint(fill(a, 1, 0, linear((0, 0), (0, SIZE), [rgba(a), rgba(b)])))
    glow(canvas, (256 + 150 * light.x, 130), 300, 280, mix(a, (1, 1, 1), 0.5), 0.45)
    glow(canvas, (256 - 220 * light.x, 430), 300, 260, times(b, (0.6, 0.6, 0.65)), 0.5)


def draw_body(canvas, ident, body, head):
    k, skin, cloth = body.scale, ident.skin, ident.cloth
    shade = times(skin, (0.66, 0.52, 0.50))
    n = ident.neck_w
    sh = 134 if ident.female else 160
    B = lambda pts: body(pts, flat=True)
    join = head([(-n, 40), (n, 40)], lift=-30)
    neck = np.vstack([join[:1], B([(-n * 0.94, 98), (-n * 1.02, 124), (-n * 1.5, 142), (-sh * 0.55, 162), (0, 230), (sh * 0.55, 162), (n * 1.5, 142), (n * 1.02, 124), (n * 0.94, 98)]), join[1:]])
    path = blob(neck)
    canvas.saveLayer(path.computeTightBounds(), None)
    canvas.drawPath(path, fill(skin, 1, 0, linear(B([(0, 60)])[0], B([(0, 200)])[0], [rgba(mix(skin, shade, 0.75)), rgba(mix(skin, shade, 0.28)), rgba(mix(skin, shade, 0.1))], [0.15, 0.55, 1.0])))
    glow(canvas, head.point(0, 92, -20), 78 * k, 44 * k, times(skin, (0.45, 0.32, 0.30)), 0.75, head.roll_deg, 0.6, True)
    for side in (-1, 1):
        trail(canvas, B([(side * n * 0.8, 100), (side * n * 0.6, 118), (side * n * 0.3, 136), (side * 7, 150)]), 5 * k, shade, 0.35, True)
        trail(canvas, B([(side * 10, 152), (side * n * 0.7, 150), (side * n * 1.3, 147)]), 4 * k, shade, 0.45, True)
    canvas.restore()
    lo, hi = times(cloth, (0.55, 0.55, 0.60)), mix(cloth, (1, 1, 1), 0.14)
    neckline = {"crew": [(-n * 1.25, 134), (-n * 0.7, 156), (0, 164), (n * 0.7, 156), (n * 1.25, 134)], "vee": [(-n * 1.35, 133), (-n * 0.7, 164), (0, 205), (n * 0.7, 164), (n * 1.35, 133)],
                "shirt": [(-n * 1.12, 126), (-n * 0.6, 150), (0, 186), (n * 0.6, 150), (n * 1.12, 126)], "turtle": [(-n * 1.06, 108), (-n * 0.6, 119), (0, 122), (n * 0.6, 119), (n * 1.06, 108)]}[ident.collar]
    left, right = neckline[0], neckline[-1]
    shape = B([left] + [(-sh * 0.62, 146), (-sh * 0.93, 158), (-sh * 1.16, 196), (-sh * 1.30, 340)] + [(sh * 1.30, 340), (sh * 1.16, 196), (sh * 0.93, 158), (sh * 0.62, 146), right])
    path = skia.Path(line(shape[:5]))
    path.lineTo(*shape[5].tolist())
    path.addPath(line(shape[5:]), skia.Path.kExtend_AddPathMode)
    path.addPath(line(B(neckline)[::-1]), skia.Path.kExtend_AddPathMode)
    path.close()
    canvas.drawPath(path, fill(cloth, 1, 0, linear(B([(0, 130)])[0], B([(0, 290)])[0], [rgba(hi), rgba(cloth), rgba(lo)], [0, 0.4, 1])))
    for side in (-1, 1):
        trail(canvas, B([(side * sh * 0.80, 196), (side * sh * 0.74, 235), (side * sh * 0.73, 280), (side * sh * 0.76, 340)]), 9 * k, lo, 0.6)
        glow(canvas, B([(side * sh * 0.70, 172)])[0], 36 * k, 14 * k, (1, 1, 1), 0.13, side * 18)
    edge = B(neckline)
    if ident.collar == "turtle":
        canvas.drawPath(leaf(edge, B([(-n * 1.3, 138), (-n * .7, 150), (0, 153), (n * .7, 150), (n * 1.3, 138)])), fill(mix(cloth, (1, 1, 1), 0.08), 1))
        soft_line(canvas, line(B([(-n * 1.3, 138), (-n * .7, 150), (0, 153), (n * .7, 150), (n * 1.3, 138)])), lo, 2.4 * k, 0.5, 1.4 * k)
    elif ident.collar == "shirt":
        for side in (-1, 1):
            flap = B([(side * n * 1.12, 122), (side * n * 0.62, 148), (side * 3, 186), (side * 22, 196), (side * n * 1.1, 166), (side * n * 1.5, 140)])
            canvas.drawPath(blob(flap), fill(mix(cloth, (1, 1, 1), 0.16), 1))
            soft_line(canvas, line(flap[2:]), lo, 1.6 * k, 0.6, 0.8 * k)
    else:
        soft_line(canvas, line(edge), lo, 4.0 * k, 0.55, 1.0 * k)
        canvas.drawPath(line(edge), stroke(hi, 1.4 * k, 0.6))


def draw_ear(canvas, ident, proj, side):
    skin, k = ident.skin, proj.scale
    shade = times(skin, (0.66, 0.48, 0.45))
    x = side * 84 * ident.face_w
    pts = [(x - side * 3, -22), (x + side * 6, -28), (x + side * 12, -20), (x + side * 11, -4), (x + side * 7, 12), (x + side * 1, 23), (x - side * 6, 20)]
    canvas.drawPath(blob(proj(pts, lift=-34)), fill(mix(skin, shade, 0.18), 1, 0.5 * k))
    soft_line(canvas, line(proj([(x + side * 3, -20), (x + side * 9, -17), (x + side * 7.5, -3), (x + side * 4, 8)], lift=-34)), shade, 2.2 * k, 0.7, 0.9 * k)
    if ident.earring:
        p = proj.point(x + side * 2, 27, -34)
        canvas.drawCircle(float(p[0]), float(p[1]), 3.2 * k, fill((0.92, 0.80, 0.50)))
        canvas.drawCircle(float(p[0] - k), float(p[1] - k), 1.1 * k, fill((1, 0.98, 0.88)))


def draw_skin(canvas, ident, proj, ring, light, jaw):
    """Skin with its soft modelling; everything is clipped to the face contour."""
    skin, k, angle = ident.skin, proj.scale, proj.roll_deg
    warm = mix(skin, (1.0, 0.93, 0.84), 0.42)
    shade = times(skin, (0.70, 0.54, 0.52))
    deep = times(skin, (0.50, 0.34, 0.33))
    blush = mix(skin, times(skin, (1.02, 0.58, 0.56)), 0.8)
    path = blob(proj(ring, lift=4))
    bounds = path.computeTightBounds()
    bounds.outset(2, 2)
    # The modelling is smooth: it is mixed at a third of the size, in half floats so that it does not band.
    cut = 3.0
    soft = skia.Surface.MakeRaster(skia.ImageInfo.Make(int(bounds.width() / cut) + 2, int(bounds.height() / cut) + 2, skia.kRGBA_F16_ColorType, skia.kPremul_AlphaType))
    shading = soft.getCanvas()
    shading.scale(1 / cut, 1 / cut)
    shading.translate(-bounds.left(), -bounds.top())
    G = lambda x, y, rx, ry, c, a, h=0.45: glow(shading, proj.point(x, y), rx * k, ry * k, c, a, angle, h)
    d, lx = JAW_DROP * jaw, light.x
    G(lx * 26, -30, 100, 118, warm, 0.55 * light.power)
    rim(shading, proj.point(0, -12 + 0.5 * d), 88 * ident.face_w * k, (110 + 0.5 * d) * k, shade, 0.50, angle)
    far = proj.point(-lx * 92, 20)
    glow(shading, far, 84 * k, 150 * k, deep, 0.30 * abs(lx) + 0.06, angle, 0.5)
    G(0, 116 + d, 74, 36, deep, 0.34, 0.5)
    for side in (-1, 1):
        G(side * 50, 22, 38, 27, blush, 0.17 + 0.08 * ident.female, 0.4)
        G(side * 48, 4, 24, 15, warm, 0.24 * light.power + 0.12 * (side * lx > 0))
        G(side * 66, 52 + 0.4 * d, 26, 40, shade, 0.30)
        G(side * ident.eye_x * 0.96, ident.eye_y - 3, 27, 18, shade, 0.42)
        G(side * (ident.eye_x - 19), ident.eye_y - 1, 11, 15, shade, 0.40)
        G(side * ident.eye_x, ident.eye_y + 16, 20, 7, shade, 0.14 + 0.42 * ident.age * ident.age)
    G(0, -80, 58, 30, warm, 0.30 * light.power)
    G(0, 84 + d, 17, 11, warm, 0.30 * light.power)
    G(0, 104 + d, 46, 15, shade, 0.40)
    canvas.saveLayer(bounds, None)
    canvas.drawPath(path, fill(skin, 1))
    canvas.save()
    canvas.translate(bounds.left(), bounds.top())
    canvas.scale(cut, cut)
    canvas.drawImage(soft.makeImageSnapshot(), 0, 0, skia.SamplingOptions(skia.FilterMode.kLinear), skia.Paint(BlendMode=skia.BlendMode.kSrcATop))
    canvas.restore()
    if ident.age > 0.5:
        a = (ident.age - 0.5) * 0.5
        for y in (-72, -81, -90):
            soft_line(canvas, line(proj([(-40, y + 2), (-18, y - 1.5), (0, y), (18, y - 1.5), (40, y + 2)])), shade, 1.4 * k, a, 0.8 * k)
        for side in (-1, 1):
            for t in (-4, 1, 6):
                soft_line(canvas, line(proj([(side * 57, ident.eye_y + t * 0.4), (side * 64, ident.eye_y + t), (side * 70, ident.eye_y + t * 1.7)])), shade, 1.2 * k, a * 1.1, 0.6 * k)
    if ident.freckles:
        r = np.random.default_rng(ident.seed)
        for x, y, q in zip(r.normal(0, 34, 46), r.normal(10, 9, 46), r.random(46)):
            p = proj.point(x, y)
            canvas.drawCircle(float(p[0]), float(p[1]), (0.6 + 0.7 * q) * k, fill(times(skin, (0.70, 0.50, 0.40)), 0.42 * ident.freckles))
    if ident.beard > 0.02:
        hair_styles.draw_beard(canvas, ident, proj, ring, d)
    canvas.restore()
    canvas.drawPath(line(proj(ring[5:16], lift=4)), stroke(deep, 1.3 * k, 0.28))


def draw_nose(canvas, ident, proj, light):
    skin, k, angle = ident.skin, proj.scale, proj.roll_deg
    shade, deep = times(skin, (0.64, 0.47, 0.45)), times(skin, (0.34, 0.19, 0.18))
    warm = mix(skin, (1.0, 0.95, 0.88), 0.6)
    w, l, lx = ident.nose_w, ident.nose_l, light.x
    tip = 15 * l
    dark = -1 if lx > 0 else 1
    trail(canvas, proj([(dark * 9, -36), (dark * 7 * w, -20), (dark * 7.5 * w, -4), (dark * 12 * w, 12 * l)], lift=6), 6.5 * k, shade, 0.20 + 0.12 * abs(lx))
    trail(canvas, proj([(-dark * 8 * w, -8), (-dark * 9.5 * w, 0), (-dark * 13 * w, 12 * l)], lift=6), 5 * k, shade, 0.15)
    glow(canvas, proj.point(0, 25 * l, 4), 22 * w * k, 7.5 * k, shade, 0.55, angle)
    for side in (-1, 1):
        glow(canvas, proj.point(side * 12 * w, 14 * l, 10), 6.5 * w * k, 8 * k, mix(skin, shade, 0.45), 0.42, angle)
        soft_line(canvas, line(proj([(side * 14.5 * w, 8 * l), (side * 17.2 * w, 14 * l), (side * 15.5 * w, 20.5 * l), (side * 12.0 * w, 21.5 * l)], lift=10)), shade, 1.7 * k, 0.75, 0.7 * k)
        canvas.drawPath(leaf(proj([(side * 4.0 * w, 21.8 * l), (side * 7.6 * w, 18.6 * l), (side * 11.4 * w, 20.8 * l)], lift=13), proj([(side * 4.0 * w, 21.8 * l), (side * 8 * w, 22.6 * l), (side * 11.4 * w, 20.8 * l)], lift=13)), fill(deep, 0.78, 0.55 * k))
    soft_line(canvas, line(proj([(-4.5 * w, 22.5 * l), (0, 24.8 * l), (4.5 * w, 22.5 * l)], lift=14)), shade, 1.5 * k, 0.6, 0.7 * k)
    glow(canvas, proj.point(lx * 2, -14, 12), 4.4 * w * k, 27 * k, warm, 0.40 * light.power, angle)
    glow(canvas, proj.point(lx * 2.5, tip - 4, 20), 7.5 * w * k, 6.5 * k, warm, 0.60 * light.power, angle)
    glow(canvas, proj.point(lx * 2.5, tip - 6, 20), 2.8 * w * k, 2.2 * k, (1, 1, 1), 0.42 * light.power, angle)


def draw_eye(canvas, ident, proj, side, gaze, lid, light):
    skin, k, angle = ident.skin, proj.scale, proj.roll_deg
    shade = times(skin, (0.58, 0.42, 0.40))
    lash = mix(times(ident.hair, (0.4, 0.4, 0.4)), (0.06, 0.04, 0.04), 0.6)
    x0, y0, w, h, tilt = side * ident.eye_x, ident.eye_y, ident.eye_w, ident.eye_h, ident.eye_tilt
    low = np.array([(-w, 1.5), (-0.55 * w, 0.60 * h), (0, 0.74 * h), (0.55 * w, 0.52 * h), (w, -tilt)])
    top = np.array([(-w, 1.5), (-0.62 * w, -0.58 * h), (-0.1 * w, -0.98 * h), (0.5 * w, -0.80 * h), (w, -tilt)])
    low[1:-1, 1] -= 0.25 * h * (1 - lid)
    top = low + (top - low) * max(lid, 0.0)
    place = lambda p: proj(np.asarray(p) * np.array([side, 1]) + np.array([x0, y0]), lift=-2)
    upper, lower = place(top), place(low)
    if side < 0:
        upper, lower = upper[::-1], lower[::-1]
    opening = leaf(upper, lower)
    crease = place(np.array([(-0.92 * w, -0.2 * h), (-0.6 * w, -0.95 * h), (-0.1 * w, -1.38 * h), (0.5 * w, -1.22 * h), (1.02 * w, -0.45 * h - tilt)]) * np.array([1, 0.55 + 0.45 * lid]))
    soft_line(canvas, line(crease), shade, 1.7 * k, 0.55, 0.8 * k)
    if lid > 0.06:
        canvas.save()
        canvas.clipPath(opening, doAntiAlias=True)
        p0, p1 = proj.point(x0, y0 - h, -2), proj.point(x0, y0 + h, -2)
        white = (0.965, 0.95, 0.935)
        canvas.drawPaint(fill(white, 1, 0, linear(p0, p1, [rgba(times(white, (0.66, 0.63, 0.65))), rgba(white), rgba(white)], [0.1, 0.6, 1.0])))
        r = h * 1.02
        c = proj.point(x0 + gaze[0], y0 - 0.14 * h + gaze[1], -1)
        cx, cy = float(c[0]), float(c[1])
        dark = times(ident.iris, (0.35, 0.33, 0.33))
        bright = mix(ident.iris, (1, 0.97, 0.85), 0.30)
        shader = skia.GradientShader.MakeRadial((cx, cy + 0.35 * r * k), r * 1.25 * k, [rgba(bright), rgba(ident.iris), rgba(dark)], [0, 0.5, 1])
        canvas.drawCircle(cx, cy, r * k, skia.Paint(AntiAlias=True, Shader=shader))
        canvas.drawCircle(cx, cy, r * k, stroke(times(dark, (0.5, 0.5, 0.5)), 1.3 * k, 0.75))
        canvas.drawCircle(cx, cy, 0.44 * r * k, fill((0.03, 0.02, 0.03)))
        soft_line(canvas, line(upper), (0.10, 0.06, 0.07), 5.5 * k, 0.42, 1.6 * k)
        canvas.drawCircle(cx + (2.6 * light.x + 0.4) * k, cy - 0.36 * r * k, 0.24 * r * k, fill((1, 1, 1), 0.96))
        canvas.drawCircle(cx - (2.4 * light.x + 0.6) * k, cy + 0.40 * r * k, 0.12 * r * k, fill((1, 1, 1), 0.55))
        inner = upper[0] if side > 0 else upper[-1]
        glow(canvas, inner, 4 * k, 4 * k, (0.85, 0.52, 0.50), 0.8, angle)
        canvas.restore()
    soft_line(canvas, line(lower), shade, 1.1 * k, 0.55, 0.5 * k)
    # The lash line thickens outwards; women's lashes end in a small wing.
    thick = 1.7 if ident.female else 1.05
    body = top + np.array([(0, 0.3), (0, -0.5 * thick), (0, -0.95 * thick), (0.2, -1.2 * thick), (1.8 * thick, -1.35 * thick)])
    outer, inner = place(body), place(top + np.array([(0, 0), (0, 0.45), (0, 0.55), (0, 0.55), (0, 0.35)]))
    if side < 0:
        outer, inner = outer[::-1], inner[::-1]
    canvas.drawPath(leaf(outer, inner), fill(lash, 0.95))
    if ident.female:
        for t, n in ((0.62, 3.4), (0.8, 4.4), (0.97, 4.2)):
            i = 3 + (t - 0.75) * 4 if t > 0.75 else 2 + (t - 0.5) * 4
            a = int(i)
            p = body[a] + (body[min(a + 1, 4)] - body[a]) * (i - a)
            q = p + np.array([n * (0.35 + 0.65 * t), -n * (0.9 - 0.5 * t) * (2 * lid - 1)])
            canvas.drawPath(line(place(np.array([p, (p + q) / 2 + np.array([0.5, 0.4]), q]))), stroke(lash, 0.9 * k, 0.8))


def draw_brow(canvas, ident, proj, side, lift):
    k = proj.scale
    c = mix(times(ident.hair, (0.78, 0.75, 0.75)), times(ident.skin, (0.45, 0.35, 0.3)), 0.15)
    t, y, a, x = ident.brow_t, ident.brow_y - lift, ident.brow_arch, side * ident.eye_x
    w = ident.eye_w * 1.25
    top = np.array([(-w, 0.0), (-0.55 * w, -0.35 * a - 0.8), (0.1 * w, -a), (0.62 * w, -a * 0.75), (1.06 * w, 3.4)])
    low = np.array([(-w, t * 0.85), (-0.55 * w, t * 0.95 - 0.35 * a - 0.4), (0.1 * w, t * 0.85 - a), (0.62 * w, t * 0.55 - a * 0.75), (1.06 * w, 3.4)])
    place = lambda p: proj(p * np.array([side, 1]) + np.array([x, y]), lift=3)
    shape = leaf(place(top), place(low))
    canvas.drawPath(shape, fill(c, 0.72))
    canvas.drawPath(shape, stroke(c, 1.5 * k, 0.25))
    for i in range(9):
        s = i / 8
        j = s * 3.999
        q = int(j)
        at = lambda arr: arr[q] + (arr[q + 1] - arr[q]) * (j - q)
        lo_, hi_ = at(low), at(top)
        canvas.drawPath(line(place(np.array([lo_ + np.array([0, -0.2]), hi_ + np.array([2.8 - 0.8 * s, 0.4])]))), stroke(c, 0.9 * k, 0.5))


def draw_glasses(canvas, ident, proj):
    k = proj.scale
    c = (0.10, 0.09, 0.10) if ident.glasses == "square" else (0.42, 0.31, 0.20)
    for side in (-1, 1):
        x, y = side * ident.eye_x, ident.eye_y + 2
        if ident.glasses == "round":
            pts = [(x + 23 * np.cos(a), y + 21 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)]
        else:
            pts = [(x - 23, y - 13), (x, y - 16), (x + 23, y - 13), (x + 24, y + 2), (x + 17, y + 16), (x, y + 18), (x - 17, y + 16), (x - 24, y + 2)]
        path = blob(proj(pts, lift=9))
        canvas.drawPath(path, fill((0.85, 0.93, 1.0), 0.07))
        soft_line(canvas, path, (0.05, 0.03, 0.03), 3.0 * k, 0.18, 1.6 * k)
        canvas.drawPath(path, stroke(c, 2.4 * k, 0.95))
        canvas.drawPath(line(proj([(x + side * 23, y - 6), (side * 84, y - 9)], lift=4)), stroke(c, 2.4 * k, 0.9))
    canvas.drawPath(line(proj([(-ident.eye_x + 22, ident.eye_y), (0, ident.eye_y - 4), (ident.eye_x - 22, ident.eye_y)], lift=12)), stroke(c, 2.4 * k, 0.95))


def _behind(canvas, scene):
    ident = scene.identity
    draw_background(canvas, ident, scene.light)
    hair_styles.draw_back(canvas, ident, scene.head, scene.body)
    draw_body(canvas, ident, scene.body, scene.head)
    for side in (-1, 1):
        draw_ear(canvas, ident, scene.head, side)


def _moving(canvas, scene, mouth):
    """What the mouth and the jaw move: skin, nose, lips."""
    ident, light, proj = scene.identity, scene.light, scene.head
    shape = MouthShape(ident, mouth)
    draw_skin(canvas, ident, proj, outline(ident, shape.jaw), light, shape.jaw)
    draw_nose(canvas, ident, proj, light)
    draw_mouth(canvas, proj, ident, shape, light)
    if ident.moustache > 0.02:
        hair_styles.draw_moustache(canvas, ident, proj, shape)


def _before(canvas, scene):
    ident, light, proj = scene.identity, scene.light, scene.head
    for side in (-1, 1):
        draw_eye(canvas, ident, proj, side, scene.gaze, scene.lid, light)
        draw_brow(canvas, ident, proj, side, scene.brow)
    hair_styles.draw_front(canvas, ident, proj, light)
    if ident.glasses:
        draw_glasses(canvas, ident, proj)


def _layer(region, paint):
    x1, y1, x2, y2 = region
    surface = skia.Surface(x2 - x1, y2 - y1)
    canvas = surface.getCanvas()
    canvas.clear(skia.ColorTRANSPARENT)
    canvas.translate(-x1, -y1)
    paint(canvas)
    return surface.makeImageSnapshot()


def render_many(scene, mouths, region=(0, 0, SIZE, SIZE)):
    """RGB uint8 [h,w,3] of the frame's region (x1,y1,x2,y2) for every mouth; what does not move is drawn once."""
    x1, y1, x2, y2 = region
    behind = _layer(region, lambda c: _behind(c, scene))
    before = _layer(region, lambda c: _before(c, scene))
    tint = skia.Paint(Color=rgba(scene.light.tint), BlendMode=skia.BlendMode.kMultiply)
    out = []
    for mouth in mouths:
        pixels = np.empty((y2 - y1, x2 - x1, 4), np.uint8)
        canvas = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas()
        canvas.drawImage(behind, 0, 0)
        canvas.save()
        canvas.translate(-x1, -y1)
        _moving(canvas, scene, mouth)
        canvas.restore()
        canvas.drawImage(before, 0, 0)
        canvas.drawPaint(tint)
        out.append(pixels[..., :3].copy())
    return out


def render(scene, mouth=REST, region=(0, 0, SIZE, SIZE)):
    return render_many(scene, [mouth], region)[0]
