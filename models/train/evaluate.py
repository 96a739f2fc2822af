"""Measure a trained network on the held-out photos and write REPORT.md and contact-sheet.jpg beside it.

    python evaluate.py ../toon/toon.onnx --data DATA --teachers FOLDER [--beside OTHER.onnx ...]

The network in 8 bits is measured as well when it lies beside the model. `--beside` times other image-to-image networks in the same run, one after the other, so that a busy machine is fair to all.
"""
import argparse
import platform
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from data import FAR, FAR_FACES, SHOWN
from halftone import printed
from people import CHEEK_FLATS, Array, Face, Segmenter, Vision, session
from styles import STYLES

Rows = dict[str, list[float]]
BY_HAND = "\n## What is weak"
MAPPED = ", style map of four parts"


class Student:
    def __init__(self, path: Path, threads: int = 1):
        self.net = session(path, threads)
        self.segmenter = Segmenter()
        self.styles = self.net.get_inputs()[1].shape[1]

    def draw(self, photo: Array, style: int) -> tuple[Array, Array]:
        h, w = photo.shape[:2]
        weights = np.zeros((1, self.styles, h // 16, w // 16), np.float32)
        weights[:, style] = 1
        people = self.segmenter.cells(photo)[None, None]
        picture, matte = self.net.run(None, {"image": photo.transpose(2, 0, 1)[None], "style": weights, "people": people})
        return picture[0].transpose(1, 2, 0), matte[0, 0]


def grey(x: Array) -> Array:
    return cv2.cvtColor(np.ascontiguousarray(x, np.float32), cv2.COLOR_RGB2GRAY)


def ssim(a: Array, b: Array) -> float:
    a, b = grey(a), grey(b)
    blur = lambda x: cv2.GaussianBlur(x, (11, 11), 1.5)
    ma, mb = blur(a), blur(b)
    va, vb, vab = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    return float((((2 * ma * mb + 1e-4) * (2 * vab + 9e-4)) / ((ma ** 2 + mb ** 2 + 1e-4) * (va + vb + 9e-4))).mean())


def ink(x: Array) -> Array:
    """Pixels clearly darker than what surrounds them."""
    g = grey(x)
    return (cv2.GaussianBlur(g, (0, 0), 4) - g > 0.10).astype(np.uint8)


def f_score(a: Array, b: Array) -> float:
    near = np.ones((3, 3), np.uint8)
    precision = (a & cv2.dilate(b, near)).sum() / max(1, a.sum())
    recall = (b & cv2.dilate(a, near)).sum() / max(1, b.sum())
    return float(2 * precision * recall / max(1e-6, precision + recall))


def flat_share(x: Array) -> float:
    g = grey(x)
    return float((np.hypot(cv2.Sobel(g, -1, 1, 0), cv2.Sobel(g, -1, 0, 1)) / 4 < 0.01).mean())


def edge(mask: Array) -> Array:
    return cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))


def cheek(lab: Array, points: Array, eye_distance: float) -> Array:
    spots = []
    for i in CHEEK_FLATS:
        x, y = (int(v) for v in points[i])
        r = max(2, int(0.10 * eye_distance))
        spots.append(lab[max(0, y - r):y + r + 1, max(0, x - r):x + r + 1].reshape(-1, 3))
    return np.concatenate(spots).mean(0)


def aside(x: Array, dx: float) -> Array:
    """The picture moved by a part of a pixel."""
    return cv2.warpAffine(x, np.float32([[1, 0, dx], [0, 1, dx]]), x.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def change(student: Student, style: int, before: Array, after: Array, drawn_before: Array | None = None) -> float:
    """Mean change of the drawing over mean change of the picture."""
    a = student.draw(before, style)[0] if drawn_before is None else drawn_before
    return float(np.abs(a - student.draw(after, style)[0]).mean() / max(1e-6, np.abs(before - after).mean()))


def likeness(vision: Vision, face: Face, photo: Array, drawing: Array, row: Rows) -> tuple[Array, Array]:
    """Looks for the photo's face in its drawing and adds what is found to `row`. Returns the cheeks' Lab in both."""
    lab = lambda x: cv2.cvtColor(np.ascontiguousarray(x, np.float32), cv2.COLOR_RGB2LAB)
    drawn = vision.faces(np.ascontiguousarray(drawing), 0.3)
    match = [f for f in drawn if np.linalg.norm(f.points[4] - face.points[4]) < face.eye_distance]
    row["found"].append(float(bool(match)))
    if match:
        row["landmark"].append(float(np.linalg.norm(match[0].points[:468] - face.points[:468], axis=1).mean() / face.eye_distance))
    return cheek(lab(photo), face.points, face.eye_distance), cheek(lab(drawing), face.points, face.eye_distance)


def complexion(row: Rows, pairs: list[tuple[Array, Array]], grey: bool) -> None:
    """How far skin is from the photo's, over all faces, after what the style does to all of them is taken off."""
    inputs, outputs = (np.array(v) for v in zip(*pairs))
    shift = outputs - inputs
    if grey:                                            # lightness only
        shift[:, 1:] = 0
    rest = np.linalg.norm(shift - shift.mean(0), axis=1)
    groups = [rest[(inputs[:, 0] >= lo) & (inputs[:, 0] < hi)] for lo, hi in ((0, 50), (50, 60), (60, 70), (70, 101))]
    row["skin"] = [float(rest.mean())]
    row["skin_groups"] = [float(g.mean()) if len(g) else float("nan") for g in groups]
    row["group_sizes"] = [float(len(g)) for g in groups]
    row["slope"] = [float(np.polyfit(inputs[:, 0], outputs[:, 0], 1)[0])]


def teachers_own(vision: Vision, files: list[Path]) -> list[Rows]:
    """Likeness of the teacher's own drawings: what a student can hope for."""
    rows: list[Rows] = [{"landmark": [], "found": []} for _ in STYLES]
    skins: list[list[tuple[Array, Array]]] = [[] for _ in STYLES]
    for file in files:
        array = np.load(file).astype(np.float32) / 255
        photo = np.ascontiguousarray(array[..., :3])
        for face in vision.faces(photo)[:1]:
            for i in range(len(STYLES)):
                skins[i].append(likeness(vision, face, photo, array[..., 3 + 3 * i:6 + 3 * i], rows[i]))
    for row, pairs, style in zip(rows, skins, STYLES):
        complexion(row, pairs, style.chroma < 0.1)
    return rows


def measure(student: Student, vision: Vision, files: list[Path]) -> tuple[list[Rows], Rows]:
    rows: list[Rows] = [{k: [] for k in "ssim photo ink flat teacher_flat landmark found calm moved light".split()} for _ in STYLES]
    skins: list[list[tuple[Array, Array]]] = [[] for _ in STYLES]
    cuts: Rows = {"iou": [], "edge": [], "shown iou": [], "shown edge": []}
    noise = np.random.default_rng(0)
    for n, file in enumerate(files):
        array = np.load(file).astype(np.float32) / 255
        photo, truth = np.ascontiguousarray(array[..., :3]), array[..., -1]
        faces = vision.faces(photo)
        small = cv2.resize(photo, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
        small = np.ascontiguousarray(small[:small.shape[0] // 16 * 16, :small.shape[1] // 16 * 16])
        shaken = [(small + noise.normal(0, 2.5 / 255, small.shape)).clip(0, 1).astype(np.float32) for _ in range(2)]
        for i in range(student.styles):
            picture, matte = student.draw(photo, i)
            target, r = array[..., 3 + 3 * i:6 + 3 * i], rows[i]
            r["ssim"].append(ssim(picture, target))
            r["photo"].append(ssim(photo, target))
            r["ink"].append(f_score(ink(picture), ink(target)))
            r["flat"].append(flat_share(picture))
            r["teacher_flat"].append(flat_share(target))
            if n % 4 == 0:
                r["calm"].append(change(student, i, *shaken))
                still = student.draw(small, i)[0]
                moved, brighter = aside(small, 0.5), (small * 1.03).clip(0, 1)
                r["moved"].append(change(student, i, small, moved, aside(still, 0.5)))
                r["light"].append(change(student, i, small, brighter, still))
            if faces:
                skins[i].append(likeness(vision, faces[0], photo, picture, r))
        if truth.max() > 0.5:
            b = (truth > 0.5).astype(np.uint8)
            for kind, found in (("", matte), ("shown ", student.segmenter.matte(photo, matte))):
                a = (found > 0.5).astype(np.uint8)
                cuts[kind + "iou"].append(float((a & b).sum() / max(1, (a | b).sum())))
                cuts[kind + "edge"].append(f_score(edge(a), edge(b)))
        if n % 20 == 0:
            print(f"{n}/{len(files)} photos measured", flush=True)
    for r, pairs, style in zip(rows, skins, STYLES):
        if pairs:
            complexion(r, pairs, style.chroma < 0.1)
    return rows, cuts


def speed(paths: list[Path], repeats: int = 25) -> dict[tuple[str, int], float]:
    """Least ms for 512 x 512, by file name and threads. Networks take turns, so that disturbances hit all of them."""
    out = {}
    for threads in (1, 2):
        nets = [(p.name, session(p, threads)) for p in paths]
        nets.insert(1, (nets[0][0] + MAPPED, nets[0][1]))
        feeds = []
        for name, net in nets:
            feed = {}
            for i in net.get_inputs():
                shape = [d if isinstance(d, int) else None for d in i.shape]
                if i.name == "style":
                    feed[i.name] = np.zeros((1, shape[1], 32, 32), np.float32)
                    if name.endswith(MAPPED):           # four quarters in four styles, the last a blend
                        for n, (y, x) in enumerate(((0, 0), (0, 16), (16, 0), (16, 16))):
                            feed[i.name][:, n, y:y + 16, x:x + 16] = 1 if n < 3 else 0.5
                    else:
                        feed[i.name][:, 0] = 1
                elif i.name == "people":
                    feed[i.name] = np.full((1, 1, 32, 32), 0.5, np.float32)
                else:
                    nhwc = shape[-1] == 3
                    feed[i.name] = np.random.rand(*((1, 512, 512, 3) if nhwc else (1, 3, 512, 512))).astype(np.float32)
            feeds.append(feed)
        times = [[] for _ in nets]
        for _ in range(repeats):
            for (_, net), feed, spent in zip(nets, feeds, times):
                start = time.perf_counter()
                net.run(None, feed)
                spent.append(1000 * (time.perf_counter() - start))
        for (name, _), spent in zip(nets, times):
            out[name, threads] = min(spent)
    return out


def contact_sheet(student: Student, files: list[Path], out: Path, width: int = 224) -> None:
    """Whole pictures, a photo a row: itself, then the styles."""
    rows = []
    for file in files:
        photo = np.load(file)[..., :3].astype(np.float32) / 255
        h, w = photo.shape[:2]
        height = min(width, round(width * h / w))
        pictures = [photo] + [student.draw(photo, i)[0] for i in range(student.styles)]
        tiles = [np.ones((height, width, 3), np.float32) for _ in pictures]
        for tile, picture, style in zip(tiles, pictures, (None, *STYLES)):
            small = cv2.resize(picture, (round(w * height / h), height), interpolation=cv2.INTER_AREA)[:, :width]
            small = printed(small, style, 6) if style else small
            x = (width - small.shape[1]) // 2
            tile[:, x:x + small.shape[1]] = small
        rows.append(np.hstack(tiles))
    sheet = (np.vstack(rows) * 255).round().astype(np.uint8)
    cv2.imwrite(str(out), np.ascontiguousarray(sheet[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])


def mean(values: list[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def far_table(rows: list[Rows], styles: int, files: int) -> list[str]:
    lines = [f"People as far away as a webcam or a kiosk sees them: {files} scenes of {FAR[0]}x{FAR[1]}, which is what panelcam draws on a small machine, faces {FAR_FACES[0]} to "
             f"{FAR_FACES[1]} px wide:", "", "| style | SSIM with the teacher (bare photo) | ink F-score | landmark shift, faces found |", "| --- | --- | --- | --- |"]
    for style, r in zip(STYLES, rows[:styles]):
        lines.append(f"| {style.id} | {mean(r['ssim']):.3f} ({mean(r['photo']):.2f}) | {mean(r['ink']):.2f} | "
                     f"{100 * float(np.median(r['landmark'])):.1f} %, {100 * mean(r['found']):.0f} % |")
    return lines + [""]


def teacher_table(rows: list[Rows]) -> list[str]:
    lines = ["The teacher's own drawings, in the columns that compare with the photo. The student learns these, so it comes no nearer but by chance:", "",
             "| style | skin ΔE (worst tone group) | slope of skin L* | landmark shift, faces found |", "| --- | --- | --- | --- |"]
    for style, r in zip(STYLES, rows):
        lines.append(f"| {style.id} | {r['skin'][0]:.1f} ({np.nanmax(r['skin_groups']):.1f}) | {r['slope'][0]:.2f} | {100 * float(np.median(r['landmark'])):.1f} %, {100 * mean(r['found']):.0f} % |")
    return lines + [""]


def eight_bit_table(rows: list[Rows], size: int) -> list[str]:
    """What 8 bits cost, in the columns of the first table where they could."""
    lines = [f"In 8 bits, as panelcam draws on processors with VNNI (`quantise.py`; {size / 2**20:.2f} MiB):", "",
             "| style | SSIM with the teacher | ink F-score | flat share | skin ΔE | slope of skin L* | calm: noise, shift, light |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for style, r in zip(STYLES, rows):
        lines.append(f"| {style.id} | {mean(r['ssim']):.3f} | {mean(r['ink']):.2f} | {mean(r['flat']):.2f} | {r['skin'][0]:.1f} | {r['slope'][0]:.2f} | "
                     f"{mean(r['calm']):.2f}, {mean(r['moved']):.2f}, {mean(r['light']):.2f} |")
    return lines + [""]


def report(path: Path, student: Student, rows: list[Rows], cuts: Rows, others: list[str], times: dict, files: int) -> str:
    faces = int(sum(rows[0]["group_sizes"])) if "group_sizes" in rows[0] else 0
    lines = ["# What the Toon network reaches", "",
             f"Measured by `models/train/evaluate.py` on {files} photos kept out of training, {faces} of them with a face,",
             "at 512 px, on the exported ONNX file. The pictures: `contact-sheet.jpg`, left the photo, then the styles in the order of the table, manga and pop with the dots that panelcam prints.", "",
             "| style | SSIM with the teacher (bare photo) | ink F-score | flat share: student, teacher | skin ΔE (worst tone group) | slope of skin L* | landmark shift, faces found | calm: noise, shift, light |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for style, r in zip(STYLES, rows[:student.styles]):
        lines.append(f"| {style.id} | {mean(r['ssim']):.3f} ({mean(r['photo']):.2f}) | {mean(r['ink']):.2f} | {mean(r['flat']):.2f}, {mean(r['teacher_flat']):.2f} | "
                     f"{r['skin'][0]:.1f} ({np.nanmax(r['skin_groups']):.1f}) | {r['slope'][0]:.2f} | {100 * float(np.median(r['landmark'])):.1f} %, {100 * mean(r['found']):.0f} % | {mean(r['calm']):.2f}, {mean(r['moved']):.2f}, {mean(r['light']):.2f} |")
    sizes = [int(v) for v in rows[0].get("group_sizes", [])]
    lines += ["", "Skin ΔE by tone group, the photo's cheek L* and the number of faces:", "",
              f"| style | under 50 ({sizes[0]}) | 50-60 ({sizes[1]}) | 60-70 ({sizes[2]}) | over 70 ({sizes[3]}) |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {style.id} | " + " | ".join(f"{v:.1f}" for v in r["skin_groups"]) + " |" for style, r in zip(STYLES, rows[:student.styles])]
    lines += ["", *others, f"Matte against the fused segmenters: the network's own IoU {mean(cuts['iou']):.3f}, boundary F-score (1 px) {mean(cuts['edge']):.2f}; as panelcam shows it, "
              f"where the segmenter beside it decides (`models/people`, one of those the masks were fused from), IoU {mean(cuts['shown iou']):.3f}, boundary F-score {mean(cuts['shown edge']):.2f}.", "",
              f"File: {path.stat().st_size / 2**20:.2f} MiB.", ""]
    if times:
        lines += [f"Least time for 512 x 512 in one interleaved run, ONNX Runtime {ort.__version__}, {platform.machine()}, CPU; the machine was not quiet, compare within a column:", "",
                  "| network | 1 thread, ms | 2 threads, ms |", "| --- | --- | --- |"]
        for name in dict.fromkeys(n for n, _ in times):
            lines.append(f"| {name} | {times[name, 1]:.1f} | {times[name, 2]:.1f} |")
        lines.append("")
    lines += ["- **SSIM, ink**: how faithfully the network repeats the teacher's drawing. Ink: pixels clearly darker than their surroundings, 1 px tolerance.",
              "- **flat share**: pixels without visible slope.",
              "- **skin ΔE**: the mean CIELAB of both cheeks against the photo's, after the style's mean shift is taken off; manga: lightness only.",
              "- **landmark shift**: mean over 468 landmarks found in drawing and photo, in eye distances, median over faces.",
              "- **calm**: change of the drawing over change of the picture at 384 px: webcam noise of sigma 2.5/255; half a pixel aside (against the drawing moved as far);",
              "  3 % more light.", ""]
    return "\n".join(lines)


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model", type=Path)
    a.add_argument("--data", type=Path, required=True)
    a.add_argument("--teachers", type=Path, required=True)
    a.add_argument("--beside", type=Path, nargs="*", default=[])
    a.add_argument("--repeats", type=int, default=25, help="timed runs of each network")
    a.add_argument("--limit", type=int, help="measure only so many photos")
    a = a.parse_args()
    cv2.setNumThreads(1)            # the networks' threads are what is timed
    student = Student(a.model)
    files = sorted((a.data / "test").glob("*-512.npy"))
    if a.limit:                     # spread evenly
        files = files[::-(-len(files) // a.limit)]
    vision = Vision(a.teachers)
    rows, cuts = measure(student, vision, files)
    away = sorted((a.data / "test").glob("*-far1.npy"))
    if a.limit:
        away = away[::-(-len(away) // a.limit)]
    far = far_table(measure(student, vision, away)[0], student.styles, len(away)) if away else []
    eight_bit = a.model.with_name(f"{a.model.stem}-8bit.onnx")
    coarse = eight_bit_table(measure(Student(eight_bit), vision, files)[0], eight_bit.stat().st_size) if eight_bit.exists() else []
    own = teacher_table(teachers_own(vision, files))
    times = speed([a.model, *([eight_bit] if coarse else []), *a.beside], a.repeats)
    text = report(a.model, student, rows, cuts, own + far + coarse, times, len(files))
    # What is written by hand stays.
    old = a.model.parent / "REPORT.md"
    by_hand = old.read_text().partition(BY_HAND) if old.exists() else ("", "", "")
    old.write_text(text + "".join(by_hand[1:]))
    # Only pictures that may be published; whole and as close-ups.
    # Pictures that may be shown to anybody: the public domain ones.
    shown = [f"{n}-{kind}.npy" for n in SHOWN if not n.startswith("pexels") for kind in ("512", "close")]
    contact_sheet(student, [f for n in shown if (f := a.data / "test" / n).exists()], a.model.parent / "contact-sheet.jpg")
    print(text)


if __name__ == "__main__":
    main()
