"""Train the student on what `data.py` made.

    python train.py DATA --out RUN [--minutes 240 | --steps 60000] [--start WEIGHTS]

Seeded and resumable: it goes on from RUN/state.pt when there is one. Arrays that are added to DATA while it runs are
used as they come. Uses CUDA when there is a device, else `--threads` CPU threads.
"""
import argparse
import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from critic import Judge
from people import Array, Segmenter
from student import Student, read_weights
from styles import STYLES

BATCH, TWINS = 8, 2
OUTWARD = 1.1           # see other_tones
FEATURES = 4.0           # how much more a face's eyes and mouth count
FLAT = 0.01             # what a slope is at most, over two pixels, where nobody sees one
USUAL = 0.022            # mean slope of a drawing of a style that is not pale
REFRESH = 250            # steps between looks for new arrays
ZOOMED = 0.3            # share of the crops that are a part of one, enlarged: near people, of whom one sees no more than a shirt
UNKNOWN = 0.12           # share of the crops of which nobody says where people are: a segmenter may be missing


def grain(shape: tuple[int, ...]) -> Array:
    """White noise of sigma 1, seeded by `random`."""
    return np.random.default_rng(random.getrandbits(64)).standard_normal(shape, np.float32)


def degrade(photo: Array) -> Array:
    """What a webcam does to a picture: white balance, exposure, blur, low resolution, noise, JPEG."""
    p, chance = photo, random.random
    if chance() < 0.3:
        # Mild on purpose: a network that guesses exposure and white balance pulls every skin towards the mean one.
        p = p * random.uniform(0.95, 1.04) * np.array([random.uniform(0.98, 1.02) for _ in range(3)], np.float32)
    if chance() < 0.2:                                 # cameras sharpen
        p = p + random.uniform(0.2, 0.9) * (p - cv2.GaussianBlur(p, (0, 0), random.uniform(0.8, 1.6)))
    if chance() < 0.15:
        p = cv2.GaussianBlur(p, (0, 0), random.uniform(0.3, 1.0))
    elif chance() < 0.07:
        k = np.zeros((7, 7), np.float32)
        cv2.line(k, (3, 3), (random.randint(0, 6), random.randint(0, 6)), 1.0)
        p = cv2.filter2D(p, -1, k / k.sum())
    elif chance() < 0.1:
        h, w = p.shape[:2]
        s = random.uniform(0.5, 0.9)
        p = cv2.resize(cv2.resize(p, None, fx=s, fy=s, interpolation=cv2.INTER_AREA), (w, h), interpolation=cv2.INTER_LINEAR)
    if chance() < 0.55:
        sigma = random.uniform(0, 0.02) if chance() < 0.85 else random.uniform(0.02, 0.05)
        noise = grain(p.shape)
        if chance() < 0.3:                             # sensors that denoise leave blotches
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 2
        p = p + noise * sigma
    p = p.clip(0, 1)
    if chance() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, random.randint(40, 92)]
        p = cv2.imdecode(cv2.imencode(".jpg", (p * 255).astype(np.uint8), quality)[1], 1).astype(np.float32) / 255
    return p


class Muon(torch.optim.Optimizer):
    """Momentum whose step is made orthogonal (K. Jordan's Muon), for convolutions as matrices. Learns in fewer steps than Adam."""

    def __init__(self, parameters: list[Tensor], lr: float, momentum: float = 0.95):
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("momentum", torch.zeros_like(p))
                m.lerp_(p.grad, 1 - group["momentum"])
                g = p.grad.lerp(m, group["momentum"]).flatten(1)
                flip = g.shape[0] > g.shape[1]
                x = g.T if flip else g
                x = (x / (x.norm() + 1e-8)).bfloat16()
                for _ in range(5):                       # Newton-Schulz
                    s = x @ x.T
                    x = 3.4445 * x + (-4.775 * s + 2.0315 * s @ s) @ x
                p.add_((x.T if flip else x).reshape(p.shape).to(p.dtype), alpha=-group["lr"])


def shaken(photo: Array) -> Array:
    """A still camera's next frame: a fraction of a pixel aside, the light a touch different."""
    m = np.float32([[1, 0, random.uniform(-0.4, 0.4)], [0, 1, random.uniform(-0.4, 0.4)]])
    moved = cv2.warpAffine(photo, m, photo.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return moved * random.uniform(0.97, 1.03)


def other_tones(photo: Array, target: Array, matte: Array, grey: bool) -> tuple[Array, Array]:
    """People lighter, darker, of other hue, in photo and drawing alike: skin of the drawing must follow skin of the photo.
    `grey`: the drawing has no colour of its own and takes only the lightness. The drawing's change is somewhat larger than
    the photo's: a network unsure of a face pulls its tone towards the mean, this pulls the other way."""
    gain = random.uniform(0.68, 1.15) * np.array([random.uniform(0.90, 1.08) for _ in range(3)], np.float32)
    drawn = gain ** OUTWARD
    drawn = float(drawn.mean()) if grey else drawn
    return photo * (matte[..., None] * (gain - 1) + 1), target * (matte[..., None] * (drawn - 1) + 1)


def features(face: list[int] | None, shape: tuple[int, int]) -> Array:
    """255 where the first face has its eyes, brows and mouth, by the usual proportions of a face."""
    out = np.zeros(shape, np.uint8)
    if face:
        x0, y0, x1, y1 = face
        at = lambda x, y: (round(x0 + x * (x1 - x0)), round(y0 + y * (y1 - y0)))
        cv2.rectangle(out, at(0.06, 0.16), at(0.94, 0.46), 255, -1)
        cv2.rectangle(out, at(0.22, 0.64), at(0.78, 0.88), 255, -1)
    return out


class Pairs(IterableDataset):
    """Batches of crops from the arrays of a folder, made in a process of its own."""

    def __init__(self, folder: Path, crop: int, seed: int, zoomed: float = ZOOMED):
        self.folder, self.crop, self.seed, self.share_zoomed = folder, crop, seed, zoomed
        self.segmenter: Segmenter | None = None
        self.people: dict[Path, Array] = {}
        self.zoomed = False             # whether the last crop is
        self.refresh()

    def refresh(self) -> None:
        """Dark and very light skin, beards and moustaches are rarer than they should be: they come more often. Pictures without a face, less."""
        self.files, self.shares, self.faces = sorted(self.folder.glob("*.npy")), [], []
        for file in self.files:
            facts = file.with_suffix(".json")
            facts = json.loads(facts.read_text()) if facts.exists() else {}
            share = 1.0 if facts else 0.35
            tone = facts.get("lightness", 62)
            share *= 2.5 if tone < 45 else 1.8 if tone < 52 else 1.3 if tone < 57 or tone > 76 else 1.0
            share *= 2 if facts.get("beard") else 1
            self.shares.append(share)
            self.faces.append(facts.get("face"))

    def __iter__(self) -> Iterator[list[Tensor]]:
        random.seed(self.seed)
        cv2.setNumThreads(1), torch.set_num_threads(1)
        while True:
            self.refresh()
            for _ in range(REFRESH):
                yield self.batch()

    def people_in(self, file: Path, photo: Array) -> Array:
        """Where the segmenter sees people in a whole picture, in cells, as the live program knows it. In 8 bits."""
        if file not in self.people:
            self.segmenter = self.segmenter or Segmenter()
            self.people[file] = (255 * self.segmenter.cells(photo.astype(np.float32) / 255)).round().astype(np.uint8)
        return self.people[file]

    def cut(self) -> Array:
        """A crop of one array, on the grid of 16, as the cells of people are. Its last two channels say where people are, and where a face's eyes and mouth are."""
        n = random.choices(range(len(self.files)), self.shares)[0]
        array, face = np.load(self.files[n], mmap_mode="r"), self.faces[n]
        h, w = array.shape[:2]
        self.zoomed = random.random() < self.share_zoomed
        size = min(random.choice((80, 96, 112, 144)) if self.zoomed else self.crop, h, w)
        looks = features(face, array.shape[:2])
        people = np.kron(self.people_in(self.files[n], array[..., :3]), np.ones((16, 16), np.uint8))
        y, x = 16 * random.randint(0, (h - size) // 16), 16 * random.randint(0, (w - size) // 16)
        if face and not self.zoomed and random.random() < 0.72:               # on the face, where everybody looks
            at = lambda lo, hi, full: int(np.clip((random.uniform(lo, hi) - size / 2) // 16 * 16, 0, full - size))
            x, y = at(face[0], face[2], w), at(face[1], face[3], h)
        cut = np.dstack([part[y:y + size, x:x + size] for part in (array, people, looks)])
        if self.zoomed:
            return cv2.resize(cut, (self.crop, self.crop), interpolation=cv2.INTER_CUBIC)
        if size < self.crop:                             # a small picture: its mirror image around it
            cut = np.pad(cut, ((0, self.crop - size), (0, self.crop - size), (0, 0)), "symmetric")
        return cut

    def crop_of(self, choose: Callable) -> tuple[Array, Array, Array, Array]:
        """A crop as photo, the drawing `choose` makes of its drawings, matte, and people in cells; mirrored half of the time."""
        cut = self.cut()
        cut = cut[:, ::-1] if random.random() < 0.5 else cut
        part = lambda c, n: cut[..., c:c + n].astype(np.float32) / 255
        return part(0, 3), choose(lambda style: part(3 + 3 * style, 3)), part(cut.shape[2] - 3, 1)[..., 0], part(cut.shape[2] - 2, 1)[::16, ::16, 0][None]

    def sample(self) -> tuple[Array, Array, Array, Array, Array, Array]:
        """One crop: clean photo, style map, the drawing that map asks for, matte, where eyes and mouth are, and people in cells."""
        cut, cells = self.cut(), self.crop // 16
        i, j, kind = random.randrange(len(STYLES)), random.randrange(len(STYLES)), random.random()
        if random.random() < 0.5:
            cut = cut[:, ::-1]
        part = lambda c, n: cut[..., c:c + n].astype(np.float32) / 255
        drawing = lambda style: part(3 + 3 * style, 3)
        photo, (matte, people, looks) = part(0, 3), (part(3 + 3 * len(STYLES) + n, 1)[..., 0] for n in range(3))
        people = people[::16, ::16][None] if self.zoomed or random.random() > UNKNOWN else np.full((1, cells, cells), 0.5)
        style = np.zeros((len(STYLES), cells, cells), np.float32)
        if kind < 0.06:                                  # two styles with an edge between them
            cut_at = random.randint(1, cells - 1)
            style[i, :, :cut_at] = 1
            style[j, :, cut_at:] += 1
            target = np.concatenate([drawing(i)[:, :cut_at * 16], drawing(j)[:, cut_at * 16:]], 1)
        elif kind < 0.13:                                # strength and blends
            a = random.random()
            b = random.random() * (1 - a)
            style[i] += a
            style[j] += b
            target = photo + a * (drawing(i) - photo) + b * (drawing(j) - photo)
        elif kind < 0.18:                                # people in one style, the rest in another
            m = matte.reshape(cells, 16, cells, 16).mean((1, 3)) > 0.5
            style[i] += m
            style[j] += ~m
            big = np.kron(m, np.ones((16, 16)))[..., None]
            target = drawing(i) * big + drawing(j) * (1 - big)
        else:
            style[i], target = 1, drawing(i)
        if random.random() < 0.6:
            photo, target = other_tones(photo, target, matte, STYLES[i].chroma < 0.3 or STYLES[j].chroma < 0.3)
        return photo, style, target.astype(np.float32).clip(0, 1), matte, looks, people

    def batch(self) -> list[Tensor]:
        """The last `TWINS` are the first ones again, as the next frame of a still camera: both must give the same drawing."""
        rows = [self.sample() for _ in range(BATCH - TWINS)]
        inputs = [degrade(r[0]) for r in rows]
        for n in range(TWINS):
            twin = shaken(inputs[n] if random.random() < 0.6 else rows[n][0])
            inputs.append((twin + grain(twin.shape) * random.uniform(0.004, 0.02)).clip(0, 1))
            rows.append(rows[n])
        columns = [inputs, *([r[i] for r in rows] for i in (1, 2, 3, 4, 5))]
        photo, style, target, matte, looks, people = (torch.from_numpy(np.ascontiguousarray(np.stack(c), np.float32)) for c in columns)
        return [photo.permute(0, 3, 1, 2), style, target.permute(0, 3, 1, 2), matte, looks, people]


def slopes(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def unlike(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """1 - SSIM of the grey pictures: where the drawing is flat, faint texture left over from the photo weighs as much as a line."""
    a, b = a.mean(1, keepdim=True), b.mean(1, keepdim=True)
    x = torch.cat([a, b, a * a, b * b, a * b], 1)
    ma, mb, aa, bb, ab = F.avg_pool2d(x, 8, 4).split(1, 1)
    va, vb, vab = (aa - ma * ma).clamp(min=0), (bb - mb * mb).clamp(min=0), ab - ma * mb
    alike = ((2 * ma * mb + 1e-3) * (2 * vab + 9e-4)) / ((ma * ma + mb * mb + 1e-3) * (va + vb + 9e-4))
    return (F.avg_pool2d(weight, 8, 4) * (1 - alike)).mean()


def unflat(picture: Tensor, target: Tensor) -> Tensor:
    """The share of the drawing that should be flat and is not, smoothly counted (Geman-McClure): a faint slope costs little by its
    size, but where there is a choice between one and none it must be none."""
    def steep(x: Tensor) -> Tensor:
        g = F.avg_pool2d(x.mean(1, keepdim=True), 3, 1)
        return (g[..., 1:-1, 2:] - g[..., 1:-1, :-2]).square() + (g[..., 2:, 1:-1] - g[..., :-2, 1:-1]).square()
    mine = steep(picture)
    return ((steep(target) < FLAT ** 2) * (mine / (mine + FLAT ** 2))).mean()


def loss_of(picture: Tensor, logits: Tensor, target: Tensor, matte: Tensor, looks: Tensor, late: float) -> Tensor:
    """`late` goes from 0 to 1: colour first, lines later. A full slope term from the start holds the net at "change nothing"."""
    (py, px), (ty, tx) = slopes(picture), slopes(target)
    # Strokes, eyes and edges are few pixels and most of the drawing.
    drawn = F.pad(ty.abs().mean(1, keepdim=True), (0, 0, 0, 1)) + F.pad(tx.abs().mean(1, keepdim=True), (0, 1))
    # Those of pale styles are no less so.
    pale = (USUAL / (drawn.mean((1, 2, 3), keepdim=True) + 1e-3)).clamp(1, 2)
    face = 1 + FEATURES * looks[:, None]
    weight = (1 + 3 * late * F.max_pool2d((4 * pale * drawn).clamp(max=1), 3, 1, 1)) * face
    colour = (weight * (picture - target).abs()).mean()
    weight = weight * pale
    lines = (weight[..., 1:, :] * (py - ty).abs()).mean() + (weight[..., 1:] * (px - tx).abs()).mean()
    half, goal = F.avg_pool2d(picture, 2), F.avg_pool2d(target, 2)
    coarse = sum((a - b).abs().mean() for a, b in zip(slopes(half), slopes(goal)))
    # Colours at large, people's most of all: skin must stay theirs.
    person = 1 + 3 * matte[:, None]
    low = sum((F.avg_pool2d(person, n) * (F.avg_pool2d(picture, n) - F.avg_pool2d(target, n)).abs()).mean() for n in (8, 32))
    calm = (picture[:TWINS] - picture[-TWINS:]).abs().mean()
    cut = F.binary_cross_entropy_with_logits(logits[:, 0], matte)
    return colour + late * (lines + 0.7 * coarse + 0.4 * unlike(picture, target, face) + 0.3 * unlike(half, goal, F.avg_pool2d(face, 2)) + 0.2 * unflat(picture, target)) \
        + 1.5 * low + 2.5 * calm + 0.15 * cut


def optimisers(net: Student, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the convolutions, Adam at a fifth of the rate for style maps and biases."""
    wide = [p for n, p in net.named_parameters() if p.ndim == 4 and not n.split(".")[-2].startswith(("shift", "scale"))]
    rest = [p for p in net.parameters() if all(p is not w for w in wide)]
    return [Muon(wide, rate), torch.optim.Adam(rest, rate / 5, betas=(0.9, 0.99))]


def start_from(net: Student, weights: dict[str, Tensor]) -> None:
    """Blocks that the weights lack change nothing at first: a trained network can be made deeper. Those it has no more are left out.
    Nor do the maps of people, which networks before the ninth had not."""
    own = net.state_dict()
    for name, value in weights.items():
        if name in own and value.ndim == 4 and value.shape[1] * 2 == own[name].shape[1] and value.shape[0] == own[name].shape[0]:
            weights = {**weights, name: torch.cat([value, torch.zeros_like(value)], 1)}
    missing = net.load_state_dict(weights, strict=False).missing_keys
    for block in {k.rsplit(".", 2)[0] for k in missing}:
        nn.init.zeros_(net.get_submodule(block).b.weight)


def save(folder: Path, parts: dict) -> None:
    """Both files are whole at any moment: training may be stopped while it writes."""
    for name, value in (("state.pt", parts), ("weights.pt", parts["ema"])):
        torch.save(value, folder / (name + ".tmp"))
        os.replace(folder / (name + ".tmp"), folder / name)


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("data", type=Path)
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--steps", type=int, default=60000)
    a.add_argument("--minutes", type=float, help="plan by time instead of steps: for a machine that is shared")
    a.add_argument("--rate", type=float, default=0.01, help="of the convolutions; style maps and biases learn at a fifth of it")
    a.add_argument("--crop", type=int, default=224)
    a.add_argument("--start", type=Path, help="weights to start from: of a run, or the exported network")
    a.add_argument("--critic", type=float, default=2.0, help="the critic's share of the gradient, 0: none")
    a.add_argument("--threads", type=int, default=1)
    a.add_argument("--seed", type=int, default=0)
    a = a.parse_args()
    torch.set_num_threads(a.threads), cv2.setNumThreads(1)
    random.seed(a.seed), torch.manual_seed(a.seed)
    a.out.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    net = Student(len(STYLES)).to(device, memory_format=torch.channels_last)
    if a.start:
        start_from(net, read_weights(a.start))
    ema = {k: v.clone() for k, v in net.state_dict().items()}
    opts = optimisers(net, a.rate)
    judge = Judge(len(STYLES), device) if a.critic > 0 else None
    first, before, state = 0, 0.0, a.out / "state.pt"
    if state.exists():
        s = torch.load(state, map_location=device)
        net.load_state_dict(s["net"])
        for opt, value in zip(opts, s["opts"]):
            opt.load_state_dict(value)
        if judge and s["judge"]:
            judge.load(s["judge"])
        ema, first, before = s["ema"], s["step"], s["seconds"]
        print("going on from step", first, flush=True)

    pairs = Pairs(a.data / "train", a.crop, a.seed + first)
    batches = iter(DataLoader(pairs, batch_size=None, num_workers=1, prefetch_factor=8))
    print(len(pairs.files), "arrays,", sum(p.numel() for p in net.parameters()), "parameters,", device, flush=True)
    started, shown = time.time(), 0.0
    step, progress = first, 0.0
    while progress < 1:
        spent = time.time() - started
        progress = (before + spent) / (60 * a.minutes) if a.minutes else (step + 1) / a.steps
        share = min(1.0, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
        for opt, rate in zip(opts, (a.rate, a.rate / 5)):
            opt.param_groups[0]["lr"] = rate * share
        photo, style, target, matte, looks, people = (x.to(device) for x in next(batches))
        with torch.autocast(device, torch.bfloat16):
            picture, logits = net.raw(photo.contiguous(memory_format=torch.channels_last), style, people)
        late = 1.0 if a.start else min(1.0, 0.4 + 3 * progress)
        drawn, cut = (x.detach().float().requires_grad_() for x in (picture, logits))
        loss = loss_of(drawn, cut, target, matte, looks, late)
        loss.backward()
        if judge:
            judge.push(photo, style, drawn, target, step, a.critic)
        net.zero_grad()
        torch.autograd.backward((picture, logits), (drawn.grad.to(picture.dtype), cut.grad.to(logits.dtype)))
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for opt in opts:
            opt.step()
        keep = min(0.998, (step + 1) / (step + 50))
        for k, v in net.state_dict().items():
            ema[k].lerp_(v, 1 - keep)
        shown = 0.99 * shown + 0.01 * loss.item() if step > first else loss.item()
        if step % REFRESH == 0:
            pairs.refresh()
            print(f"step {step}, {progress:.1%}, loss {shown:.4f}, critic right {judge.right if judge else 0:.0%}, {len(pairs.files)} arrays, "
                  f"{1000 * spent / (step - first + 1):.0f} ms a step", flush=True)
        step += 1
        if step % 250 == 0 or progress >= 1:
            save(a.out, {"net": net.state_dict(), "opts": [o.state_dict() for o in opts], "judge": judge and judge.state(), "ema": ema,
                         "step": step, "seconds": before + spent})


if __name__ == "__main__":
    main()
