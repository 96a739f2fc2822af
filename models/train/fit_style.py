"""Fit a style to a comic: 10 to 50 of its pictures in, one style out.

    python fit_style.py COMIC --photos PHOTOS --teachers TEACHERS --out ninth.toml [--id ninth --en "Ninth" --ko "아홉째"]

The same figures are taken from the comic and from what the teacher draws: how lightness and colour are spread, how much
is flat, how much is line and how wide and dark the lines are, what the paper is. The teacher's numbers are then moved,
one after the other, until its drawings of some photos have the comic's figures. Pictures that cannot be used are
skipped with a line that says why. Use only comics whose licence lets you.
"""
import argparse
import random
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np

from data import PICTURES, read
from people import Array
from styles import Style, write_style
from teacher import Scene, Teacher, draw

SIDE, FEWEST, MOST = 512, 5, 60
# What may be moved: name, least, most, first step.
KNOBS = (("gain", 0.6, 1.3, 0.12), ("offset", -20, 35, 8), ("gamma", 0.6, 1.4, 0.15), ("chroma", 0.0, 2.2, 0.3),
         ("tint.0", -20, 20, 5), ("tint.1", -20, 30, 5), ("shadow_tint.0", -25, 25, 5), ("shadow_tint.1", -30, 25, 5),
         ("band", 6, 30, 5), ("mix", 0.4, 1.0, 0.2), ("crisp", 2, 11, 2), ("line_sigma", 0.6, 2.2, 0.3),
         ("line_eps", -0.012, 0.002, 0.003), ("line_weight", 0.2, 1.0, 0.2), ("background_fade", 0.0, 0.7, 0.15),
         ("background_lines", 0.1, 0.9, 0.25), ("hard_black", 0, 34, 10), ("glow", 0.0, 0.4, 0.1), ("pigment", 0.0, 2.0, 0.6),
         ("outline", 0.3, 1.0, 0.25))


def figures(picture: Array) -> Array:
    """What a drawing looks like, as numbers of about the same weight."""
    lab = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2LAB)
    l, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    light = l > np.median(l)
    tint = lambda mask: lab[mask][:, 1:].mean(0) / 5 if mask.any() else np.zeros(2)
    slope = np.hypot(cv2.Sobel(l, -1, 1, 0), cv2.Sobel(l, -1, 0, 1)) / 4
    lines = line_mask(l)
    depth = (cv2.GaussianBlur(l, (0, 0), 4) - l)[lines]
    return np.concatenate([
        np.percentile(l, [5, 15, 30, 50, 70, 85, 95]) / 12,
        np.percentile(chroma, [30, 60, 90]) / 8,
        tint(light), tint(~light),
        [8 * (slope < 1.0).mean(), 5 * (slope < 3.0).mean(), 25 * lines.mean(), 3 * width_of(lines),
         (depth.mean() if depth.size else 0) / 8, 6 * (l < 12).mean()]])


def line_mask(l: Array) -> Array:
    """Thin dark marks: what a closing with a small disc fills, by 12 L* or more."""
    closed = cv2.morphologyEx(l, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    return closed - l > 12


def width_of(lines: Array) -> float:
    """Mean width of the marks, px: twice their area over their outline."""
    edge = lines & ~(cv2.erode(lines.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    return float(2 * lines.sum() / max(1, edge.sum()))


def panels(file: Path) -> list[Array]:
    """A page's middle and quarters as pictures of about a panel's size, without empty margins."""
    page = read(file, 2 * SIDE)
    if page is None:
        return []
    h, w = page.shape[:2]
    if max(h, w) > 6 * min(h, w):
        return []
    side = min(SIDE, h, w)
    cuts = [page[y:y + side, x:x + side] for y in {0, (h - side) // 2, h - side} for x in {0, (w - side) // 2, w - side}]
    # Lettering on an empty page says nothing about the drawing.
    return [c for c in cuts if c.std() > 0.06 and (c.mean(-1) > 0.96).mean() < 0.35]


def colours(cuts: list[Array]) -> dict:
    """What is read off directly: ink, paper, and whether lines take colour from their ground."""
    lab = np.concatenate([cv2.cvtColor(np.ascontiguousarray(c), cv2.COLOR_RGB2LAB)[::3, ::3].reshape(-1, 3) for c in cuts])
    rgb = np.concatenate([c[::3, ::3].reshape(-1, 3) for c in cuts])
    dark = lab[:, 0] <= np.percentile(lab[:, 0], 2)
    light = lab[:, 0] >= np.percentile(lab[:, 0], 92)
    marks = np.concatenate([c[line_mask(cv2.cvtColor(np.ascontiguousarray(c), cv2.COLOR_RGB2LAB)[..., 0])] for c in cuts])
    spread = float(marks.std(0).mean()) if len(marks) else 0.0
    return {"ink": tuple(round(float(v), 3) for v in np.median(rgb[dark], 0)),
            "paper_lab": tuple(round(float(v), 1) for v in np.median(lab[light], 0)),
            "line_colour": round(float(np.clip(spread * 4, 0, 0.9)), 2)}


def distance(scenes: list[Scene], style: Style, goal: Array, spread: Array) -> float:
    mean = np.mean([figures(draw(s, style)) for s in scenes], 0)
    return float(np.sqrt((((mean - goal) / spread) ** 2).mean()))


def moved(style: Style, name: str, value: float) -> Style:
    if "." not in name:
        return replace(style, **{name: value})
    field, at = name.split(".")
    pair = list(getattr(style, field))
    pair[int(at)] = value
    return replace(style, **{field: tuple(pair)})


def value_of(style: Style, name: str) -> float:
    field, _, at = name.partition(".")
    return getattr(style, field)[int(at)] if at else getattr(style, field)


def fit(scenes: list[Scene], style: Style, goal: Array, spread: Array, rounds: int) -> tuple[Style, float]:
    """Coordinate search: every knob a step up and down, steps halve when nothing helps."""
    best, steps = distance(scenes, style, goal, spread), [k[3] for k in KNOBS]
    print(f"beginning: distance {best:.3f}", flush=True)
    for turn in range(rounds):
        before = best
        for n, (name, low, high, _) in enumerate(KNOBS):
            now, better = value_of(style, name), False
            for value in (now + steps[n], now - steps[n]):
                value = float(np.clip(value, low, high))
                if value == now:
                    continue
                candidate = moved(style, name, value)
                d = distance(scenes, candidate, goal, spread)
                if d < best - 1e-4:
                    style, best, better = candidate, d, True
                    break
            if not better:
                steps[n] /= 2
        print(f"round {turn + 1}/{rounds}: distance {best:.3f}", flush=True)
        if before - best < 0.002 and turn > 2:
            break
    return style, best


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("comic", type=Path)
    a.add_argument("--photos", type=Path, required=True, help="photos with faces to try the style on")
    a.add_argument("--teachers", type=Path, required=True)
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--id", default="ninth")
    a.add_argument("--en", default="Ninth")
    a.add_argument("--ko", default="아홉째")
    a.add_argument("--rounds", type=int, default=6)
    a.add_argument("--tries", type=int, default=6, help="photos the style is tried on")
    a.add_argument("--show", type=Path, help="picture that shows comic and drawings side by side")
    a = a.parse_args()
    cv2.setNumThreads(1)
    cuts = []
    for file in sorted(f for f in a.comic.rglob("*") if f.is_file())[:MOST]:
        found = panels(file) if file.suffix.lower() in PICTURES else []
        if not found:
            print("skipped, not a picture that can be used:", file.name, flush=True)
        cuts.append(found)
    used = sum(bool(c) for c in cuts)
    assert used >= FEWEST, f"{used} pictures can be used, at least {FEWEST} are needed: {a.comic}"
    flat = [c for found in cuts for c in found]
    every = np.array([figures(c) for c in flat])
    goal, spread = np.median(every, 0), np.maximum(every.std(0), 0.35)
    print(f"{used} pictures, {len(flat)} panels measured", flush=True)

    teacher, scenes = Teacher(a.teachers), []
    photos = sorted(f for f in a.photos.iterdir() if f.suffix.lower() in PICTURES)
    random.Random(0).shuffle(photos)
    for file in photos:
        photo = read(file, 384)
        scene = teacher.look(photo) if photo is not None else None
        if scene is not None and scene.faces:
            scenes.append(scene)
        if len(scenes) == a.tries:
            break
    assert scenes, f"no photo with a face: {a.photos}"
    style, best = fit(scenes, Style(a.id, a.en, a.ko, **colours(flat)), goal, spread, a.rounds)
    # Skin takes a little of the comic's light, the same for everybody.
    style = replace(style, skin_move=(0.0, *(round(0.3 * v, 1) for v in style.tint)))
    names = {n.partition(".")[0] for n, *_ in KNOBS}
    rounded = {f.name: tuple(round(v, 4) for v in x) if isinstance(x := getattr(style, f.name), tuple) else round(x, 4)
               for f in fields(style) if f.name in names}
    write_style(replace(style, **rounded), a.out)
    print(f"{a.out}: distance {best:.3f}")
    if a.show:
        tile = lambda p: cv2.resize(p[:min(p.shape[:2]), :min(p.shape[:2])], (256, 256), interpolation=cv2.INTER_AREA)
        rows = [[flat[i] for i in np.linspace(0, len(flat) - 1, 4).astype(int)], [s.photo for s in scenes[:4]], [draw(s, style) for s in scenes[:4]]]
        sheet = np.vstack([np.hstack([tile(p) for p in row]) for row in rows])
        cv2.imwrite(str(a.show), (sheet[..., ::-1] * 255).round().astype(np.uint8))


if __name__ == "__main__":
    main()
