"""Write the network in 8 bits beside the exported one, for processors that multiply bytes fast (VNNI).

    python quantise.py ../toon/toon.onnx --photos PHOTOS

The deep half, at an eighth and a sixteenth of the size, is 8 bits: there is most of the work, and rounding there hardly shows.
What draws, from a quarter of the size on, stays in floating point: rounded there, a still picture with a camera's noise
flickers almost twice as much. Writes toon-8bit.onnx and says so in model.toml: export.py, which writes both anew, comes before.

Ranges are those that crops of photos use, degraded as in training, in all styles. A tensor has one range for all of its channels, so
channels of large values first share them with the weights that read them, which changes nothing else (Nagel et al.,
Data-Free Quantization Through Weight Equalization and Bias Correction, 2019). Of what goes into a ReLU no more is kept than can come out.
"""
import argparse
import hashlib
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnx.numpy_helper
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from data import PICTURES, collection_of, held_out, read
from export import halve, write_onnx
from people import Array, Segmenter, session
from student import Block, Student, nearest, read_weights, shuffled
from train import BATCH, degrade

CROP, WIDTHS = 224, (320, 448, 512, 640, 800)
BATCHES = 40            # of crops, to find the ranges
RARE = 3e-5             # share of the values that may lie outside
POWER = 0.35            # how much of what its channels differ by a tensor gives to the weights
SECTION = "\n[eight_bit]\n"


class Steps(nn.Module):
    """The 256 values that a tensor may have. Watches what it has first."""

    def __init__(self) -> None:
        super().__init__()
        self.watching, self.low, self.high, self.seen = True, 0.0, 0.0, 0
        self.largest: Tensor | None = None      # by channel

    def forward(self, x: Tensor, used: Tensor | None = None) -> Tensor:
        if not self.watching:
            scale = max(self.high - self.low, 1e-6) / 255
            zero = min(255, max(0, round(-self.low / scale)))
            return torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, 255)
        largest = x.abs().amax((0, 2, 3))
        self.largest = largest if self.largest is None else torch.maximum(self.largest, largest)
        values = x.flatten() if used is None else x[used]
        values = values[::max(1, len(values) // 400_000)]
        if len(values):
            # The mean over batches: one odd picture does not make the steps of all coarse.
            self.seen += 1
            self.low += (min(0.0, torch.quantile(values, RARE).item()) - self.low) / self.seen
            self.high += (max(0.0, torch.quantile(values, 1 - RARE).item()) - self.high) / self.seen
        return x

    def watch(self, on: bool) -> None:
        self.watching = on
        if on:
            self.low, self.high, self.seen = 0.0, 0.0, 0


class Conv8(nn.Module):
    """A convolution whose weights have 8 bits, with a scale for each channel they make."""

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.conv, self.scale = conv, torch.ones(0)

    def settle(self) -> None:
        self.scale = (self.conv.weight.detach().abs().amax((1, 2, 3)) / 127).clamp(min=1e-8)

    def forward(self, x: Tensor) -> Tensor:
        c, weight = self.conv, self.conv.weight
        if len(self.scale):
            zeros = torch.zeros(len(self.scale), dtype=torch.int32)
            weight = torch.fake_quantize_per_channel_affine(weight, self.scale, zeros, 0, -128, 127)
        return F.conv2d(x, weight, c.bias, c.stride, c.padding, c.dilation)


class Block8(nn.Module):
    """A block in 8 bits; the last one's sum is floating point again."""

    def __init__(self, block: Block, last: bool = False):
        super().__init__()
        self.block, self.a, self.b = block, Conv8(block.a), block.b if last else Conv8(block.b)
        self.made, self.shift, self.lit = Steps(), Steps(), Steps()
        self.scale, self.scaled = (Steps(), Steps()) if block.scale is not None else (None, None)
        self.drawn, self.out = (nn.Identity(), nn.Identity()) if last else (Steps(), Steps())

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        made, shift = self.a(x), nearest(self.shift(self.block.shift(style)), self.block.cells)
        if self.scale is None:
            h = self.made(made)
        else:
            scale = self.scale(self.block.scale(style))
            used = made * scale + shift > 0 if self.made.watching else None
            h = self.scaled(self.made(made, used) * scale)
        return self.out(x + self.drawn(self.b(self.lit(F.relu(h + shift)))))

    def narrow(self) -> None:
        """What a shift cannot lift above zero, the ReLU after it cuts off."""
        before = self.scaled or self.made
        before.low = max(before.low, -self.shift.high)
        if self.scaled:
            self.made.low *= 2                  # where a channel's scale is small


class Student8(nn.Module):
    def __init__(self, net: Student):
        super().__init__()
        self.net = net
        self.down8, self.down16, self.up8 = Conv8(net.down8), Conv8(net.down16), Conv8(net.up8)
        self.in8, self.out8 = Block8(net.in8), Block8(net.out8, last=True)
        self.mid16 = nn.ModuleList(map(Block8, net.mid16))
        self.x4, self.x8, self.x16, self.wide, self.sum8 = (Steps() for _ in range(5))

    def forward(self, image: Tensor, style: Tensor, people: Tensor) -> tuple[Tensor, Tensor]:
        net, strength = self.net, nearest(style.sum(1, keepdim=True), 16)
        style = torch.cat([style, style * (4 * people - 2)], 1)
        x4 = F.relu(net.stem4(F.relu(net.stem2(image))))
        x8 = self.in8(self.x8(F.relu(self.down8(self.x4(x4)))), style)
        x16 = self.x16(F.relu(self.down16(x8)))
        for block in self.mid16:
            x16 = block(x16, style)
        x8 = self.out8(self.sum8(x8 + nearest(self.wide(self.up8(x16)), 2)), style)
        x4 = F.relu(net.ink4(x4 + nearest(net.up4(x8), 2)) + nearest(net.shift4(style), 4))
        y = shuffled(net.head(F.relu(net.pen2(F.relu(shuffled(net.up2(x4)))))))
        return (image + strength * (y[:, :3] - image)).clamp(0, 1), y[:, 3:].sigmoid()

    def blocks(self) -> list[Block8]:
        return [self.in8, *self.mid16, self.out8]

    @torch.no_grad()
    def fit(self, batches: list[list[Tensor]]) -> None:
        """Finds ranges, evens out channels, finds the ranges again."""
        steps = [m for m in self.modules() if isinstance(m, Steps)]
        for even in (self.equalise, lambda: None):
            for s in steps:
                s.watch(True)
            for batch in batches:
                self(*batch)
            even()
        for s in steps:
            s.watch(False)
        for block in self.blocks():
            block.narrow()
        for conv in (m for m in self.modules() if isinstance(m, Conv8)):
            conv.settle()

    def equalise(self) -> None:
        net, mid = self.net, list(self.mid16)
        # What makes the channels, what reads them, where they were watched.
        groups = [([net.down8, net.in8.b, net.up8, net.out8.b], [net.in8.a, net.down16, net.out8.a, net.up4], [self.x8, self.in8.out, self.sum8]),
                  ([net.down16, *(m.block.b for m in mid)], [*(m.block.a for m in mid), net.up8], [self.x16, *(m.out for m in mid)])]
        groups += [([m.block.a, m.block.shift], [m.block.b], [m.lit]) for m in self.blocks()]
        for makers, readers, watched in groups:
            largest = torch.stack([s.largest for s in watched]).amax(0).clamp(min=1e-3)
            factor = ((largest / largest.log().mean().exp()) ** POWER).clamp(1 / 16, 16)
            for conv in makers:
                conv.weight /= factor[:, None, None, None]
                conv.bias /= factor
            for conv in readers:
                conv.weight *= factor[None, :, None, None]


def crops(photos: Path, styles: int) -> Iterator[list[Tensor]]:
    """Batches of crops as a webcam delivers them, mostly of faces, with style maps and people in cells."""
    found = {f: collection_of(f) for f in sorted(photos.rglob("*")) if f.suffix.lower() in PICTURES and not held_out(f.stem)}
    files = [f for f, collection in found.items() if collection]
    assert files, f"no photo of a known collection: {photos}"
    segmenter = Segmenter()
    while True:
        rows: list[tuple[Array, Array, Array]] = []
        while len(rows) < BATCH:
            file = random.choice(files)
            photo = read(file, random.choice(WIDTHS))
            if photo is None or min(photo.shape[:2]) < CROP:
                continue
            people, (h, w) = segmenter.cells(photo), photo.shape[:2]
            x, y = 16 * random.randint(0, (w - CROP) // 16), 16 * random.randint(0, (h - CROP) // 16)
            if found[file].get("portraits"):    # the face is in the upper middle
                at = lambda share, full: int(np.clip(16 * round((random.gauss(share, 0.1) * full - CROP / 2) / 16), 0, (full - CROP) // 16 * 16))
                x, y = at(0.5, w), at(0.3, h)
            cell, cells = np.s_[y // 16:(y + CROP) // 16, x // 16:(x + CROP) // 16], CROP // 16
            style = np.zeros((styles, cells, cells), np.float32)
            style[random.randrange(styles)] = random.choice((1, 1, 1, random.random()))
            photo = degrade((photo[y:y + CROP, x:x + CROP] * random.uniform(0.6, 1.15)).clip(0, 1))
            rows.append((photo.transpose(2, 0, 1), style, people[cell][None]))
        yield [torch.from_numpy(np.ascontiguousarray(np.stack(part), np.float32)) for part in zip(*rows)]


def fold_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The exporter leaves weights in floating point, each with a step that rounds it: rounds them here."""
    graph, to_array = model.graph, onnx.numpy_helper.to_array
    known = {t.name: to_array(t) for t in graph.initializer}
    known |= {n.output[0]: to_array(n.attribute[0].t) for n in graph.node if n.op_type == "Constant"}
    floats = {t.name for t in graph.initializer}
    for node in list(graph.node):
        if node.op_type == "QuantizeLinear" and node.input[0] in floats:
            weight, scale = (known[name] for name in node.input[:2])
            rounded = np.round(weight / scale.reshape(-1, 1, 1, 1)).clip(-128, 127).astype(np.int8)
            graph.initializer.append(onnx.numpy_helper.from_array(rounded, node.output[0]))
            graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for tensor in list(graph.initializer):
        if tensor.name not in used:
            graph.initializer.remove(tensor)
    return model


def told(description: str, file: str, sha256: str) -> str:
    """The description with its section on 8 bits, before the first other section."""
    description = re.sub(re.escape(SECTION) + r"[^\[]*", "\n", description)
    head, first, rest = description.partition("\n[")
    return f'{head.rstrip()}\n{SECTION}file = "{file}"\nsha256 = "{sha256}"\n{first}{rest}'


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model", type=Path, help="the exported network, model.toml beside it")
    a.add_argument("--photos", type=Path, required=True, help="the folder that data.py was given")
    a.add_argument("--seed", type=int, default=0)
    a = a.parse_args()
    random.seed(a.seed), np.random.seed(a.seed), torch.manual_seed(a.seed), cv2.setNumThreads(1)
    weights = read_weights(a.model)
    styles = weights["shift4.weight"].shape[1] // 2         # of people, and of what is around them
    full = Student(styles)
    full.load_state_dict(weights)
    net, batches = Student8(full).eval(), crops(a.photos, styles)
    net.fit([next(batches) for _ in range(BATCHES)])
    out = a.model.with_name(f"{a.model.stem}-8bit.onnx")
    temporary, description = out.with_suffix(".tmp"), a.model.with_name("model.toml")
    write_onnx(net, temporary, styles)
    model = halve(fold_weights(onnx.load(temporary)))
    onnx.checker.check_model(model)
    onnx.save(model, temporary)
    told_text = told(description.read_text(), out.name, hashlib.sha256(temporary.read_bytes()).hexdigest())
    description.with_suffix(".tmp").write_text(told_text)
    os.replace(temporary, out)
    os.replace(description.with_suffix(".tmp"), description)
    nets = session(a.model), session(out)
    changes = [0.0] * styles
    for batch in (next(batches) for _ in range(8)):
        for channel in range(styles):
            batch[1].zero_()[:, channel] = 1
            feeds = [{n: t[i:i + 1].numpy() for n, t in zip(("image", "style", "people"), batch)} for i in range(BATCH)]
            changes[channel] += sum(float(np.abs(np.subtract(*(net.run(None, f)[0] for net in nets))).mean()) for f in feeds) * 255 / (8 * BATCH)
    print(f"{out}: {out.stat().st_size / 2**20:.2f} MiB; drawings change by {np.mean(changes):.2f}/255, in the worst style by {max(changes):.2f}")


if __name__ == "__main__":
    main()
