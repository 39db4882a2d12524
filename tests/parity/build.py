"""Builds the fp16 and the fp32 pack of a full-size checkpoint and opens them, measuring time and memory.

    python build.py --musetalk BIN --open BIN --from DIR --out DIR [--keep]

BIN are `musetalk` and the example `open` of musetalk-core, in release builds. Writes DIR/fp16.pack, DIR/fp32.pack and the section
"Building and opening" of results.md. `--keep` opens packs that are there already. Ends with exit code 1 when an aim is missed.
"""
import argparse
import json
import os
import sys
import time
from pathlib import Path

import environment

environment.enter()

import report  # noqa: E402
import watch  # noqa: E402

GB = 1e9
ROLES = ("audio_encoder", "generator", "encoder", "decoder")


def copied(source, scratch):
    """Seconds to read and write the checkpoints' bytes: what the disk alone would take."""
    started = time.monotonic()
    for path in sorted(source.rglob("*")):
        if path.is_file():
            with open(path, "rb") as reader, open(scratch, "wb") as writer:
                while block := reader.read(1 << 22):
                    writer.write(block)
                writer.flush()
                os.fsync(writer.fileno())
            scratch.unlink()
    return time.monotonic() - started


def weights(pack):
    """Bytes of the graphs and weights that opening loads."""
    manifest = json.loads((pack / "pack.json").read_text())
    names = [manifest["networks"][role]["file"] for role in ROLES]
    return sum(manifest["files"].get(name, {}).get("bytes", 0) for file in names for name in (file, f"{file}.data"))


class Rows:
    def __init__(self):
        self.rows, self.missed = [], False

    def add(self, what, figure, aim=None, met=True):
        verdict = "" if aim is None else f"{aim}: {'met' if met else '**missed**'}"
        self.missed |= not met
        self.rows.append([what, figure, verdict])
        print(" · ".join(self.rows[-1]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--musetalk", required=True)
    parser.add_argument("--open", required=True)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    origin, rows = report.origin(()), Rows()
    packs = {precision: args.out / f"{precision}.pack" for precision in ("fp16", "fp32")}

    if not args.keep:
        rows.add("copying the checkpoints, for comparison", f"{copied(args.source, args.out / 'copy'):.1f} s")
        for precision, pack in packs.items():
            taken = watch.succeed([args.musetalk, "pack", "build", "--from", args.source, "--out", pack,
                                   "--precision", precision, "--overwrite"])
            aimed = precision == "fp16"
            rows.add(f"building {precision}", f"{taken.wall:.1f} s ({taken.processor:.1f} s of processor)",
                     "≤ 90 s" if aimed else None, taken.wall <= 90 or not aimed)
            rows.add(f"building {precision}: peak resident", f"{taken.resident / GB:.2f} GB, of it at most "
                     f"{taken.anonymous / GB:.2f} GB its own", "≤ 1.5 GB" if aimed else None,
                     taken.resident <= 1.5 * GB or not aimed)

    for precision, pack in packs.items():
        aimed, size = precision == "fp32", weights(pack)
        for turn in ("first time (files are hashed)", "again"):
            taken = watch.succeed([args.open, pack])
            seconds = json.loads(taken.output.splitlines()[-1])["seconds"]
            rows.add(f"opening {precision}, {turn}", f"{seconds:.1f} s ({taken.processor:.1f} s of processor)",
                     "≤ 5 s" if aimed else None, seconds <= 5 or not aimed)
            share = taken.anonymous / size
            rows.add(f"opening {precision}, {turn}: peak RssAnon", f"{taken.anonymous / GB:.2f} GB, {share:.2f} of the weights",
                     "≤ 0.7" if aimed else None, share <= 0.7 or not aimed)
    report.write("Building and opening", f"{origin}\n\n{report.table(['what', 'figure', 'aim'], rows.rows)}")
    sys.exit(1 if rows.missed else 0)


if __name__ == "__main__":
    main()
