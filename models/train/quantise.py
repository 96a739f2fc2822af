"""An 8-bit variant of a trained network, for processors with VNNI: measured beside the original, not shipped.

    python quantise.py ../toon/toon.onnx --data DATA --out toon-int8.onnx

The first and the last convolutions and the style maps stay in floating point: they carry the picture's colours.
On processors without 8-bit dot products the result may saturate: compare pictures there before use.
"""
import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from people import Array, Segmenter, session
from styles import STYLES

KEPT = ("stem2", "head", "pen2", "up2", "shift", "scale")


class Crops(CalibrationDataReader):
    """Faces in every style."""

    def __init__(self, files: list[Path]):
        self.pairs = iter([(f, i) for f in files for i in range(len(STYLES))])

    def get_next(self) -> dict[str, Array] | None:
        pair = next(self.pairs, None)
        return feed(*pair, 256) if pair else None


def feed(file: Path, style: int, side: int) -> dict[str, Array]:
    photo = np.load(file, mmap_mode="r")[:side, :side, :3].astype(np.float32) / 255
    weights = np.zeros((1, len(STYLES), photo.shape[0] // 16, photo.shape[1] // 16), np.float32)
    weights[:, style] = 1
    people = Segmenter().cells(photo)[None, None]
    return {"image": np.ascontiguousarray(photo.transpose(2, 0, 1)[None]), "style": weights, "people": people}


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model", type=Path)
    a.add_argument("--data", type=Path, required=True)
    a.add_argument("--out", type=Path, required=True)
    a = a.parse_args()
    files = sorted((a.data / "train").glob("*-close.npy"))[:8]
    assert len(files) > 2, f"too few close-ups to calibrate with: {a.data}"
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(str(a.model), str(plain), skip_symbolic_shape=True)
        kept = [n.name for n in onnx.load(plain).graph.node if any(k in " ".join(n.input) for k in KEPT)]
        quantize_static(str(plain), str(a.out), Crops(files[2:]), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, op_types_to_quantize=["Conv"], nodes_to_exclude=kept)
    nets = [session(a.model), session(a.out)]
    changes, spent = [], [[], []]
    for i in range(len(STYLES)):
        x = feed(files[0], i, 512)
        for _ in range(3):
            pictures = []
            for net, times in zip(nets, spent):
                start = time.perf_counter()
                pictures.append(net.run(None, x)[0])
                times.append(1000 * (time.perf_counter() - start))
        changes.append(255 * float(np.abs(pictures[0] - pictures[1]).mean()))
    print(f"{min(spent[0]):.1f} ms before, {min(spent[1]):.1f} ms after, one thread; {a.out.stat().st_size / 2**20:.2f} MiB; "
          f"change of the drawing {np.mean(changes):.2f}/255, worst style {max(changes):.2f}/255")


if __name__ == "__main__":
    main()
