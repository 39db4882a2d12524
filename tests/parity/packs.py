"""Running a pack's networks with ONNX Runtime from Python, and looking at what lies before their last rounding."""
import contextlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

LEVELS = {
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
}
# What stands between a decoder's last convolution, or a parser's logits, and the bytes that leave the graph.
ENDING = {"Cast", "Round", "Clip", "Min", "Max", "Transpose", "ArgMax", "Squeeze"}


class Pack:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.manifest = json.loads((self.folder / "pack.json").read_text())
        self.networks = self.manifest["networks"]
        self.precision = self.manifest.get("precision", "fp32")

    def graphs(self, role):
        """(label, precision, file) of every graph of a network.

        An fp16 pack has a widened graph, which a CPU runs, beside its own; the networks that prepare avatars stay fp32 in it.
        """
        entry = self.networks[role]
        if "widened" in entry:
            return [("fp16 widened", "fp16", entry["widened"]), ("fp16 graph", "fp16", entry["file"])]
        label = "fp32" if self.precision == "fp32" else f"fp32, in the {self.precision} pack"
        return [(label, "fp32", entry["file"])]

    def options(self, role, threads=None):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = LEVELS[self.networks[role].get("optimisation", "all")]
        options.inter_op_num_threads = 1
        # Threads that spin between calls would take the processor from whatever has its turn next.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads:
            options.intra_op_num_threads = threads
        return options

    def session(self, role, file, threads=None):
        return onnxruntime.InferenceSession(
            str(self.folder / file), self.options(role, threads), providers=["CPUExecutionProvider"])

    @contextlib.contextmanager
    def probed(self, role, file):
        """A session that also puts out what enters the ending, and the name of that."""
        model = onnx.load(self.folder / file, load_external_data=False)
        makers = {name: node for node in model.graph.node for name in node.output}
        inner = model.graph.output[0].name
        while inner in makers and makers[inner].op_type in ENDING:
            inner = makers[inner].input[0]
        if inner == model.graph.output[0].name:
            raise SystemExit(f"{file}: no rounding found before {inner}")
        model.graph.output.append(onnx.ValueInfoProto(name=inner))
        # Beside hard links to the pack's files, because weights are named relative to the graph.
        with tempfile.TemporaryDirectory(dir=self.folder.parent, prefix="probe-") as folder:
            for other in self.folder.iterdir():
                if other.name != file and other.suffix == ".data":
                    os.link(other, Path(folder) / other.name)
            path = Path(folder) / file
            path.write_bytes(model.SerializeToString())
            del model, makers
            yield onnxruntime.InferenceSession(
                str(path), self.options(role), providers=["CPUExecutionProvider"]), inner


def run(session, inputs, extra=()):
    """Outputs by name, halves as floats."""
    names = [output.name for output in session.get_outputs() if output.name not in extra] + list(extra)
    values = session.run(names, inputs)
    return {name: value.astype(np.float32) if value.dtype == np.float16 else value for name, value in zip(names, values)}
