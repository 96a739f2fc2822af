"""Take the portraits that a git repository publishes, and published before, into a folder of photos.

    python gather.py CHECKOUT 'PATTERN' --named us_senate --out PHOTOS --teachers FOLDER

`PATTERN` is a git pathspec, `us-senate/images/headshots/1024x1024/*`. Each portrait becomes `NAMED_its-name`; `collections.toml` must know
that. Skipped are pictures without a face that is large enough, grey ones, those of a name that PHOTOS has under the same first word
(`us`) in whatever order its parts are, and pictures that PHOTOS has already. Of round ones the square within is kept.
Look at what was found: paintings and film stills must be taken out by hand.
"""
import argparse
import re
import subprocess
import unicodedata
from pathlib import Path

import cv2
import numpy as np

from data import PICTURES, collection_of, read
from people import Array, Vision

FACE = 70               # least width of a face, in pixels
SAME = 30               # of 256 comparisons of neighbours, how many may differ in one and the same picture


def portraits(checkout: Path, pattern: str) -> dict[str, str]:
    """Paths of all commits with their newest contents."""
    log = ["git", "-C", str(checkout), "log", "--all", "--format=", "--raw", "--no-abbrev", "--diff-filter=AM", "--", pattern]
    found: dict[str, str] = {}
    for line in subprocess.run(log, capture_output=True, text=True, check=True).stdout.splitlines():
        facts, path = line.split("\t", 1)
        if Path(path).suffix.lower() in PICTURES:
            found.setdefault(path, facts.split()[3])
    return found


def name_of(path: str) -> str:
    plain = unicodedata.normalize("NFKD", Path(path).stem.lower().replace("_", "-")).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9-]", "", plain).removesuffix("-headshot")


def parts_of(stem: str) -> tuple[str, ...]:
    """First word and parts of a name: one may be written first name first or last."""
    first, _, name = stem.split("_", 2)
    return first, *sorted(name.split("-"))


def looks(picture: Array) -> Array:
    """What stays when a picture is made smaller or saved again: which of two neighbours is brighter."""
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (17, 16), interpolation=cv2.INTER_AREA)
    return (grey[:, 1:] > grey[:, :-1]).ravel()


def squared(picture: Array) -> Array:
    """A round picture on one colour, without its corners."""
    h, w = picture.shape[:2]
    yy, xx = np.mgrid[:h, :w]
    far = np.hypot((yy + 0.5) / h - 0.5, (xx + 0.5) / w - 0.5)
    outside = picture[far > 0.515].astype(int)
    ground = np.median(outside, 0)
    unlike = lambda pixels, by: (np.abs(pixels.astype(int) - ground).max(-1) > by).mean()
    if abs(h - w) > 0.04 * h or unlike(outside, 10) > 0.03 or unlike(picture[(far > 0.45) & (far < 0.485)], 20) < 0.3:
        return picture
    y, x = round(0.1464 * h) + 2, round(0.1464 * w) + 2
    return picture[y:h - y, x:w - x]


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("checkout", type=Path)
    a.add_argument("pattern")
    a.add_argument("--named", required=True, help="what file names begin with: two words with _ between them")
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--teachers", type=Path, required=True)
    a = a.parse_args()
    vision = Vision(a.teachers)
    a.out.mkdir(parents=True, exist_ok=True)
    there = [f for f in a.out.iterdir() if f.suffix.lower() in PICTURES]
    names = {parts_of(f.stem) for f in there if f.stem.count("_") > 1}
    pictures = [looks(p) for f in there if (p := cv2.imread(str(f))) is not None]
    taken = 0
    for path, blob in portraits(a.checkout, a.pattern).items():
        target = a.out / f"{a.named}_{name_of(path)}.png"
        assert collection_of(target), f"collections.toml has no collection for {target.name}"
        data = subprocess.run(["git", "-C", str(a.checkout), "cat-file", "blob", blob], capture_output=True).stdout
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if picture is None or picture.std(-1).mean() < 3 or parts_of(target.stem) in names:
            continue
        own = looks(picture)
        if min(((own != other).sum() for other in pictures), default=256) <= SAME:
            continue
        temporary = target.with_name(target.stem + ".part.png")
        cv2.imwrite(str(temporary), squared(picture))
        photo = read(temporary, 512)
        faces = [] if photo is None else vision.faces(photo)
        if not faces or (faces[0].box[2] - faces[0].box[0]) * max(picture.shape[:2]) / 512 < FACE:
            temporary.unlink()
            continue
        temporary.rename(target)
        names.add(parts_of(target.stem))
        pictures.append(own)
        taken += 1
    print(taken, "portraits taken")


if __name__ == "__main__":
    main()
