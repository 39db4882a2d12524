"""Tables in results.md: one section for each program of the suite, replaced when it runs again."""
import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results.md"
TITLE = "# Parity at full size: results\n\nWritten by the programs of this folder; README.md says how.\n"


def processor():
    try:
        text = Path("/proc/cpuinfo").read_text()
        name = re.search(r"^model name\s*:\s*(.*)$", text, re.M).group(1)
        flags = set(re.search(r"^flags\s*:\s*(.*)$", text, re.M).group(1).split())
        wide = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "avx512_fp16") if flag in flags]
        return f"{name}, {os.cpu_count()} cores ({', '.join(wide)})"
    except (OSError, AttributeError):
        return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def origin(packages):
    """When, where and with what."""
    packages = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    versions = ", ".join([f"Python {platform.python_version()}", *packages])
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=RESULTS.parent, capture_output=True, text=True)
    day = datetime.date.today().isoformat()
    load = os.getloadavg()[0]
    return (f"{day}, commit {commit.stdout.strip() or 'unknown'}; {processor()}, load {load:.1f} before; "
            f"{versions}.")


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write(title, body):
    """Prints a section, and puts it in the place of an earlier one of this title."""
    section = f"## {title}\n\n{body.strip()}\n"
    print(f"\n{section}")
    text = RESULTS.read_text() if RESULTS.is_file() else TITLE
    parts = [part for part in re.split(r"(?m)^(?=## )", text) if not part.startswith(f"## {title}\n")]
    parts.append(section)
    RESULTS.write_text("\n".join(part.rstrip("\n") + "\n" for part in parts))
