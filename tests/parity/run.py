"""Compares every network of full-size packs with PyTorch fp32 on the official checkpoints that the packs were built from.

    python run.py --from DIR --pack PACK [PACK …] [--references DIR]

PACK is an fp32 or an fp16 pack. Relative error is ‖x − y‖₂ / ‖y‖₂, of the worst picture. Ends with exit code 1 when a bound is missed; writes the
section "Networks" of results.md. `--references` keeps PyTorch's answers there and uses those found.
"""
import argparse
import gc
import sys
import tempfile
from pathlib import Path

import environment

environment.enter()

import numpy as np  # noqa: E402

import reference  # noqa: E402
import report  # noqa: E402
from packs import Pack, run  # noqa: E402

BOUNDS = {"fp32": 1e-4, "fp16": 1e-2}
LATENT_BOUND = 1e-3  # largest difference of a latent, fp32
PICTURE_BOUND = 1.0  # mean difference of a byte, fp16
# Where a rounding lies between the network and its output, the error is taken before it.
INNER = {"decoder": "picture", "face_parser": "logits"}
VERSIONS = ("torch", "diffusers", "transformers", "onnxruntime", "numpy")


def relative(found, expected, names):
    """Over all these outputs of one item of the batch; that of the worst item."""
    def item(outputs_, i):
        return np.concatenate([outputs_[name][i].ravel() for name in names]).astype(np.float64)

    count = len(expected[names[0]])
    pairs = [(item(found, i), item(expected, i)) for i in range(count)]
    return max(float(np.linalg.norm(x - y) / np.linalg.norm(y)) for x, y in pairs)


class Rows:
    def __init__(self):
        self.rows, self.missed = [], []

    def add(self, network, graph, measure, figure, bound=None, form="{:.2e}", at_least=False):
        met = bound is None or (figure >= bound if at_least else figure <= bound)
        verdict = "" if bound is None else f"{'≥' if at_least else '≤'} {bound:g}: {'met' if met else '**missed**'}"
        self.rows.append([network, graph, measure, form.format(figure), verdict])
        print(" · ".join(self.rows[-1]), flush=True)
        if not met:
            self.missed.append(f"{network}, {graph}, {measure}")


def pictures(rows, network, graph, found, expected, precision):
    gap = np.abs(found.astype(np.int16) - expected.astype(np.int16))
    rows.add(network, graph, "bytes: mean difference", gap.mean(), PICTURE_BOUND if precision == "fp16" else None, "{:.4f}")
    rows.add(network, graph, "bytes: largest difference", gap.max(), form="{}")
    rows.add(network, graph, "bytes: share equal", (gap == 0).mean(), form="{:.3%}")


def outputs(pack, role, file, cases):
    """What a graph gives for every case; in place of bytes, where there are bytes, also what they were rounded from."""
    if role not in INNER:
        session = pack.session(role, file)
        return [run(session, given) for given, _ in cases]
    with pack.probed(role, file) as (session, inner):
        found = [run(session, given, (inner,)) for given, _ in cases]
    for outputs_ in found:
        outputs_[INNER[role]] = outputs_.pop(inner)
    return found


def compare(rows, pack, role, graph, cases):
    """One graph against its reference; gives its outputs for the last case."""
    label, precision, file = graph
    results = outputs(pack, role, file, cases)
    gc.collect()
    for (given, expected), found in zip(cases, results):
        names = [INNER[role]] if role in INNER else list(expected)
        at = f" at {'×'.join(str(n) for n in given['image'].shape[2:])}" if role == "face_detector" else ""
        rows.add(role, label, f"relative error{at}", relative(found, expected, names), BOUNDS[precision])
        if len(names) > 1:
            worst = max(relative(found, expected, [name]) for name in names)
            rows.add(role, label, f"its worst single output{at}", worst)
    if role == "generator":
        gap = np.abs(found["prediction"] - expected["prediction"]).max()
        rows.add(role, label, "largest difference", gap, LATENT_BOUND if precision == "fp32" else None)
    elif role == "decoder":
        pictures(rows, role, label, found["image"], expected["image"], precision)
    elif role == "face_parser":
        rows.add(role, label, "class map: share equal", (found["classes"] == expected["classes"]).mean(), form="{:.4%}")
    return found


def together(rows, pack, graph, prediction, cases):
    """The generator's own latents through the pack's decoder, against the same chain in PyTorch."""
    label, precision, file = graph
    image = run(pack.session("decoder", file), {"latent": prediction[:1]})["image"]
    pictures(rows, "generator + decoder", label, image, cases[-1][1]["image"][1:], precision)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--pack", nargs="+", required=True)
    parser.add_argument("--references", type=Path)
    args = parser.parse_args()
    origin = report.origin(VERSIONS)
    rows = Rows()
    with tempfile.TemporaryDirectory() as scratch:
        kept = args.references or Path(scratch)
        kept.mkdir(parents=True, exist_ok=True)
        paths = reference.all_cases(args.source, kept)
        gc.collect()
        for pack in map(Pack, args.pack):
            predictions = {}
            for role, path in paths.items():
                cases = reference.read(path)
                if role not in pack.networks:
                    rows.missed.append(f"{pack.folder} holds no {role}")
                    continue
                for graph in pack.graphs(role):
                    found = compare(rows, pack, role, graph, cases)
                    if role == "generator":
                        predictions[graph[0]] = found["prediction"]
                    elif role == "decoder":
                        together(rows, pack, graph, predictions[graph[0]], cases)
    body = report.table(["network", "graph", "measure", "figure", "bound"], rows.rows)
    failures = "\n".join(f"- {line}" for line in rows.missed)
    report.write("Networks", f"{origin}\n\n{body}\n\n{'Missed:' if rows.missed else 'Every bound is met.'}\n{failures}")
    sys.exit(1 if rows.missed else 0)


if __name__ == "__main__":
    main()
