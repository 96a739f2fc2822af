"""The drawing teacher: a slow, careful renderer from photo to webtoon drawing.

A photo is shrunk until a face is about 76 px wide, so that skin texture is gone but eyes are not, and redrawn at
four times that size by an anime super-resolution network (Real-ESRGAN animevideov3, BSD-3). What follows is drawn
with knowledge of what is where: skin gets two tones of the person's own colour, eyes, brows, nose and mouth are drawn
from landmarks, hair gets few tones, the background is simpler and paler, outlines are heavier than inner lines.
A style is a set of numbers (`styles.py`). All pictures are float32 RGB, H x W x 3, 0..1.
"""
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

import people
from people import Array, Face, Vision
from styles import Style

FACE_LOW, LOW_MIN, LOW_MAX = 76, 128, 288


class Teacher:
    def __init__(self, folder: Path):
        self.vision = Vision(folder)
        self.redrawer = people.session(folder / "realesr_animevideov3_x4.onnx")

    def look(self, photo: Array, known: Array | None = None) -> "Scene":
        """Everything that does not depend on the style. `known`: the matte of a person put there; others are looked for."""
        faces = self.vision.faces(photo)
        matte = self.vision.matte(photo) if known is None or len(faces) > 1 else known
        if known is not None:
            matte = np.maximum(matte, known)
        elif not faces and matte.mean() < 0.02:
            matte = np.zeros_like(matte)
        low = 176.0
        if faces:
            low = FACE_LOW / (faces[0].box[2] - faces[0].box[0]) * max(photo.shape[:2])
        return Scene(photo, self._redraw(photo, float(np.clip(low, LOW_MIN, LOW_MAX))), faces, matte, self.vision.hair(photo), people.beards(photo, faces))

    def _redraw(self, photo: Array, low: float) -> Array:
        h, w = photo.shape[:2]
        scale = low / max(h, w)
        size = max(8, round(w * scale / 4) * 4), max(8, round(h * scale / 4) * 4)
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        out = people.run(self.redrawer, small.transpose(2, 0, 1)[None])[0]
        return out[0].transpose(1, 2, 0).clip(0, 1)


@dataclass
class Scene:
    """A photo and what was seen in it. `scaled` gives the same scene at another size."""
    photo: Array
    redrawn_big: Array
    faces: list[Face]
    matte: Array
    head_hair: Array
    beard: Array

    def scaled(self, factor: float) -> "Scene":
        h, w = self.photo.shape[:2]
        size = round(w * factor), round(h * factor)
        resize = lambda x: cv2.resize(x, size, interpolation=cv2.INTER_AREA)
        return Scene(resize(self.photo), self.redrawn_big, [f.scaled(factor) for f in self.faces],
                     resize(self.matte), resize(self.head_hair), resize(self.beard))

    def cropped(self, h: int, w: int) -> "Scene":
        """The top left h x w of the scene."""
        if self.photo.shape[:2] == (h, w):
            return self
        big = self.redrawn_big
        bh, bw = (round(b * v / full) for b, v, full in zip(big.shape, (h, w), self.photo.shape))
        return Scene(self.photo[:h, :w], big[:bh, :bw], self.faces, self.matte[:h, :w], self.head_hair[:h, :w], self.beard[:h, :w])

    @cached_property
    def hair(self) -> Array:
        return np.maximum(self.head_hair, self.beard)

    @cached_property
    def redrawn(self) -> Array:
        return cv2.resize(self.redrawn_big, self.photo.shape[1::-1], interpolation=cv2.INTER_AREA)

    @cached_property
    def flat(self) -> Array:
        """The redrawn photo without texture. The background loses more."""
        p = self.redrawn
        for _ in range(3):
            p = cv2.bilateralFilter(p, 9, 0.10, 5)
        far = cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for _ in range(3):
            far = cv2.bilateralFilter(far, 9, 0.18, 5)
        far = cv2.GaussianBlur(cv2.resize(far, p.shape[1::-1], interpolation=cv2.INTER_CUBIC), (0, 0), 1.4)
        return mix(far, p, self.matte)

    @cached_property
    def lab(self) -> Array:
        return cv2.cvtColor(self.flat, cv2.COLOR_RGB2LAB)

    @cached_property
    def skin(self) -> Array:
        return people.skin_mask(cv2.cvtColor(self.redrawn, cv2.COLOR_RGB2LAB), self.faces, self.matte, self.hair)

    @cached_property
    def complexions(self) -> list["Complexion"]:
        return [c for n, _ in enumerate(self.faces) if (c := complexion(self, n)) is not None]

    @cached_property
    def nearest(self) -> Array:
        """The face each pixel's skin belongs to: the nearest one, measured in that face's size."""
        if len(self.faces) < 2:
            return np.zeros(self.photo.shape[:2], np.int64)
        yy, xx = np.mgrid[:self.photo.shape[0], :self.photo.shape[1]]
        return np.argmin([np.hypot(xx - f.points[4, 0], yy - f.points[4, 1]) / f.eye_distance for f in self.faces], 0)

    @cached_property
    def features(self) -> dict[str, Array]:
        """Masks of what is drawn from landmarks: one float map a name, the faces together."""
        names = "lash under lid white iris pupil light glow shade brow nose lips mouth seam jaw blush keep socket tight".split()
        maps = {n: np.zeros(self.photo.shape[:2], np.float32) for n in names}
        for face in self.faces:
            for name, part in draw_features(face, self.photo.shape[:2]).items():
                maps[name] = np.maximum(maps[name], part)
        # Glasses stay where eyes make room.
        frames = ink_lines(cv2.cvtColor(self.redrawn, cv2.COLOR_RGB2GRAY), 1.2, -0.022, 60) * (1 - maps["tight"])
        unit = self.faces[0].eye_distance if self.faces else 1.0
        maps["room"] = cv2.GaussianBlur(maps["socket"], (0, 0), max(0.8, 0.02 * unit)) * (1 - frames)
        maps["jaw"] *= cv2.GaussianBlur(self.skin, (0, 0), 2) * (1 - self.hair)
        return maps

    @cached_property
    def eye_colour(self) -> Array:
        m = self.features["iris"] > 0.5
        return np.median(self.redrawn[m], 0) if m.sum() > 4 else np.array([0.25, 0.17, 0.13], np.float32)

    @cached_property
    def depth(self) -> Array:
        """How heavy a line may be at each place: the person's outline most, clothes and hair, background, skin least."""
        matte = cv2.GaussianBlur(self.matte, (0, 0), 1.0)
        edge = cv2.GaussianBlur(np.hypot(cv2.Sobel(matte, -1, 1, 0), cv2.Sobel(matte, -1, 0, 1)), (0, 0), 1.5)
        return np.clip(edge * 1.2, 0, 1)


def draw_features(face: Face, shape: tuple[int, int]) -> dict[str, Array]:
    """Eyes, brows, nose and mouth as strokes and shapes, drawn at four times the size and averaged down."""
    h, w = shape
    out: dict[str, Array] = {}
    points, unit = face.points, face.eye_distance / 100   # strokes are in hundredths of the eye distance
    x0, y0 = np.floor(points.min(0) - 30 * unit).astype(int)
    x1, y1 = np.ceil(points.max(0) + 30 * unit).astype(int)
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(w, x1), min(h, y1)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return out
    zoom = 4
    p = (points - [x0, y0]) * zoom

    def canvas() -> Array:
        return np.zeros(((y1 - y0) * zoom, (x1 - x0) * zoom), np.uint8)

    def put(name: str, c: Array) -> None:
        full = np.zeros(shape, np.float32)
        full[y0:y1, x0:x1] = cv2.resize(c, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA) / 255.0
        out[name] = np.maximum(out[name], full) if name in out else full

    def fill(c: Array, shape_points: Array) -> Array:
        cv2.fillPoly(c, [np.int32(shape_points * 16)], 255, cv2.LINE_AA, 4)
        return c

    def stroke(c: Array, line: Array, width: float, taper: tuple[float, float] = (0.2, 0.2)) -> Array:
        """A pen stroke: a smooth curve whose width swells from `taper[0]` to full and thins to `taper[1]`."""
        curve = smooth_curve(line, 48)
        t = np.linspace(0, 1, len(curve))
        swell = np.minimum(1, np.minimum(taper[0] + t * 3.5, taper[1] + (1 - t) * 3.5))
        for (a, b), s in zip(zip(curve[:-1], curve[1:]), swell):
            cv2.line(c, *(tuple(np.int32(v * 16)) for v in (a, b)), 255, max(1, round(width * unit * zoom * s)), cv2.LINE_AA, 4)
        return c

    for upper, lower, centre, rim in people.EYES:
        up, low = p[upper], p[lower]
        width = np.linalg.norm(up[0] - up[-1])
        opened = np.linalg.norm(up[4] - low[4]) / max(width, 1e-3)
        normal = (up[4] - low[4]) / (np.linalg.norm(up[4] - low[4]) + 1e-6)
        # What the photo has around an eye, lashes, folds and their shadow, makes room for what is drawn.
        put("socket", fill(canvas(), (np.concatenate([up, low[::-1]]) - up.mean(0)) * [1.25, 1.9] + up.mean(0)))
        put("tight", fill(canvas(), (np.concatenate([up, low[::-1]]) - up.mean(0)) * [1.12, 1.3] + up.mean(0)))
        if opened > 0.13:
            # Drawn eyes are opener than real ones, most in their middle; the corners stay.
            arch = np.sin(np.linspace(0, np.pi, len(up)))[:, None]
            more = min(0.09, 0.05 + 0.12 * opened) * width * arch * normal
            up, low = up + 0.7 * more, low - 0.3 * more
        lash = up + normal * 0.03 * width
        lash[0] = lash[0] + (up[0] - up[-1]) * 0.12 + normal * 0.05 * width       # the wing at the outer corner
        put("lash", stroke(canvas(), lash, 5.8, (0.4, 0.25)))
        put("under", stroke(canvas(), low[1:-3], 1.6))
        put("lid", stroke(canvas(), up[1:-1] + normal * 0.17 * width, 1.6))        # the crease above
        if opened > 0.13:
            eye = fill(canvas(), np.concatenate([up, low[::-1]]))
            radius = np.linalg.norm(p[list(rim)] - p[centre], axis=1).mean()
            radius = min(radius * 1.32, 0.33 * width)
            middle = p[centre] + normal * 0.06 * radius
            at = lambda x, y: tuple(np.int32((middle + normal * y * radius + np.array([x, 0.0]) * radius) * 16))
            iris, pupil, light, glow, shade = (canvas() for _ in range(5))
            cv2.circle(iris, at(0, 0), int(radius * 16), 255, -1, cv2.LINE_AA, 4)
            cv2.circle(pupil, at(0, 0.05), int(radius * 0.48 * 16), 255, -1, cv2.LINE_AA, 4)
            cv2.circle(light, at(-0.36, 0.40), int(radius * 0.32 * 16), 255, -1, cv2.LINE_AA, 4)
            cv2.circle(light, at(0.40, -0.42), int(radius * 0.15 * 16), 255, -1, cv2.LINE_AA, 4)
            cv2.circle(glow, at(0, -0.75), int(radius * 0.85 * 16), 255, -1, cv2.LINE_AA, 4)
            stroke(shade, up, 9.0, (0.6, 0.6))
            put("white", eye)
            put("iris", cv2.min(iris, eye))
            put("pupil", cv2.min(pupil, eye))
            put("light", cv2.min(light, eye))
            put("glow", cv2.min(glow, cv2.min(iris, eye)))
            put("shade", cv2.min(shade, eye))
        put("keep", fill(canvas(), (np.concatenate([up, low[::-1]]) - p[upper].mean(0)) * [1.5, 2.2] + p[upper].mean(0)))
    for upper, lower in people.BROWS:
        over, under = smooth_curve(p[upper], 16), smooth_curve(p[lower], 16)
        put("brow", fill(canvas(), np.concatenate([over, under[::-1]])))
        middle = (over + under) / 2
        put("socket", fill(canvas(), np.concatenate([middle + 1.9 * (over - middle), (middle + 1.7 * (under - middle))[::-1]])))
    base = p[people.NOSE_BASE]
    put("nose", stroke(canvas(), base[[0, 1]] , 3.0))
    put("nose", stroke(canvas(), base[[3, 4]], 3.0))
    put("nose", stroke(canvas(), base[1:4] + [0, 0.5 * unit * zoom], 1.6))
    put("lips", fill(canvas(), np.concatenate([p[people.LIPS_UPPER], p[people.LIPS_LOWER][::-1]])))
    put("mouth", fill(canvas(), np.concatenate([p[people.MOUTH_UPPER], p[people.MOUTH_LOWER][::-1]])))
    seam = (p[people.MOUTH_UPPER] + p[people.MOUTH_LOWER]) / 2
    open_mouth = np.linalg.norm(p[13] - p[14]) > 0.06 * np.linalg.norm(p[78] - p[308])
    seam = p[people.MOUTH_UPPER] if open_mouth else seam
    put("seam", stroke(canvas(), np.concatenate([p[[61]], seam[1:-1], p[[291]]]), 2.8))
    put("seam", stroke(canvas(), p[[84, 17, 314]] + [0, 1.0 * unit * zoom], 1.4))    # under the lower lip
    # The jaw, but not that side of a turned head where the landmarks run across the face.
    left, right = p[people.JAW[0]], p[people.JAW[-1]]
    turned = float(np.dot(p[1] - left, right - left) / max(1.0, np.dot(right - left, right - left)))
    start, end = 0 if turned > 0.27 else 8, len(people.JAW) - (0 if turned < 0.73 else 8)
    put("jaw", stroke(canvas(), p[people.JAW[start:end]], 2.6))
    for cheek in people.CHEEKS:
        c = np.zeros((h, w), np.float32)
        cv2.circle(c, tuple(np.int32(points[cheek])), max(1, int(24 * unit)), 1.0, -1)
        out["blush"] = np.maximum(out.get("blush", 0), cv2.GaussianBlur(c, (0, 0), max(0.8, 9 * unit)))
    # A drawn eye needs a few pixels: small faces keep what the redrawing network made of them.
    size = np.clip((face.eye_distance - 14) / 12, 0, 1)
    return {k: v * (size if k != "keep" else 1) for k, v in out.items()}


def smooth_curve(line: Array, n: int) -> Array:
    """`n` points on a Catmull-Rom curve through the points of `line`."""
    q = np.concatenate([2 * line[:1] - line[1:2], line, 2 * line[-1:] - line[-2:-1]])
    t = np.linspace(0, len(line) - 1 - 1e-6, n)
    i = t.astype(int)
    u = (t - i)[:, None]
    a, b, c, d = q[i], q[i + 1], q[i + 2], q[i + 3]
    return 0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u ** 2 + (3 * b - a - 3 * c + d) * u ** 3)


def ink_lines(grey: Array, sigma: float, threshold: Array | float, hard: float = 60) -> Array:
    """0 where paper, 1 where ink: Winnemoeller's extended difference of Gaussians."""
    d = cv2.GaussianBlur(grey, (0, 0), sigma) - 0.985 * cv2.GaussianBlur(grey, (0, 0), sigma * 1.6)
    return np.clip(-np.tanh(hard * np.minimum(d - threshold, 0)), 0, 1)


def bands(l: Array, width: float, crisp: float) -> Array:
    step = np.floor(l / width)
    return (step + 0.5 + 0.5 * np.tanh((l / width - step - 0.5) * crisp)) * width


def mix(a: Array, b: Array | tuple, weight: Array) -> Array:
    """`a` where `weight` is 0, `b` where it is 1. All arrays at full shape: broadcasting over colour is slow."""
    b = np.asarray(b, np.float32)
    if a.ndim == 3 and weight.ndim == 2:
        weight = cv2.merge((weight.astype(np.float32, copy=False),) * 3)
    if b.shape != a.shape:
        full = np.empty_like(a)
        full[:] = b
        b = full
    return a + weight * (b - a)


def draw(scene: Scene, style: Style) -> Array:
    """One scene drawn in one style."""
    h, w = scene.photo.shape[:2]
    lab, skin, matte, hair, parts = scene.lab.copy(), scene.skin, scene.matte, scene.hair, scene.features
    size = max(h, w) / 512

    # Tones: few and with clean steps, fewest on skin.
    l = lab[..., 0]
    toned = (1 - style.mix) * l + style.mix * bands(cv2.GaussianBlur(l, (0, 0), 1.2), style.band, style.crisp)
    lab[..., 0] = toned
    lab[..., 1:] *= style.chroma
    hair_tones(lab, scene, style)
    skin_tones(lab, scene, style)
    l = 100 * np.clip((lab[..., 0] * style.gain + style.offset) / 100, 0, 1) ** style.gamma
    lab[..., 0] = mix(l, lab[..., 0], 0.5 * skin)
    if style.pigment:
        # Watercolour dries darker along the edge of a wash.
        soft = cv2.GaussianBlur(lab[..., 0], (0, 0), 1.3 * size)
        rim = cv2.GaussianBlur(np.hypot(cv2.Sobel(soft, -1, 1, 0), cv2.Sobel(soft, -1, 0, 1)) / 4, (0, 0), 1.0 * size)
        lab[..., 0] -= style.pigment * np.minimum(rim, 9) * (1 - 0.5 * skin)
    light = lab[..., 0:1] / 100
    tint = light * np.array(style.tint, np.float32) + (1 - light) * np.array(style.shadow_tint, np.float32)
    lab[..., 1:] += tint * (1 - 0.6 * skin[..., None])
    if style.hair_tint is not None:
        dark = np.clip(hair * matte, 0, 1) * style.hair_tint[2]
        lab[..., 1] = mix(lab[..., 1], style.hair_tint[0] + lab[..., 1], dark)
        lab[..., 2] = mix(lab[..., 2], style.hair_tint[1] + lab[..., 2], dark)
    away = (1 - matte) * style.background_fade
    lab = mix(lab, (style.paper_lab[0], *style.paper_lab[1:]), away)
    colour = cv2.cvtColor(np.clip(lab, [0, -110, -110], [100, 110, 110]).astype(np.float32), cv2.COLOR_LAB2RGB).clip(0, 1)
    if style.glow:
        colour = 1 - (1 - colour) * (1 - style.glow * cv2.GaussianBlur(colour, (0, 0), 9 * size))
    colour = keep_complexion(colour, scene, style)

    # Lines: the person's outline heaviest, then clothes and hair, then background; skin none but what is drawn below.
    grey = cv2.cvtColor(scene.redrawn, cv2.COLOR_RGB2GRAY)
    sigma = style.line_sigma * (0.75 + 0.25 * size)
    weight = style.background_lines + (1 - style.background_lines) * matte
    calm_skin = np.maximum(skin * (1 - 0.35 * parts["keep"]), parts["lips"] * 0.9)
    # Wrinkles are faint and go; the frame of glasses is strong and stays.
    calm_skin = calm_skin * (1 - ink_lines(grey, 1.2, -0.022, 60))
    inner = ink_lines(grey, sigma, style.line_eps, style.line_hard) * weight * (1 - style.skin_calm * calm_skin)
    # Hair: a few strong strokes instead of every strand.
    strands = ink_lines(grey, sigma * 1.7, style.line_eps - 0.008, style.line_hard) * weight
    inner = mix(inner, strands, hair * matte * style.hair_shapes)
    outline = scene.depth * ink_lines(grey, sigma * 1.8, style.line_eps + 0.006, style.line_hard)
    lines = np.maximum(inner, outline * style.outline)
    lines = cv2.GaussianBlur(lines, (0, 0), 0.45).clip(0, 1)
    # Lines on light ground take some of its colour, as inked webtoons do.
    ink = np.array(style.ink, np.float32)
    pen = ink + style.line_colour * np.clip(colour - ink, 0, 1) * 0.5
    picture = mix(colour, pen, lines * style.line_weight)
    if style.hard_black:
        black = np.clip((style.hard_black - cv2.GaussianBlur(scene.lab[..., 0], (0, 0), 1.5)) / 3 + 0.5, 0, 1)
        picture = mix(picture, ink, black * (1 - skin))
    picture = draw_face(picture, scene, style)
    return picture.clip(0, 1).astype(np.float32)


@dataclass
class Complexion:
    """One person's skin as the teacher sees it."""
    place: tuple[slice, slice]      # what lies around it; the arrays below have its shape
    own: Array                      # 0..1, where it is
    smooth: Array                   # its Lab without texture
    form: Array                     # its lightness as large forms only: what decides between light and shade
    unit: float                     # the eyes' distance
    level: float                    # lightness of the cheeks in `form`
    cheeks: Array                   # 0..1, where lightness and hue are compared
    tone: Array                     # mean Lab there in the photo


def complexion(scene: Scene, n: int) -> Complexion | None:
    face, own = scene.faces[n], scene.skin * (scene.nearest == n)
    found = cv2.boundingRect((own > 0.02).astype(np.uint8))
    if found[2] < 8 or found[3] < 8:
        return None
    place = np.s_[found[1]:found[1] + found[3], found[0]:found[0] + found[2]]
    own, lab = own[place], scene.lab[place]
    solid = own > 0.6
    if solid.sum() < 30:
        return None
    sigma = max(1.2, face.eye_distance * 0.07)
    k = cv2.GaussianBlur(own, (0, 0), sigma) + 1e-4
    smooth = np.dstack([cv2.GaussianBlur(lab[..., i] * own, (0, 0), sigma) / k for i in range(3)])
    cheeks = np.zeros(scene.photo.shape[:2], np.float32)
    for i, weight, radius in (*((i, 0.15, 0.2) for i in people.CHEEKS_WIDE), *((i, 1.0, 0.12) for i in people.CHEEK_FLATS)):
        cv2.circle(cheeks, tuple(int(v) for v in face.points[i]), max(2, round(radius * face.eye_distance)), weight, -1)
    cheeks = cheeks[place] * (own > 0.3)
    if cheeks.sum() < 8:
        cheeks = solid.astype(np.float32)
    shape = form(face, own, lab[..., 0], place)
    photo = cv2.cvtColor(np.ascontiguousarray(scene.photo[place]), cv2.COLOR_RGB2LAB)
    mean = lambda x: (x * cheeks[..., None]).sum((0, 1)) / cheeks.sum()
    return Complexion(place, own, smooth, shape, face.eye_distance, float(mean(shape[..., None])[0]), cheeks, mean(photo))


def form(face: Face, own: Array, l: Array, place: tuple[slice, slice]) -> Array:
    """How light falls on the large forms of a face. Around the mouth a short beard's shadow, lips and folds are darker than
    the light makes them: there the light is what the rest of the face says it is, as a plane bent once. That light comes
    from above is taken out: it would lay a shade over the lower half of every second face."""
    at = lambda points: [np.int32(points - [place[1].start, place[0].start])]
    muzzle, features = (np.zeros(l.shape, np.uint8) for _ in range(2))
    mouth = face.points[people.LIPS_UPPER + people.LIPS_LOWER]
    middle, p = mouth.mean(0), face.points
    down = p[152] - p[2]
    across = np.array([down[1], -down[0]])
    ring = [middle + 0.58 * down * np.sin(t) + 0.62 * across / (np.linalg.norm(across) + 1e-6) * face.eye_distance * np.cos(t)
            for t in np.linspace(0, 2 * np.pi, 24, endpoint=False)]
    cv2.fillPoly(muzzle, at(np.array(ring)), 1)
    for part in (*(u + w for u, w, *_ in people.EYES), *(u + w for u, w in people.BROWS)):
        cv2.fillPoly(features, [cv2.convexHull(np.int32((p[part] - p[part].mean(0)) * 1.3 + p[part].mean(0) - [place[1].start, place[0].start]))], 1)
    face_only = np.zeros(l.shape, np.uint8)
    cv2.fillPoly(face_only, at(p[people.OVAL]), 1)
    yy, xx = np.mgrid[:l.shape[0], :l.shape[1]].astype(np.float32)
    x, y = ((v - v.mean()) / face.eye_distance for v in (xx, yy))
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y], -1)
    told = (face_only > 0) & (np.add.outer(np.arange(l.shape[0]), 3 * np.arange(l.shape[1])) % 11 == 0) & (muzzle == 0) & (features == 0) & (own > 0.6)
    weights = own * (1 - features)
    if told.sum() > 30:
        fitted = np.linalg.lstsq(basis[told], l[told], rcond=None)[0]
        tall = np.clip(y, *((v - yy.mean()) / face.eye_distance for v in np.percentile(yy[face_only > 0], [2, 98])))
        l = l - min(0.0, float(fitted[2])) * (tall - tall[told].mean())
        fitted[2] = max(0.0, fitted[2])
        planned = np.clip(basis @ fitted, *np.percentile(l[told], [5, 95]))
        soft = cv2.GaussianBlur(muzzle.astype(np.float32), (0, 0), max(1.0, 0.08 * face.eye_distance))
        l = mix(l, planned.astype(np.float32), np.maximum(0.95 * soft, 0.55 * cv2.GaussianBlur(face_only.astype(np.float32), (0, 0), 0.1 * face.eye_distance)))
    sigma = max(1.2, 0.15 * face.eye_distance)
    return cv2.GaussianBlur(l * weights, (0, 0), sigma) / (cv2.GaussianBlur(weights, (0, 0), sigma) + 1e-4)


def skin_tones(lab: Array, scene: Scene, style: Style) -> None:
    """Everyone's skin in two tones with a clean edge between them. Lightness and hue stay the person's own."""
    for c in scene.complexions:
        # Shade starts where the light has clearly fallen off from what it is on the cheeks. Light that is even
        # on a face leaves it whole: what is darkest there is no shadow. Dark skin falls off in smaller steps.
        dim = float(np.clip(c.level / 62, 0.7, 1.1))
        lit = 1 - large_shapes((c.form <= c.level - style.skin_fall * dim) & (c.own > 0.2), c.unit)
        # What remains of the form is soft, so that nobody's face becomes a mask; deep shadow on a face reads as dirt.
        soft = np.clip(c.form - c.level, -14, 16)
        tone = c.level + (1 - style.skin_flat) * soft - style.skin_step * dim * (1 - lit)
        centre = np.median(c.smooth[c.own > 0.6][:, 1:], 0)
        ab = (centre + 0.6 * (c.smooth[..., 1:] - centre)) * (1 + 0.10 * (1 - lit[..., None])) * style.skin_chroma
        lab[c.place] = mix(lab[c.place], np.dstack([tone, ab]), c.own)


def large_shapes(shade: Array, unit: float) -> Array:
    """Shade as a draughtsman lays it in: islands of it go, holes in it close, its edge is one clean curve."""
    shade = shade.astype(np.uint8)
    for value, least in ((1, 0.30), (0, 0.12)):
        n, label, stats, _ = cv2.connectedComponentsWithStats((shade == value).astype(np.uint8))
        small = stats[:, cv2.CC_STAT_AREA] < least * unit * unit
        small[0] = False
        shade = np.where(small[label], np.uint8(1 - value), shade)
    soft = cv2.GaussianBlur(shade.astype(np.float32), (0, 0), max(1.0, 0.06 * unit))
    return 0.5 + 0.5 * np.tanh((soft - 0.5) * 9)


def keep_complexion(colour: Array, scene: Scene, style: Style) -> Array:
    """Whatever a style's tones, tints and glow did to skin, everyone's face ends at its own lightness and hue,
    moved by the same few units for all: a style must not lighten some people more than others."""
    for c in scene.complexions:
        lab = cv2.cvtColor(np.ascontiguousarray(colour[c.place], np.float32), cv2.COLOR_RGB2LAB)
        shift = c.tone + style.skin_move - (lab * c.cheeks[..., None]).sum((0, 1)) / c.cheeks.sum()
        if style.chroma < 0.1:
            shift[1:] = 0
        lab += shift.astype(np.float32) * c.own[..., None]
        if style.blush:
            blush = scene.features["blush"][c.place] * c.own * style.blush * np.clip(c.tone[0] / 45, 0.3, 1)
            lab += blush[..., None] * np.array((-3.0, 11.0, 3.0), np.float32)
        colour[c.place] = cv2.cvtColor(np.clip(lab, [0, -110, -110], [100, 110, 110]).astype(np.float32), cv2.COLOR_LAB2RGB)
    return colour.clip(0, 1)


def hair_tones(lab: Array, scene: Scene, style: Style) -> None:
    """Hair as shapes: shade, body and a band of highlight instead of strands. A beard has tones of its own."""
    if not scene.faces or not style.hair_shapes:
        return
    unit = scene.faces[0].eye_distance
    blur = lambda x, sigma: cv2.GaussianBlur(x, (0, 0), max(1.2, sigma * unit))
    # Skin shines through a beard: it takes one hue, its own.
    for mask, least, one_hue in ((scene.head_hair * scene.matte, 200, 0.0), (scene.beard, 30, 0.8)):
        solid = mask > 0.6
        if solid.sum() < least:
            continue
        l = blur(scene.lab[..., 0] * mask, 0.045) / (blur(mask, 0.045) + 1e-3)
        lo, hi = (float(v) for v in np.percentile(l[solid], [38, 86]))
        crisp = max(0.6, 0.10 * (hi - lo))
        lit = 0.5 + 0.5 * np.tanh((l - lo) / crisp)
        shine = 0.5 + 0.5 * np.tanh((l - hi) / crisp)
        levels = [float(np.median(l[solid & m])) if (solid & m).any() else lo for m in (l <= lo, (l > lo) & (l <= hi), l > hi)]
        body, shade, top = levels[1], min(levels[0], levels[1] - 3), max(levels[2], levels[1] + 4)
        tone = shade + lit * (body - shade) + shine * (top - body)
        solid_hair = mask * style.hair_shapes
        lab[..., 0] = mix(lab[..., 0], tone, solid_hair)
        for i in (1, 2):
            smooth = blur(lab[..., i] * mask, 0.06) / (blur(mask, 0.06) + 1e-3)
            smooth += one_hue * (np.float32(np.percentile(smooth[solid], 30)) - smooth)
            lab[..., i] = mix(lab[..., i], smooth, solid_hair)


def draw_face(picture: Array, scene: Scene, style: Style) -> Array:
    """Eyes, brows, nose and mouth over the drawing, each as strong as the style asks."""
    if not scene.faces:
        return picture
    # Only the faces' surroundings are touched.
    points = np.concatenate([f.points for f in scene.faces])
    margin = 0.4 * max(f.eye_distance for f in scene.faces)
    x0, y0 = np.maximum(points.min(0) - margin, 0).astype(int)
    x1, y1 = np.ceil(points.max(0) + margin).astype(int)
    place = np.s_[y0:y1, x0:x1]
    picture[place] = _draw_face(picture[place], {k: v[place] for k, v in scene.features.items()}, scene.skin[place],
                                scene.hair[place], scene.lab[place], scene.redrawn[place], scene.eye_colour,
                                scene.faces[0].eye_distance, style)
    return picture


def _draw_face(picture: Array, parts: dict[str, Array], skin: Array, hair: Array, lab: Array, redrawn: Array, eye_colour: Array,
               unit: float, style: Style) -> Array:
    ink = np.array(style.ink, np.float32)
    skin_line = 0.35 * picture + 0.65 * ink if style.line_colour > 0 else np.broadcast_to(ink, picture.shape)
    seen = np.clip(1.2 - hair, 0, 1)          # hair over an eye stays over it
    k = style.features
    # A clean ground of the skin around: found at a quarter of the size, where blurring costs nothing.
    weight = skin * (1 - parts["socket"])
    sigma = max(0.6, 0.09 * unit / 4)
    small = lambda x: cv2.resize(x, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    around = cv2.GaussianBlur(small(weight), (0, 0), sigma)
    ground = cv2.GaussianBlur(small(picture * weight[..., None]), (0, 0), sigma) / (around[..., None] + 1e-3)
    ground, around = (cv2.resize(x, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR) for x in (ground, around))
    picture = mix(picture, ground, 0.85 * k * parts["room"] * np.clip(4 * around, 0, 1) * np.clip(1.1 - 1.5 * hair, 0, 1))
    # Whites and teeth are clean in every light; only in a dark room they are a little darker.
    dim = float(np.clip(np.percentile(lab[..., 0], 70) / 58, 0.86, 1))
    white = np.array(style.eye_white, np.float32) * dim
    picture = mix(picture, white, 0.95 * k * parts["white"] * seen)
    picture = mix(picture, white * 0.80, 0.8 * k * parts["shade"] * seen)
    grey = float(eye_colour.mean())
    eye = np.array(style.eye_colour, np.float32) if style.eye_colour else eye_colour * np.clip(0.30 / (grey + 1e-3), 0.5, 1.6)
    if style.chroma < 0.1:
        eye = np.full(3, float(np.mean(eye)) * 0.7, np.float32)
    eye = np.clip(eye, 0, 1)
    picture = mix(picture, eye * 0.8, 0.97 * k * parts["iris"] * seen)
    picture = mix(picture, np.clip(eye * 1.5 + 0.03, 0, 1), 0.9 * k * parts["glow"] * seen)
    picture = mix(picture, ink * 0.8, 0.9 * k * parts["pupil"] * seen)
    rim = np.clip(cv2.dilate(parts["iris"], np.ones((3, 3))) - cv2.erode(parts["iris"], np.ones((3, 3))), 0, 1) * parts["white"]
    picture = mix(picture, ink, 0.5 * k * rim * seen)
    picture = mix(picture, (1.0, 1.0, 1.0), 0.95 * k * parts["light"] * seen)
    if style.lips:
        picture = mix(picture, picture * np.array(style.lips_colour, np.float32), style.lips * np.clip(parts["lips"] - parts["mouth"], 0, 1))
    # An open mouth: teeth as one white shape, the rest dark, no lines between.
    tone = cv2.GaussianBlur(redrawn.mean(-1), (0, 0), 1.0)
    if (parts["mouth"] > 0.5).sum() > 8:
        inside = tone[parts["mouth"] > 0.5]
        teeth = np.clip((tone - max(0.28, float(inside.mean()) * 0.68)) * 12 + 0.5, 0, 1)
        dark = 0.5 * ink + 0.5 * np.array((0.42, 0.14, 0.14) if style.chroma >= 0.1 else (0.15,) * 3, np.float32)
        tooth, under_lip = (np.array(v, np.float32) for v in (style.teeth, style.teeth_shade))
        if style.chroma < 0.3:
            tooth[:], under_lip[:] = tooth.mean(), under_lip.mean()
        upper = np.clip(cv2.GaussianBlur(parts["seam"], (0, 0), max(1.0, 0.03 * unit)) * 1.6, 0, 1)     # the lip's shade on them
        tooth = dim * mix(np.broadcast_to(tooth, picture.shape), tooth * under_lip, upper)
        filled = mix(np.broadcast_to(dark, picture.shape), tooth, teeth)
        picture = mix(picture, filled, k * parts["mouth"])
    # Brows as dark as the person's: fair ones stay light.
    brow = style.brow
    if (parts["brow"] > 0.5).sum() > 8:
        contrast = np.percentile(lab[..., 0], 70) - np.median(cv2.GaussianBlur(redrawn, (0, 0), 1)[parts["brow"] > 0.5].mean(-1)) * 100
        brow *= float(np.clip(contrast / 38, 0.35, 1.1))
    for name, width in (("brow", brow), ("lash", 1.0), ("seam", 0.9)):
        picture = mix(picture, ink if name != "seam" else 0.2 * picture + 0.8 * ink, np.clip(k * width * parts[name], 0, 1) * seen)
    for name, width in (("under", 0.45), ("lid", 0.6), ("nose", 0.85), ("jaw", 0.8)):
        picture = mix(picture, skin_line, np.clip(k * width * parts[name], 0, 1) * seen)
    return picture
