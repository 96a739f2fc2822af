"""The light student: one network for all styles, chosen per pixel by a style map, with a matte.

image [B,3,H,W] RGB 0..1 and style [B,S,H/16,W/16] (each >= 0, sum <= 1) to picture [B,3,H,W] and matte [B,1,H,W].

Built for ONNX Runtime's CPU kernels, where convolutions are fast and everything between them is not:
the stem is a strided convolution instead of a pixel-unshuffle, upsampling is nearest, each block computes its own
modulation from the small style map (no wide map is split or reordered). No skip leads past the last convolutions: fine
detail must be drawn, it cannot leak from the photo. The drawing starts as a smoothed copy of the picture through the
initial weights instead of through an extra path.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


def nearest(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="nearest") if factor > 1 else x


class Block(nn.Module):
    """Residual block. The style shifts its middle before the ReLU, which switches channels; at 1/16 it scales it too."""

    def __init__(self, channels: int, styles: int, cells: int, scaled: bool = False):
        super().__init__()
        self.cells = cells
        self.a, self.b = nn.Conv2d(channels, channels, 3, 1, 1), nn.Conv2d(channels, channels, 3, 1, 1)
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
    def __init__(self, styles: int, c4: int = 32, c8: int = 48, c16: int = 96, deep: int = 3):
        super().__init__()
        self.stem = nn.Conv2d(3, c4, 6, 4, 1)
        self.down8, self.in8 = nn.Conv2d(c4, c8, 3, 2, 1), Block(c8, styles, 2)
        self.down16 = nn.Conv2d(c8, c16, 3, 2, 1)
        self.mid16 = nn.ModuleList(Block(c16, styles, 1, scaled=True) for _ in range(deep))
        self.up8, self.out8 = nn.Conv2d(c16, c8, 1), Block(c8, styles, 2)
        self.up4, self.shift4 = nn.Conv2d(c8, c4, 1), nn.Conv2d(styles, c4, 1)
        self.ink4, self.pen4 = nn.Conv2d(c4, c4, 3, 1, 1), nn.Conv2d(c4, c4, 3, 1, 1)
        self.head = nn.Conv2d(c4, 64, 3, 1, 1)      # 4 x 4 pixels of red, green, blue, matte
        self._start_as_copy()

    @torch.no_grad()
    def _start_as_copy(self) -> None:
        """The first three channels carry the picture at a quarter of its size; the head enlarges them bilinearly."""
        for layer in (self.stem, self.up4, self.shift4, self.ink4, self.pen4):
            layer.weight[:3] = 0
            layer.bias[:3] = 0
        self.head.weight.mul_(0.1)
        self.head.bias.zero_()
        for c in range(3):
            self.stem.weight[c, c, 1:5, 1:5] = 1 / 16
            self.ink4.weight[c, c, 1, 1] = self.pen4.weight[c, c, 1, 1] = 1
            self.head.weight[16 * c:16 * c + 16] = 0
            for i in range(16):
                for (dy, ky), (dx, kx) in ((y, x) for y in _taps(i // 4) for x in _taps(i % 4)):
                    self.head.weight[16 * c + i, c, dy, dx] = ky * kx

    def raw(self, image: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Unclamped picture and matte logits: train on these, a clamp kills the gradient.

        The style map's sum mixes drawing and picture, so that strength is exact by construction.
        """
        x4 = F.relu(self.stem(image))
        x8 = self.in8(F.relu(self.down8(x4)), style)
        x16 = F.relu(self.down16(x8))
        for block in self.mid16:
            x16 = block(x16, style)
        x8 = self.out8(x8 + nearest(self.up8(x16), 2), style)
        x4 = F.relu(self.ink4(x4 + nearest(self.up4(x8), 2)) + nearest(self.shift4(style), 4))
        y = F.pixel_shuffle(self.head(F.relu(self.pen4(x4))), 4)
        strength = nearest(style.sum(1, keepdim=True), 16)
        return image + strength * (y[:, :3] - image), y[:, 3:]

    def forward(self, image: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        picture, logits = self.raw(image, style)
        return picture.clamp(0, 1), logits.sigmoid()


def _taps(i: int) -> list[tuple[int, float]]:
    """Bilinear weights of sub-pixel `i` of four on the cell before, the cell itself and the cell after."""
    offset = (i + 0.5) / 4 - 0.5
    return [(1, 1 - abs(offset)), (0 if offset < 0 else 2, abs(offset))]
