"""Running a program and watching what it takes: time, processor, resident memory."""
import os
import subprocess
import threading
import time
from dataclasses import dataclass

PERIOD = 0.005


@dataclass
class Taken:
    """Seconds and bytes of one run. `anonymous` is what the program itself allocated; `resident` also counts mapped files."""

    status: int
    wall: float
    processor: float
    resident: int
    anonymous: int
    output: str


def sampled(pid, peak, done):
    """The largest RssAnon, looked at every 5 ms."""
    while not done.is_set():
        try:
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                for line in file:
                    if line.startswith("RssAnon:"):
                        peak[0] = max(peak[0], int(line.split()[1]) * 1024)
        except OSError:
            return
        done.wait(PERIOD)


def run(command, quiet=True):
    """Runs it to its end; standard error passes through unless `quiet`."""
    started = time.monotonic()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT if quiet else None, text=True)
    peak, done, lines = [0], threading.Event(), []
    sampler = threading.Thread(target=sampled, args=(child.pid, peak, done))
    reader = threading.Thread(target=lambda: lines.append(child.stdout.read()))
    sampler.start()
    reader.start()
    # Not `child.wait`: only this tells what this one child took.
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    done.set()
    sampler.join()
    reader.join()
    return Taken(child.returncode, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, peak[0], lines[0])


def succeed(command):
    taken = run(command)
    if taken.status:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {taken.status}:\n{taken.output[-2000:]}")
    return taken
