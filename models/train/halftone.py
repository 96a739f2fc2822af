"""Prints a drawing's middle tones in dots, for reports and thumbnails. Live the compositor does it, at the program's size
(`src/compositor/halftone.rs`, where the numbers are explained): what the student draws has plain tones."""
import cv2
import numpy as np

from people import Array
from styles import Style


def printed(picture: Array, style: Style, side: int = 8) -> Array:
    """The picture, RGB 0..1, with dots of the style's ink; the screen repeats itself every `side` pixels, an even number."""
    if not style.halftone:
        return picture
    h, w = picture.shape[:2]
    wave = np.cos((np.arange(side) + 0.25) * 2 * np.pi / side)
    height = np.outer(wave, wave)
    rank = np.empty(side * side)
    rank[height.ravel().argsort()[::-1]] = (np.arange(side * side) + 0.5) / (side * side)
    screen = np.tile(rank.reshape(side, side), (h // side + 1, w // side + 1))[:h, :w, None]
    bright = (picture @ np.array([77, 150, 29], np.float32) / 256)[..., None]
    around = np.ones((5, 5), np.uint8)
    edge = (cv2.dilate(bright, around) - cv2.erode(bright, around))[..., None]
    rise = lambda value, low, high: np.clip((value * 255 - low) / (high - low), 0, 1)
    amount = rise(bright, 26, 51) * (1 - rise(bright, 163, 194)) * (1 - rise(edge, 24, 60))
    cover = np.minimum((1 - bright) * style.halftone, 0.875)
    ink = np.array(style.ink, np.float32)
    on = ((cover - screen) * side / 2.6 + 0.5).clip(0, 1)
    return (picture + amount * (picture - ink) * ((1 - on) / (1 - cover) - 1)).clip(0, 1).astype(np.float32)
