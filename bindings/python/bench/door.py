"""What calls cost through the door of Python, half of them below, in nanoseconds: door.py PACK AVATAR.

Prints push, latest without a picture, a lent and returned picture, push of int16, and a picture as an array, in this order.
`cargo xtask check cost` compares them with the same calls in Rust.
"""

import statistics
import sys
import time

import musetalk
import numpy as np

ROUNDS = 4_000
#: 20 ms at 24 kHz.
CHUNK = 480


def median(call) -> int:
    """Of the calls that say they count."""
    taken = []
    while len(taken) < ROUNDS:
        start = time.perf_counter_ns()
        counts = call()
        end = time.perf_counter_ns()
        if counts:
            taken.append(end - start)
    return round(statistics.median(taken))


def main() -> None:
    engine = musetalk.Engine(sys.argv[1], device="cpu", threads=1)

    def pushing(dtype) -> int:
        with engine.open_avatar(sys.argv[2]) as avatar:
            chunk = np.zeros(CHUNK, dtype=dtype)
            return median(lambda: avatar.push(chunk) is None)

    with engine.open_avatar(sys.argv[2]) as avatar:
        floats, looking = pushing(np.float32), median(lambda: avatar.latest_at(None) is None)
        lent = median(lambda: avatar.paced() is not None)
        frame = avatar.paced()
        image = median(lambda: frame.image is not None)
    print(floats, looking, lent, pushing(np.int16), image)


if __name__ == "__main__":
    main()
