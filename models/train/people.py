"""What the teacher knows about the people in a photo: faces with landmarks, matte, hair and skin.

The networks are MediaPipe's (Apache-2.0), as ONNX files in one folder; README.md says where each comes from.
All pictures are float32 RGB, H x W x 3, 0..1; all masks float32, H x W, 0..1; points are x, y in pixels.
"""
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

Array = np.ndarray

# Landmark numbers of MediaPipe's face mesh, in drawing order.
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
JAW = [93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323]
# (upper lid, lower lid) from the outer to the inner corner; iris centre and rim; brow's upper and lower edge.
EYES = (([33, 246, 161, 160, 159, 158, 157, 173, 133], [33, 7, 163, 144, 145, 153, 154, 155, 133], 468, range(469, 473)),
        ([263, 466, 388, 387, 386, 385, 384, 398, 362], [263, 249, 390, 373, 374, 380, 381, 382, 362], 473, range(474, 478)))
BROWS = (([70, 63, 105, 66, 107], [46, 53, 52, 65, 55]), ([300, 293, 334, 296, 336], [276, 283, 282, 295, 285]))
LIPS_UPPER = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]
LIPS_LOWER = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]
MOUTH_UPPER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
MOUTH_LOWER = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
NOSE_BASE = [98, 97, 2, 326, 327]
CHEEKS = (50, 280)              # where they blush
CHEEKS_WIDE = (205, 425, 50, 280, 101, 330)     # the whole cheeks
CHEEK_FLATS = (205, 425)        # where their colour is measured


@dataclass
class Face:
    box: Array          # x0, y0, x1, y1
    points: Array       # 478 x 2

    @property
    def eye_distance(self) -> float:
        return float(np.linalg.norm(self.points[468] - self.points[473]))

    def scaled(self, factor: float) -> "Face":
        return Face(self.box * factor, self.points * factor)


def session(path: Path, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(net: ort.InferenceSession, x: Array) -> list[Array]:
    return net.run(None, {net.get_inputs()[0].name: x.astype(np.float32)})


class Segmenter:
    """Where people are, as panelcam decides it: `src/inference/segmenter.rs` in Python."""

    def __init__(self, path: Path = Path(__file__).parent.parent / "people" / "segmenter.onnx"):
        self.net = session(path)

    def look(self, photo: Array) -> Array:
        """What it sees, 144 x 256 whatever the photo's size."""
        seen = cv2.resize(photo, (256, 144), interpolation=cv2.INTER_AREA)[None]
        return run(self.net, seen)[0][0, ..., 0].clip(0, 1)

    def cells(self, photo: Array) -> Array:
        """The student's input: the share of each cell that is people."""
        h, w = photo.shape[:2]
        return cv2.resize(self.look(photo), (w // 16, h // 16), interpolation=cv2.INTER_AREA)

    def matte(self, photo: Array, own: Array) -> Array:
        """The network's matte only moves the edge of the segmenter's: odds times the root of the other's odds."""
        people = cv2.resize(self.look(photo), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        odds = lambda share, doubt: share.clip(doubt, 1 - doubt) / (1 - share.clip(doubt, 1 - doubt))
        both = odds(people, 0.004) * np.sqrt(odds(own, 0.05))
        return both / (1 + both)


class Vision:
    """The networks that look at a photo. `folder` holds their ONNX files."""

    def __init__(self, folder: Path):
        self.detector = session(folder / "v2_face_detector.onnx")
        self.mesh = session(folder / "v2_face_landmarks_detector.onnx")
        self.square = session(folder / "selfie_segmentation_std.onnx")
        self.wide = session(folder / "selfie_segmentation_landscape_std.onnx")
        hair = folder / "hair_segmentation_std.onnx"
        self.hair_net = session(hair) if hair.exists() else None
        self.anchors = _anchors()

    def faces(self, photo: Array, threshold: float = 0.5, smallest: float = 0.04) -> list[Face]:
        """Faces with landmarks, largest first. Faces narrower than `smallest` of the photo are left out."""
        h, w = photo.shape[:2]
        side = max(h, w)
        square = np.zeros((side, side, 3), np.float32)
        x0, y0 = (side - w) // 2, (side - h) // 2
        square[y0:y0 + h, x0:x0 + w] = photo
        x = cv2.resize(square, (128, 128), interpolation=cv2.INTER_AREA)[None] * 2 - 1
        out = run(self.detector, x)
        boxes = next(o for o in out if o.shape[-1] == 16)[0]
        logits = next(o for o in out if o.shape[-1] == 1)[0, :, 0]
        found: list[Face] = []
        for i in np.argsort(-logits):
            if logits[i] < np.log(threshold / (1 - threshold)):
                break
            r = boxes[i] / 128
            centre, size = r[:2] + self.anchors[i], r[2:4]
            box = np.concatenate([centre - size / 2, centre + size / 2]) * side - [x0, y0, x0, y0]
            if size[0] < smallest or any(_overlap(box, f.box) > 0.3 for f in found):
                continue
            eyes = (r[4:].reshape(6, 2) + self.anchors[i])[:2] * side
            points, probability = self._landmarks(photo, box, eyes[1] - eyes[0])
            if probability > 0.6:
                found.append(Face(box, points))
        return sorted(found, key=lambda f: -f.eye_distance)

    def _landmarks(self, photo: Array, box: Array, eyes: Array) -> tuple[Array, float]:
        """478 points from a crop that is turned so that the eyes are level."""
        centre, size = (box[:2] + box[2:]) / 2, max(box[2:] - box[:2]) * 1.5
        angle, n = np.arctan2(eyes[1], eyes[0]), 256
        c, s = np.cos(angle) * size / n, np.sin(angle) * size / n
        m = np.array([[c, -s, centre[0] - c * n / 2 + s * n / 2], [s, c, centre[1] - s * n / 2 - c * n / 2]], np.float32)
        crop = cv2.warpAffine(photo, m, (n, n), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        out = run(self.mesh, crop[None])
        points = out[0].reshape(478, 3)[:, :2] @ m[:, :2].T + m[:, 2]
        return points.astype(np.float32), float(1 / (1 + np.exp(-out[1].ravel()[0])))

    def matte(self, photo: Array) -> Array:
        """The people: two segmenters fused, holes filled, the edge drawn to the photo's own edge."""
        h, w = photo.shape[:2]
        votes = []
        for net, (nw, nh) in ((self.square, (256, 256)), (self.wide, (256, 144))):
            for flip in (False, True):
                x = cv2.resize(photo[:, ::-1] if flip else photo, (nw, nh), interpolation=cv2.INTER_AREA)
                m = run(net, x[None])[0].reshape(nh, nw)
                # The wide network is weak on tall pictures: its vote counts less there.
                votes.append((cv2.resize(m[:, ::-1] if flip else m, (w, h)), 1.0 if nw == nh else 0.5))
        m = sum(v * k for v, k in votes) / sum(k for _, k in votes)
        m = _fill_holes(m)
        refined = guided(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), m, max(3, round(max(h, w) / 100)), 1e-3)
        return np.clip((refined - 0.5) * 1.6 + 0.5, 0, 1).astype(np.float32)

    def hair(self, photo: Array) -> Array:
        h, w = photo.shape[:2]
        if self.hair_net is None:
            return np.zeros((h, w), np.float32)
        x = np.zeros((1, 512, 512, 4), np.float32)
        x[0, ..., :3] = cv2.resize(photo, (512, 512))
        logits = run(self.hair_net, x)[0][0]
        return cv2.resize(1 / (1 + np.exp(np.clip(logits[..., 0] - logits[..., 1], -30, 30))), (w, h)).astype(np.float32)


def beards(photo: Array, faces: list[Face]) -> Array:
    """Beards and moustaches, white to black; stubble, red and thin ones are missed. White and grey ones have less colour than skin that
    is as light, black ones less colour and less light. Where shade lies on one whole side of a face, dark is no sign."""
    lab = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB)
    out = np.zeros(photo.shape[:2], np.float32)
    for face in faces:
        unit, p = face.eye_distance, face.points
        if unit < 12:
            continue
        smooth = cv2.GaussianBlur(lab, (0, 0), max(0.7, 0.045 * unit))
        cheeks = [smooth[_disc(out.shape, p[i], max(2, round(0.13 * unit)))] for i in CHEEKS_WIDE[2:]]
        skin = np.median(np.concatenate(cheeks), 0)
        chroma = np.hypot(smooth[..., 1], smooth[..., 2]) / max(4.0, float(np.hypot(*skin[1:])))
        light = np.maximum(smooth[..., 0], 6) / skin[0]
        # What is hair for sure, and what is if it lies beside that.
        (grey, dark), (greyish, darkish) = (((chroma < c * light) & (light > 0.42), (light < l) & (chroma < d))
                                            for c, l, d in ((0.73, 0.64, 0.72), (0.84, 0.72, 0.78)))
        if min(np.median(c[:, 0]) for c in cheeks) < 0.72 * skin[0]:
            dark[:] = darkish[:] = False

        down, across = p[152] - p[2], (p[473] - p[468]) / np.linalg.norm(p[473] - p[468]) * unit
        lips = np.concatenate([p[LIPS_UPPER], p[LIPS_LOWER][::-1]])
        mouth = _filled(out.shape, (lips - lips.mean(0)) * 1.05 + lips.mean(0))

        def hairy(top: Array, bottom: Array, half: float) -> bool:
            """Whether there is hair on both sides of a line: clearly, or black."""
            sides = [_filled(out.shape, np.array([top, bottom, bottom + s * across, top + s * across])) & ~mouth for s in (-half, half)]
            least = lambda mask: min(float(mask[side].mean()) if side.any() else 0 for side in sides)
            return least(grey | dark) > 0.5 or least(dark) > 0.35

        place = np.zeros(out.shape, bool)
        if hairy(p[2] + 0.25 * (p[0] - p[2]), p[0], 0.30):
            corners = p[[291, 61]] + 0.10 * down + np.array([[0.12], [-0.12]]) * across
            place |= _filled(out.shape, np.concatenate([p[[205, 2, 425]], corners]))
        if hairy(p[17] + 0.15 * (p[152] - p[17]), p[17] + 0.85 * (p[152] - p[17]), 0.28):
            jaw = p[JAW[2:-2]]
            below = jaw + 0.30 * down * np.sin(np.linspace(0, np.pi, len(jaw)))[:, None]
            place |= _filled(out.shape, np.concatenate([below, p[[425, 2, 205]]]))
        place &= ~mouth
        found = ((greyish | darkish) & place).astype(np.uint8)
        if not found.any():
            continue
        ball = lambda r: cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(r * unit)) + 1,) * 2)
        found = cv2.morphologyEx(cv2.morphologyEx(found, cv2.MORPH_OPEN, ball(0.03)), cv2.MORPH_CLOSE, ball(0.14)) * place.astype(np.uint8)
        n, label, stats, _ = cv2.connectedComponentsWithStats(found)
        small = stats[:, cv2.CC_STAT_AREA] < 0.03 * unit * unit
        found[small[label]] = 0
        out = np.maximum(out, cv2.GaussianBlur(found.astype(np.float32), (0, 0), max(0.6, 0.03 * unit)))
    return out


def _filled(shape: tuple[int, ...], points: Array) -> Array:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.int32(points)], 1)
    return mask > 0


def _disc(shape: tuple[int, ...], centre: Array, radius: int) -> Array:
    mask = np.zeros(shape, np.uint8)
    cv2.circle(mask, tuple(int(v) for v in centre), radius, 1, -1)
    return mask > 0


def skin_mask(lab: Array, faces: list[Face], matte: Array, hair: Array) -> Array:
    """Skin of face, neck and hands: what lies in the people, is no hair and has the colour of their cheeks."""
    h, w = lab.shape[:2]
    skin = np.zeros((h, w), np.float32)
    for face in faces:
        oval = np.zeros((h, w), np.uint8)
        cv2.fillPoly(oval, [np.int32(face.points[OVAL])], 255)
        inside = (oval > 0) & (hair < 0.5)
        if inside.sum() < 50:
            continue
        sample = lab[inside]
        middle = np.median(sample, 0)
        spread = np.maximum(1.4826 * np.median(np.abs(sample - middle), 0), [8, 3.5, 3.5])
        distance = (((lab - middle) / spread / [1.5, 1.2, 1.2]) ** 2).sum(-1)
        alike = np.exp(-np.maximum(distance - 1.5, 0) * 0.7)
        # Inside the face more passes for skin, but glasses, beard and face paint do not.
        # Shine is skin however bright it is, but around the mouth what is bright and has no colour is a white beard.
        loose = np.exp(-np.maximum(distance - 11, 0) * 0.35)
        chroma = np.hypot(lab[..., 1], lab[..., 2]) / max(1.0, float(np.hypot(*middle[1:])))
        loose = np.maximum(loose, np.clip((lab[..., 0] - middle[0] - 4) / 4, 0, 1))
        nose, chin = face.points[2], face.points[152]
        yy, xx = np.mgrid[:h, :w]
        below = ((xx - nose[0]) * (chin - nose)[0] + (yy - nose[1]) * (chin - nose)[1]) > 0
        bright = lab[..., 0] > middle[0] - 4
        loose = np.where(below & bright, loose * np.clip((chroma - 0.42) / 0.2, 0, 1), loose)
        reach = face.box[2] - face.box[0]
        centre = (face.box[:2] + face.box[2:]) / 2
        near = ((xx - centre[0]) ** 2 + (yy - centre[1]) ** 2) < (3.0 * reach) ** 2
        own = np.maximum(alike * near, loose * cv2.GaussianBlur(oval.astype(np.float32) / 255, (0, 0), max(1, reach / 60)))
        skin = np.maximum(skin, np.maximum(own, shine(lab[..., 0] > middle[0] + 2, face, own, hair)))
    skin *= matte * (1 - hair)
    k = max(1, round(max(h, w) / 256))
    skin = cv2.medianBlur((skin * 255).astype(np.uint8), 2 * k + 1).astype(np.float32) / 255
    return cv2.GaussianBlur(skin, (0, 0), k * 0.7)


def shine(bright: Array, face: Face, skin: Array, hair: Array) -> Array:
    """Shine on a forehead, which the landmarks' oval does not reach: what is bright, lies between skin and hair, and nowhere else."""
    p = face.points[OVAL]
    up = face.points[[468, 473]].mean(0) - face.points[152]
    above = np.maximum(0, (p - face.points[[468, 473]].mean(0)) @ up / (up @ up))
    head = _filled(bright.shape, p + 0.7 * above[:, None] * up)
    n, label, stats, _ = cv2.connectedComponentsWithStats(((skin < 0.6) & (hair < 0.5) & bright).astype(np.uint8))
    out = np.zeros(bright.shape, np.uint8)
    for i in np.unique(label[head])[1:]:
        spot = label == i
        if stats[i, cv2.CC_STAT_AREA] > 0.9 * face.eye_distance ** 2 or (spot & ~head).sum() > 0.1 * spot.sum():
            continue
        rim = (cv2.dilate(spot.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~spot
        if (skin[rim] >= 0.6).mean() > 0.4 and ((skin[rim] >= 0.6) | (hair[rim] >= 0.5)).mean() > 0.85:
            out[spot] = 255
    size = max(1, round(0.07 * face.eye_distance))
    return cv2.GaussianBlur(cv2.dilate(out, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * size + 1,) * 2)).astype(np.float32) / 255, (0, 0), size / 3)


def guided(guide: Array, x: Array, radius: int, eps: float) -> Array:
    """He's guided filter, one channel: `x` smoothed along the edges of `guide`."""
    k = (2 * radius + 1,) * 2
    mg, mx = cv2.blur(guide, k), cv2.blur(x, k)
    a = (cv2.blur(guide * x, k) - mg * mx) / (cv2.blur(guide * guide, k) - mg * mg + eps)
    return cv2.blur(a, k) * guide + cv2.blur(mx - a * mg, k)


def _fill_holes(m: Array) -> Array:
    """Holes inside people and crumbs beside them go: clothing is where the segmenters miss."""
    h, w = m.shape
    solid = (m > 0.5).astype(np.uint8)
    k = max(3, max(h, w) // 40)
    solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k)))
    n, label, stats, _ = cv2.connectedComponentsWithStats(solid)
    for i in range(1, n):
        if stats[i, cv2.CC_STAT_AREA] < 0.004 * h * w:
            solid[label == i] = 0
    # Holes: background pieces that do not reach the upper three edges. The lower edge counts as body.
    n, label, stats, _ = cv2.connectedComponentsWithStats(1 - solid)
    for i in range(1, n):
        x, y, bw, bh, area = stats[i]
        closed = x > 0 and y > 0 and x + bw < w
        if closed and area < 0.03 * h * w:
            solid[label == i] = 1
    inside = cv2.GaussianBlur(cv2.erode(solid, np.ones((5, 5), np.uint8)).astype(np.float32), (0, 0), 1.5)
    outside = cv2.GaussianBlur(cv2.dilate(solid, np.ones((9, 9), np.uint8)).astype(np.float32), (0, 0), 1.5)
    return np.minimum(np.maximum(m, inside), outside).astype(np.float32)


def _anchors() -> Array:
    """Centres of the detector's 896 boxes, 0..1: two a cell at stride 8, six at stride 16."""
    out = []
    for cells, n in ((16, 2), (8, 6)):
        out += [((x + 0.5) / cells, (y + 0.5) / cells) for y in range(cells) for x in range(cells) for _ in range(n)]
    return np.array(out, np.float32)


def _overlap(a: Array, b: Array) -> float:
    w = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return w / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w + 1e-9)
