"""The light student: one network for all styles, chosen per pixel by a style map, with a matte.

image [B,3,H,W] RGB 0..1, style [B,S,H/16,W/16] (each >= 0, sum <= 1) and people [B,1,H/16,W/16] (the share of each cell
that is people, 0..1; 0.5 where nobody knows) to picture [B,3,H,W] and matte [B,1,H,W]. Who a dark cloth belongs to, a
window on a part of the picture cannot tell: a segmenter that sees all of it small (`models/people`) says so.

Built for ONNX Runtime's CPU kernels, where convolutions are fast and everything between them is not: each block computes
its own modulation from the small style map (no wide map is split or reordered), upsampling is nearest but for the last
two steps. Thinking happens at 1/16 of the size, drawing at a quarter, the pen's edge at a half: sixteen channels there
cost almost nothing and put lines on the pixel. No skip leads past the last two convolutions: fine detail must be drawn,
it cannot leak from the photo. The drawing starts as a smoothed copy of the picture through the initial weights.
"""
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


def nearest(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="nearest") if factor > 1 else x


def shuffled(x: Tensor) -> Tensor:
    """`pixel_shuffle` by two as two moves of one axis, which ONNX Runtime's CPU kernels do three times as fast."""
    n, c, h, w = x.shape
    x = x.reshape(n * c // 2, 2, h * w).transpose(1, 2)
    return x.reshape(n * c // 4, 2, h, 2 * w).transpose(1, 2).reshape(n, c // 4, 2 * h, 2 * w)


class Block(nn.Module):
    """Residual block. The style shifts its middle before the ReLU, which switches channels; at 1/16 it scales it too."""

    def __init__(self, channels: int, styles: int, cells: int, scaled: bool = False, reach: int = 1):
        super().__init__()
        self.cells = cells
        self.a = nn.Conv2d(channels, channels, 3, 1, reach, dilation=reach)
        self.b = nn.Conv2d(channels, channels, 3, 1, 1)
        self.shift = nn.Conv2d(styles, channels, 1)
        self.scale = nn.Conv2d(styles, channels, 1) if scaled else None
        nn.init.zeros_(self.b.bias)
        with torch.no_grad():
            self.b.weight *= 0.1                    # near the identity at first
            if self.scale is not None:
                self.scale.bias.fill_(1.0)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        h = self.a(x)
        if self.scale is not None:
            h = h * self.scale(style)
        return x + self.b(F.relu(h + nearest(self.shift(style), self.cells)))


class Student(nn.Module):
    def __init__(self, styles: int, c2: int = 16, c4: int = 48, c8: int = 64, c16: int = 96, reach: tuple[int, ...] = (1, 2, 4, 1, 2, 1)):
        super().__init__()
        styles *= 2                                 # of people, and of what is around them
        self.stem2, self.stem4 = nn.Conv2d(3, c2, 4, 2, 1), nn.Conv2d(c2, c4, 3, 2, 1)
        self.down8, self.in8 = nn.Conv2d(c4, c8, 3, 2, 1), Block(c8, styles, 2)
        self.down16 = nn.Conv2d(c8, c16, 3, 2, 1)
        # Dilated: at 1/16 they see a face that fills the frame as one thing.
        self.mid16 = nn.ModuleList(Block(c16, styles, 1, scaled=True, reach=r) for r in reach)
        self.up8, self.out8 = nn.Conv2d(c16, c8, 1), Block(c8, styles, 2)
        self.up4, self.shift4 = nn.Conv2d(c8, c4, 1), nn.Conv2d(styles, c4, 1)
        self.ink4 = nn.Conv2d(c4, c4, 3, 1, 1)
        self.up2, self.pen2 = nn.Conv2d(c4, 4 * c2, 1), nn.Conv2d(c2, c2, 3, 1, 1)
        self.head = nn.Conv2d(c2, 16, 3, 1, 1)      # 2 x 2 pixels of red, green, blue, matte
        self._start_as_copy()

    @torch.no_grad()
    def _start_as_copy(self) -> None:
        """The first three channels carry the picture at a quarter of its size, the head enlarges them."""
        for layer in (self.stem2, self.stem4, self.up4, self.shift4, self.ink4, self.pen2):
            layer.weight[:3] = 0
            layer.bias[:3] = 0
        self.up2.weight[:12] = 0
        self.up2.bias[:12] = 0
        self.head.weight.mul_(0.1)
        self.head.bias.zero_()
        for c in range(3):
            self.stem2.weight[c, c, 1:3, 1:3] = 1 / 4
            self.stem4.weight[c, c, 1:3, 1:3] = 1 / 4
            self.ink4.weight[c, c, 1, 1] = 1
            self.up2.weight[4 * c:4 * c + 4, c] = 1
            self.pen2.weight[c, c, 1, 1] = 1
            self.head.weight[4 * c:4 * c + 4] = 0
            for i in range(4):
                for (dy, ky), (dx, kx) in ((y, x) for y in _taps(i // 2) for x in _taps(i % 2)):
                    self.head.weight[4 * c + i, c, dy, dx] = ky * kx

    def raw(self, image: Tensor, style: Tensor, people: Tensor) -> tuple[Tensor, Tensor]:
        """Unclamped picture and matte logits: train on these, a clamp kills the gradient.

        The style map's sum mixes drawing and picture, so that strength is exact by construction.
        """
        strength = nearest(style.sum(1, keepdim=True), 16)
        style = torch.cat([style, style * (4 * people - 2)], 1)     # wide: soon learned
        x2 = F.relu(self.stem2(image))
        x4 = F.relu(self.stem4(x2))
        x8 = self.in8(F.relu(self.down8(x4)), style)
        x16 = F.relu(self.down16(x8))
        for block in self.mid16:
            x16 = block(x16, style)
        x8 = self.out8(x8 + nearest(self.up8(x16), 2), style)
        x4 = F.relu(self.ink4(x4 + nearest(self.up4(x8), 2)) + nearest(self.shift4(style), 4))
        x2 = F.relu(self.pen2(F.relu(shuffled(self.up2(x4)))))
        y = shuffled(self.head(x2))
        return image + strength * (y[:, :3] - image), y[:, 3:]

    def forward(self, image: Tensor, style: Tensor, people: Tensor) -> tuple[Tensor, Tensor]:
        picture, logits = self.raw(image, style, people)
        return picture.clamp(0, 1), logits.sigmoid()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Of a run (`weights.pt`), or of a network that was exported (`toon.onnx`), rounded to 16 bits there."""
    if path.suffix != ".onnx":
        return torch.load(path, map_location="cpu")
    tensors = onnx.load(path).graph.initializer
    return {t.name.removesuffix(".half"): torch.from_numpy(onnx.numpy_helper.to_array(t).astype(np.float32)) for t in tensors}


def _taps(i: int) -> list[tuple[int, float]]:
    """Bilinear weights of sub-pixel `i` of two on the cell before, the cell itself and the cell after."""
    offset = (i + 0.5) / 2 - 0.5
    return [(1, 1 - abs(offset)), (0 if offset < 0 else 2, abs(offset))]
