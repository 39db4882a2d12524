"""Loss curve of a run as a small PNG:  python plot.py RUN/loss.csv OUT.png"""

import csv
import sys

from PIL import Image, ImageDraw

W, H, PAD = 480, 220, 28


def main():
    rows = list(csv.DictReader(open(sys.argv[1])))
    curves = [
        ("mouth", "loss, mouth", (200, 60, 40), 1.0),
        ("class", "loss, viseme class / 3", (60, 110, 200), 1 / 3),
        ("open", "held-out correlation of open", (30, 140, 60), 1.0),
    ]
    top, last = 1.05, int(rows[-1]["step"])
    image = Image.new("RGB", (W, H), "white")
    pen = ImageDraw.Draw(image)
    for k in range(6):
        y = H - PAD - (H - 2 * PAD) * k / 5 / top
        pen.line([(PAD, y), (W - 8, y)], fill=(225, 225, 225))
        pen.text((4, y - 6), f"{k / 5:.1f}", fill=(90, 90, 90))
    pen.text((W // 2 - 40, H - 18), f"step 0 … {last}", fill=(90, 90, 90))
    for n, (key, name, colour, factor) in enumerate(curves):
        points = [
            (PAD + (W - PAD - 8) * int(r["step"]) / last, H - PAD - (H - 2 * PAD) * min(top, float(r[key]) * factor) / top)
            for r in rows
            if r[key]
        ]
        pen.line(points, fill=colour, width=2)
        pen.text((PAD + 6 + 140 * n, 4), name, fill=colour)
    image.save(sys.argv[2], optimize=True)


if __name__ == "__main__":
    main()
