"""What `push` and `latest_at` cost through the door; `door.rs` is the same without it.

    MUSETALK_DEMO=models/demo python bindings/python/bench/door.py
"""

import statistics
import time

import musetalk
import numpy as np
from musetalk import demo

CALLS = 20_000
CHUNK = 480


def main() -> None:
    engine = musetalk.Engine(demo.pack(), device="cpu", threads=1)
    avatar = engine.open_avatar(demo.avatar(), buffer_seconds=600)
    for dtype in (np.float32, np.int16):
        chunk = np.zeros(CHUNK, dtype=dtype)
        pushing = []
        for call in range(CALLS):
            if call % 1000 == 0:
                avatar.interrupt()
                avatar.begin()
            start = time.perf_counter_ns()
            avatar.push(chunk)
            pushing.append(time.perf_counter_ns() - start)
        print(f"push of {np.dtype(dtype)} {statistics.median(pushing) / 1000:.2f} µs a call (median)")
    avatar.interrupt()
    looking = []
    while len(looking) < CALLS:
        start = time.perf_counter_ns()
        frame = avatar.latest_at(None)
        if frame is None:
            looking.append(time.perf_counter_ns() - start)
    print(f"latest_at {statistics.median(looking) / 1000:.2f} µs a call (median)")
    frame = avatar.paced()
    images = []
    for _ in range(CALLS):
        start = time.perf_counter_ns()
        frame.image  # noqa: B018
        images.append(time.perf_counter_ns() - start)
    print(f"frame.image {statistics.median(images) / 1000:.2f} µs a call (median)")


if __name__ == "__main__":
    main()
