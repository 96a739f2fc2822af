"""Make training data: photos in, pairs of photo and drawings out.

    python data.py PHOTOS --teachers FOLDER --out DATA [--jobs 2]

Each photo gives one array at each of `SIDES` (uint8, H x W x (3 + 3 a style + 1): photo, drawings, matte). Those that
show a face give more: a close-up, often in another light, for most a second scene, the person smaller,
elsewhere, in other light, before another background, and far scenes as a webcam or a kiosk shows people, one of them
held out. `NAME.json` beside an array has the first face and its lightness.
A quarter of the photos, fixed by their names, is held out for evaluation. Can be interrupted and run again.
"""
import argparse
import hashlib
import json
import random
import tomllib
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatch
from pathlib import Path

import cv2
import numpy as np

from people import Array, Face
from styles import STYLES, Style, read_style
from teacher import Scene, Teacher, draw

SIDES = (512, 320)
SCENES = 0.6            # share of the faces that get a second scene
SCENE, FAR = (512, 384), (448, 256)     # sizes of scenes near and far: FAR is what panelcam draws on a small machine
FAR_FACES = (36, 90)    # widths of faces there, in pixels
FAR_SCENES = 2          # a face
RELIT = 0.5             # share of the close-ups that are lit anew
PICTURES = (".jpg", ".jpeg", ".png", ".webp")
# Shown in reports, so always held out.
SHOWN = ("skimage_astronaut", "kodak_04", "kodak_15", "pexels_gl2blazepose_pexels-anthony-shkraba-4662345")
HERE = Path(__file__).parent


def held_out(name: str) -> bool:
    return name in SHOWN or hashlib.sha256(name.encode()).digest()[0] < 64


def collection_of(file: Path) -> dict | None:
    collections = tomllib.loads((HERE / "collections.toml").read_text())["collections"]
    return next((c for c in collections if fnmatch(file.name, c["match"])), None)


def read(file: Path, side: int) -> Array | None:
    """A photo as RGB 0..1 with `side` as its longer side, both sides multiples of 16. None when it is no picture."""
    bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)       # turns by EXIF, drops alpha, makes grey three channels
    if bgr is None or min(bgr.shape[:2]) < 64:
        return None
    scale = side / max(bgr.shape[:2])
    photo = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    h, w = (v // 16 * 16 for v in photo.shape[:2])
    return np.ascontiguousarray(photo[:h, :w, ::-1]).astype(np.float32) / 255


def pair(scene: Scene, styles: tuple[Style, ...]) -> Array:
    parts = [scene.photo, *(draw(scene, s) for s in styles), scene.matte[..., None]]
    return (np.concatenate(parts, -1) * 255).round().clip(0, 255).astype(np.uint8)


def another_scene(scene: Scene, background: Array, rng: random.Random) -> tuple[Array, Array]:
    """The person at webcam distance before another background, lit from one side, in another light."""
    return composed(scene, background, rng, SCENE, rng.uniform(0.5, 0.95) * SCENE[1] / scene.photo.shape[0], 3.0)


def far_scene(scene: Scene, background: Array, rng: random.Random) -> tuple[Array, Array]:
    """The same from farther away, as small as the live program draws: a face there has few pixels for each eye."""
    x = scene.faces[0].points[:, 0]
    return composed(scene, background, rng, FAR, rng.uniform(*FAR_FACES) / float(x.max() - x.min()), 1.5)


def composed(scene: Scene, background: Array, rng: random.Random, size: tuple[int, int], scale: float, softest: float) -> tuple[Array, Array]:
    """The person, `scale` times as large, before a background that is blurred by at most `softest` pixels: picture and matte."""
    w, h = size
    fg = cv2.resize(scene.photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(scene.matte, fg.shape[1::-1], interpolation=cv2.INTER_AREA)[..., None]
    if rng.random() < 0.5:
        fg, alpha = fg[:, ::-1], alpha[:, ::-1]
    s = max(h / background.shape[0], w / background.shape[1])
    bg = cv2.resize(background, None, fx=s, fy=s, interpolation=cv2.INTER_AREA)[:h, :w]
    out = cv2.GaussianBlur(bg, (0, 0), rng.uniform(0.3, softest)) * rng.uniform(0.5, 1.0)
    # Bottom edge on the bottom of the frame, or below it: the portrait's cut must not become an edge in the air.
    y, x = max(0, h - fg.shape[0]), rng.randint(-fg.shape[1] // 5, w - fg.shape[1] * 4 // 5)
    x0, x1 = max(0, x), min(w, x + fg.shape[1])
    cut = fg[:h - y, x0 - x:x1 - x]
    side = np.linspace(rng.uniform(0.45, 1.15), rng.uniform(0.45, 1.15), cut.shape[1])[None, :, None]
    lit = cut * side * np.array([rng.uniform(0.85, 1.1) for _ in range(3)])
    a = alpha[:h - y, x0 - x:x1 - x]
    out[y:, x0:x1] = lit * a + out[y:, x0:x1] * (1 - a)
    matte = np.zeros((h, w), np.float32)
    matte[y:, x0:x1] = a[..., 0]
    return out.clip(0, 1).astype(np.float32), matte


def close_up(photo: Array, face: Face, rng: random.Random) -> Array:
    """The face as a kiosk or a webcam shows it: it fills about half of the frame, not always in the middle."""
    centre, width = face.points.mean(0), face.box[2] - face.box[0]
    h, w = photo.shape[:2]
    side = min(width * rng.uniform(1.5, 2.6), h, w)
    corner = centre - side / 2 + np.array([rng.uniform(-0.18, 0.18), rng.uniform(-0.10, 0.14)]) * side
    x, y = (int(np.clip(v, 0, full - side)) for v, full in zip(corner, (w, h)))
    crop = photo[y:y + int(side), x:x + int(side)]
    shrink = side > 512
    return cv2.resize(crop, (512, 512), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC).clip(0, 1)


def relit(photo: Array, rng: random.Random) -> Array:
    """Light from one side, coloured, softer or harder."""
    h, w = photo.shape[:2]
    x, y = np.meshgrid(np.linspace(-1, 1, w), np.linspace(-1, 1, h))
    angle, dark = rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 0.6)
    slope = np.clip(0.5 + 0.5 * (x * np.cos(angle) + y * np.sin(angle)), 0, 1)
    colour = np.array([rng.uniform(0.85, 1.1) for _ in range(3)])
    lit = photo ** rng.uniform(0.85, 1.2) * (1 - dark * slope[..., None]) * colour * rng.uniform(0.75, 1.15)
    return lit.clip(0, 1).astype(np.float32)


_teacher: Teacher | None = None


def make(file: Path, backgrounds: list[Path], folder: Path, out: Path, styles: tuple[Style, ...] = STYLES) -> str:
    """All arrays of one photo. Returns what to tell the user, empty when all went well."""
    global _teacher
    cv2.setNumThreads(1)
    _teacher = _teacher or Teacher(folder)
    done = out / f".{file.stem}.done"
    if done.exists():
        return ""
    rng = random.Random(file.name)
    photo = read(file, max(SIDES))
    if photo is None:
        return f"skipped, not a picture that can be read: {file.name}"
    scene = _teacher.look(photo)
    train = out.name == "train"

    def save(name: str, s: Scene) -> None:
        target = out / f"{file.stem}-{name}.npy"
        if target.exists():
            return
        if s.complexions:
            face = s.faces[0]
            facts = {"face": [round(float(v)) for v in (*face.points.min(0), *face.points.max(0))],
                     "lightness": round(float(s.complexions[0].tone[0]), 1), "beard": bool((s.beard > 0.5).any())}
            target.with_suffix(".json").write_text(json.dumps(facts))
        temporary = target.with_suffix(".tmp")
        with temporary.open("wb") as f:
            np.save(f, pair(s, styles))
        temporary.rename(target)

    # The smaller one redraws the same low picture: one pass of the slow network does for both.
    for side in SIDES if train else SIDES[:1]:
        h, w = (round(v * side / max(SIDES)) // 16 * 16 for v in photo.shape[:2])
        small = scene.scaled(side / max(SIDES)) if side != max(SIDES) else scene
        if min(h, w) >= 192:
            save(str(side), small.cropped(h, w))
    if scene.faces and scene.faces[0].eye_distance > 24:
        large = read(file, 1600)
        if large is not None:
            near = close_up(large, scene.faces[0].scaled(max(large.shape) / max(photo.shape)), rng)
            save("close", _teacher.look(relit(near, rng) if train and rng.random() < RELIT else near))
    if train and backgrounds and scene.faces and scene.faces[0].eye_distance > 40 and rng.random() < SCENES:
        ground = read(rng.choice(backgrounds), 512)
        if ground is not None:
            save("scene", _teacher.look(*another_scene(scene, ground, rng)))
    # Last, with chance of its own: the others stay what they were.
    rng = random.Random(file.name + " far")
    if backgrounds and scene.faces and scene.faces[0].eye_distance > 24:
        for n in range(FAR_SCENES if train else 1):
            ground = read(rng.choice(backgrounds), 512)
            if ground is not None:
                save(f"far{n + 1}", _teacher.look(*far_scene(scene, ground, rng)))
    done.touch()
    return ""


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("photos", type=Path)
    a.add_argument("--teachers", type=Path, required=True, help="folder with the ONNX files that README.md lists")
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--jobs", type=int, default=1)
    a.add_argument("--only", choices=("train", "test"), help="draw only this part")
    a.add_argument("--style", type=Path, help="draw one style, from such a file, instead of those the network has: for extend.py")
    a.add_argument("--limit", type=int, help="only so many photos")
    a = a.parse_args()
    styles = (read_style(a.style),) if a.style else STYLES
    files = sorted((f for f in a.photos.rglob("*") if f.suffix.lower() in PICTURES),
                   key=lambda f: (held_out(f.stem), hashlib.sha256(f.stem.encode()).digest()[::-1]))
    used = []
    for file in files:
        if collection_of(file) is None:
            print("skipped, of no known collection:", file.name)
            continue
        used.append(file)
    for split in ("train", "test"):
        (a.out / split).mkdir(parents=True, exist_ok=True)
    used = used[:a.limit]
    grounds = [f for f in used if not collection_of(f).get("portraits") and not held_out(f.stem)]
    with ProcessPoolExecutor(a.jobs) as pool:
        jobs = {}
        for file in used:
            split = "test" if held_out(file.stem) else "train"
            if a.only in (None, split):
                jobs[pool.submit(make, file, grounds, a.teachers, a.out / split, styles)] = file.name
        for n, job in enumerate(as_completed(jobs), 1):
            # One bad photo must not end an hour's work.
            trouble = f"skipped, {jobs[job]}: {error}" if (error := job.exception()) else job.result()
            if trouble:
                print(trouble, flush=True)
            if n % 20 == 0 or n == len(jobs):
                print(f"{n}/{len(jobs)} photos drawn", flush=True)


if __name__ == "__main__":
    main()
