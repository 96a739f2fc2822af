"""Mix the weights a training started from with those it ended with: steadier and less forgetful than either.

    python mix.py START END --share 0.7 --out RUN

After Wortsman et al., Robust fine-tuning of zero-shot models (2022): on the line between both, what the start knew of
pictures the second training did not see, and calm under noise, mostly stay, and what was new is mostly there.
Measure some shares on held-out photos before choosing one. RUN/weights.pt can be exported.
"""
import argparse
from pathlib import Path

import torch

from student import Student, read_weights
from styles import STYLES
from train import start_from


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("start", type=Path)
    a.add_argument("end", type=Path)
    a.add_argument("--share", type=float, default=0.7, help="of the end, 0..1")
    a.add_argument("--seed", type=int, default=0, help="of the training")
    a.add_argument("--out", type=Path, required=True)
    a = a.parse_args()
    # What is new in the network began with the seed of `train.py`.
    torch.manual_seed(a.seed)
    base = Student(len(STYLES))
    start_from(base, read_weights(a.start))
    start, end = base.state_dict(), read_weights(a.end)
    a.out.mkdir(parents=True, exist_ok=True)
    torch.save({name: start[name].lerp(end[name], a.share) for name in end}, a.out / "weights.pt")


if __name__ == "__main__":
    main()
