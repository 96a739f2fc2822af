#!/usr/bin/env python3
"""Compares what panelcam finds out about real models with what their makers say: each is added without
a description, draws a photo, and so does ONNX Runtime in Python with the right values in and out.

    pip install numpy onnxruntime==1.28.0 pillow; ./reference.py PANELCAM MODELS PHOTO

MODELS is a folder with some of the files below; those that are missing are skipped. PANELCAM is the
program. Fails when a picture is further off than 35 dB.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

LEAST = 35.0  # dB


def nchw(pixels):
    return pixels.transpose(2, 0, 1)[None]


def udnie(net, pixels):
    kind = np.float16 if "16" in net.get_inputs()[0].type else np.float32
    drawn = net.run(None, {net.get_inputs()[0].name: nchw(pixels).astype(kind)})[0]
    return drawn[0].astype(np.float32).transpose(1, 2, 0)


def whitebox(net, pixels):
    drawn = net.run(None, {net.get_inputs()[0].name: (pixels / 127.5 - 1)[None]})[0]
    return (drawn[0] + 1) * 127.5


def multistyle(net, pixels, style=3):
    weights = np.zeros(26, np.float32)
    weights[style] = 1
    feed = {i.name: weights.reshape([1, 26][-len(i.shape):]) if 26 in i.shape else nchw(pixels / 255) for i in net.get_inputs()}
    return net.run(None, feed)[0][0].transpose(1, 2, 0) * 255


# File, side of the photo, which of the styles it becomes, how it is run.
MODELS = [
    ("whitebox_dyn_nhwc.onnx", 320, 0, whitebox),
    ("whitebox_cartoon_gan_fp16.onnx", 224, 0, whitebox),
    ("fst_udnie.onnx", 320, 0, udnie),
    ("fst_udnie_fp16_io16.onnx", 320, 0, udnie),
    ("multistyle26.onnx", 320, 3, multistyle),
]


def main():
    program, models, photo = (Path(path).resolve() for path in sys.argv[1:4])
    wrong = False
    for name, side, style, run in MODELS:
        file = models / name
        if not file.exists():
            print(f"SKIPPED: {name} is not there")
            continue
        with tempfile.TemporaryDirectory() as home:
            env = {**os.environ, "PANELCAM_HOME": home + "/home"}
            call = lambda *words: subprocess.run([program, *words], cwd=home, env=env, check=True, capture_output=True, text=True).stdout
            picture = Image.open(photo).convert("RGB").resize((side, side), Image.LANCZOS)
            picture.save(home + "/in.png")
            started = time.time()
            styles = call("styles", "add", str(file)).split()
            took = time.time() - started
            call("convert", "in.png", "out.png", "--style", styles[style], "--quality", "full", "--smoothing", "0", "--page", "none")
            found = np.asarray(Image.open(home + "/out.png").convert("RGB"), np.float32)
        net = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
        expected = run(net, np.asarray(picture, np.float32)).clip(0, 255)[:side, :side]
        psnr = 10 * np.log10(255**2 / max(1e-9, ((found - expected) ** 2).mean()))
        wrong |= psnr < LEAST
        print(f"{name}: {psnr:.1f} dB, added in {took:.1f} s")
    sys.exit(int(wrong))


main()
