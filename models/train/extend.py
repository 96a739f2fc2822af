"""Teach a trained network one more style without losing the ones it has.

    python data.py PHOTOS --teachers TEACHERS --out DATA9 --style ninth.toml [--limit 120]
    python extend.py DATA9 --style ninth.toml --start ../toon/toon.onnx --out RUN9 [--minutes 40]
    python export.py RUN9 --data DATA9 --style ninth.toml --out FOLDER

The style map gets a channel. Most of each batch is the new style; the rest is drawn in the old styles as the network
drew them before, so that it keeps them. Resumable like train.py; uses CUDA when there is a device.
"""
import argparse
import copy
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

import train
from student import Student, read_weights
from styles import STYLES, Style, read_style

OLD = 3                 # of each batch, drawn in the old styles


class NewStyle(IterableDataset):
    """Batches of train.Pairs with one drawing an array. The map asks for the new style, which is the last channel."""

    def __init__(self, folder: Path, crop: int, seed: int, style: Style):
        self.pairs, self.seed = train.Pairs(folder, crop, seed), seed

    def __iter__(self) -> Iterator[list[Tensor]]:
        random.seed(self.seed)
        cv2.setNumThreads(1), torch.set_num_threads(1)
        while True:
            rows = []
            for _ in range(train.BATCH - train.TWINS):
                photo, *others = self.pairs.crop_of(lambda drawing: drawing(0))
                rows.append((train.degrade(photo), *others))
            for n in range(train.TWINS):
                rows.append((train.shaken(rows[n][0]).clip(0, 1), *rows[n][1:]))
            photo, target, matte, people = (torch.from_numpy(np.ascontiguousarray(np.stack(c), np.float32)) for c in zip(*rows))
            yield [photo.permute(0, 3, 1, 2), target.permute(0, 3, 1, 2), matte, people]


def widened(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights with one more style: it begins as the mean of those there are."""
    out = {}
    for name, value in weights.items():
        style = name.rsplit(".", 2)[-2].startswith(("shift", "scale")) and value.ndim == 4
        # Of people, and of what is around them.
        halves = value.chunk(2, 1) if style else ()
        out[name] = torch.cat([part for half in halves for part in (half, half.mean(1, keepdim=True))], 1) if style else value
    return out


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("data", type=Path)
    a.add_argument("--style", type=Path, required=True)
    a.add_argument("--start", type=Path, required=True, help="the trained network: weights of a run, or the exported file")
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--minutes", type=float, default=40)
    a.add_argument("--rate", type=float, default=0.004)
    a.add_argument("--crop", type=int, default=224)
    a.add_argument("--threads", type=int, default=1)
    a.add_argument("--seed", type=int, default=0)
    a = a.parse_args()
    style_row = read_style(a.style)
    assert style_row.id not in {s.id for s in STYLES}, f"there is a style {style_row.id} already: {a.style}"
    torch.set_num_threads(a.threads), torch.manual_seed(a.seed)
    a.out.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    known = len(STYLES)
    before = Student(known)
    before.load_state_dict(read_weights(a.start))
    net = Student(known + 1)
    net.load_state_dict(widened(before.state_dict()))
    before, net = before.to(device).eval(), net.to(device, memory_format=torch.channels_last)
    opts = train.optimisers(net, a.rate)
    ema = copy.deepcopy(net.state_dict())
    first, spent_before, state = 0, 0.0, a.out / "state.pt"
    if state.exists():
        s = torch.load(state, map_location=device)
        net.load_state_dict(s["net"])
        for opt, value in zip(opts, s["opts"]):
            opt.load_state_dict(value)
        ema, first, spent_before = s["ema"], s["step"], s["seconds"]
        print("going on from step", first, flush=True)
    batches = iter(DataLoader(NewStyle(a.data / "train", a.crop, a.seed + first, style_row), batch_size=None, num_workers=1, prefetch_factor=8))
    started, step, progress, shown = time.time(), first, 0.0, 0.0
    while progress < 1:
        spent = time.time() - started
        progress = (spent_before + spent) / (60 * a.minutes)
        share = min(1.0, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
        for opt, rate in zip(opts, (a.rate, a.rate / 2)):
            opt.param_groups[0]["lr"] = rate * share
        photo, target, matte, people = (x.to(device) for x in next(batches))
        cells = a.crop // 16
        style = torch.zeros(train.BATCH, known + 1, cells, cells, device=device)
        style[:, known] = 1
        with torch.no_grad(), torch.autocast(device, torch.bfloat16):
            middle = slice(train.TWINS, train.TWINS + OLD)          # neither the twins nor their first halves
            style[middle] = 0
            for n in range(middle.start, middle.stop):
                style[n, random.randrange(known)] = 1
            target[middle] = before.raw(photo[middle], style[middle, :known], people[middle])[0].float()
        with torch.autocast(device, torch.bfloat16):
            picture, logits = net.raw(photo.contiguous(memory_format=torch.channels_last), style, people)
        loss = train.loss_of(picture.float(), logits.float(), target, matte, torch.zeros_like(matte), 1.0)
        net.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for opt in opts:
            opt.step()
        keep = min(0.996, (step + 1) / (step + 20))
        for k, v in net.state_dict().items():
            ema[k].lerp_(v, 1 - keep)
        shown = 0.98 * shown + 0.02 * loss.item() if step > first else loss.item()
        if step % 100 == 0:
            print(f"step {step}, {progress:.1%}, loss {shown:.4f}, {1000 * spent / (step - first + 1):.0f} ms a step", flush=True)
        step += 1
        if step % 100 == 0 or progress >= 1:
            train.save(a.out, {"net": net.state_dict(), "opts": [o.state_dict() for o in opts], "ema": ema, "step": step,
                               "seconds": spent_before + spent})


if __name__ == "__main__":
    main()
