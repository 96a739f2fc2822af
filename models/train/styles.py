"""The eight styles: what the teacher draws with, in numbers. Order is the order of the style map's channels."""
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Style:
    id: str
    en: str
    ko: str
    band: float = 10.0               # width of a lightness band, L* units
    crisp: float = 5.0               # how hard the step between bands is
    mix: float = 0.85                # 1 = banded lightness, 0 = smooth
    chroma: float = 1.25             # factor on a*, b*
    gain: float = 1.0                # L* = 100 x ((L* x gain + offset) / 100) ^ gamma
    offset: float = 0.0
    gamma: float = 1.0
    tint: tuple = (0.0, 0.0)         # added to a*, b* of light places
    shadow_tint: tuple = (0.0, 0.0)  # and of dark ones
    pigment: float = 0.0             # how much darker a wash is along its edge
    paper_lab: tuple = (94.0, 0.0, 2.0)
    background_fade: float = 0.15    # how far the background goes to paper
    background_lines: float = 0.5
    glow: float = 0.0                # screen-blended blur
    ink: tuple = (0.10, 0.07, 0.09)
    line_sigma: float = 0.9          # px at 512
    line_eps: float = -0.004
    line_hard: float = 80.0
    line_weight: float = 1.0
    line_colour: float = 0.4         # how much of the ground's colour a line takes
    outline: float = 1.0
    skin_calm: float = 0.92          # how many of the lines on skin go
    skin_step: float = 9.0           # L* between lit and shaded skin
    skin_fall: float = 11.0          # L* below the face's own at which shade starts
    skin_flat: float = 0.6           # how far the forms of a face are flattened within one tone
    skin_chroma: float = 1.08
    skin_move: tuple = (0.0, 0.0, 0.0)  # L*, a*, b*: what everybody's skin is moved by, the same for all
    hair_shapes: float = 0.92        # how far hair is drawn in three tones
    blush: float = 0.0
    hair_tint: tuple | None = None   # a*, b*, share
    features: float = 1.0            # eyes, nose, mouth from landmarks
    brow: float = 0.7
    eye_white: tuple = (0.985, 0.975, 0.96)
    teeth: tuple = (0.99, 0.97, 0.94)
    teeth_shade: tuple = (0.93, 0.87, 0.84)     # what is left of it under the lip
    eye_colour: tuple | None = None
    lips: float = 0.3
    lips_colour: tuple = (0.95, 0.62, 0.62)
    hard_black: float = 0.0          # below this L* everything is ink
    halftone: float = 0.0            # how much of a tone's darkness printed dots bear: panelcam prints them at the screen's size, they are not drawn


STYLES = (
    Style("clean", "Bright comedy", "밝은 학원물", band=16, crisp=7, mix=0.9, chroma=1.45, gain=0.95, offset=8, gamma=0.9, background_fade=0.28, skin_step=9,
          skin_move=(4, 1, 2), blush=0.45, ink=(0.16, 0.09, 0.08), line_sigma=1.1),
    Style("romance", "Modern romance", "현대 로맨스", band=11, crisp=3, mix=0.7, chroma=1.0, gain=0.86, offset=14, gamma=0.85, tint=(8, 0), shadow_tint=(10, -8), glow=0.28,
          background_fade=0.48, paper_lab=(95, 7, 1), background_lines=0.2, ink=(0.45, 0.18, 0.26), line_eps=-0.006, line_sigma=0.8,
          line_colour=0.5, skin_move=(5, 2, 0), blush=0.65, lips=0.45, lips_colour=(1.0, 0.58, 0.62), skin_step=8),
    Style("noir", "Noir thriller", "느와르 스릴러", band=24, crisp=9, mix=1.0, chroma=0.22, gain=1.2, offset=-14, tint=(-4, -7), ink=(0.02, 0.02, 0.05),
          line_sigma=1.3, line_eps=-0.002, line_colour=0.0, skin_step=24, skin_fall=5, skin_chroma=0.6, skin_move=(-2, -9, -13), hard_black=30, background_fade=0.0,
          lips=0.3, paper_lab=(20, 0, -6)),
    Style("manga", "Black-and-white manga", "흑백 만화", band=28, crisp=10, mix=1.0, chroma=0.0, gain=1.15, offset=6, gamma=0.8, ink=(0.03, 0.03, 0.04),
          line_sigma=1.0, line_eps=-0.003, line_colour=0.0, skin_chroma=0.0, skin_step=14, skin_move=(10, 0, 0), hard_black=22, background_fade=0.35,
          paper_lab=(98, 0, 0), lips=0.15, halftone=1.0, skin_fall=7),
    Style("fantasy", "Painterly fantasy", "판타지 회화", band=7, crisp=2.5, mix=0.6, chroma=1.4, gain=1.05, offset=-2, tint=(2, 16), shadow_tint=(-8, -26), glow=0.2,
          ink=(0.22, 0.10, 0.12), line_weight=0.6, line_sigma=0.9, line_eps=-0.007, line_colour=0.8, background_fade=0.0, background_lines=0.3,
          skin_flat=0.4, skin_step=11, skin_move=(1, 2, 7), eye_colour=(0.20, 0.36, 0.34), hair_tint=(6, 8, 0.6), hair_shapes=0.5),
    Style("action", "Action ink", "액션 먹선", band=20, crisp=9, mix=1.0, chroma=1.25, gain=1.12, offset=-5, ink=(0.03, 0.02, 0.03), line_sigma=1.9,
          line_eps=-0.001, line_colour=0.0, outline=1.0, skin_step=17, skin_fall=6, skin_calm=0.9, skin_move=(0, 2, 3), hard_black=26, background_fade=0.0, brow=1.0, lips=0.3),
    Style("watercolour", "Soft watercolour", "수채화", band=13, crisp=2.5, mix=0.7, chroma=1.15, gain=0.70, offset=29, gamma=0.9, tint=(-1, 3), shadow_tint=(2, -12), pigment=1.6, ink=(0.30, 0.27, 0.33),
          line_weight=0.62, line_sigma=0.7, line_eps=-0.006, line_colour=0.7, background_fade=0.62, paper_lab=(97, 0, 4), background_lines=0.2,
          skin_step=7, skin_move=(5, 0, 0), blush=0.6, outline=0.6),
    Style("pop", "Retro pop print", "레트로 팝", band=26, crisp=11, mix=1.0, chroma=1.9, gain=1.1, offset=0, tint=(2, 8), ink=(0.06, 0.05, 0.18), line_sigma=1.4,
          line_eps=-0.003, line_colour=0.0, skin_step=12, skin_move=(3, 4, 6), background_fade=0.1, paper_lab=(92, 0, 22), hard_black=18, lips=0.6, lips_colour=(1.0, 0.40, 0.40), halftone=0.6),
)


def write_style(style: Style, path: Path) -> None:
    """A style as TOML: only what differs from the defaults."""
    lines = []
    for f in fields(style):
        value = getattr(style, f.name)
        if f.default is not MISSING and value == f.default:
            continue
        text = f'"{value}"' if isinstance(value, str) else f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
        lines.append(f"{f.name} = {text}")
    path.write_text("\n".join(lines) + "\n")


def read_style(path: Path) -> Style:
    """A style that `write_style` wrote. A field that does not exist, or a text where a number belongs, is an error."""
    values = tomllib.loads(path.read_text())
    known = {f.name: f.type for f in fields(Style)}
    for name, value in values.items():
        assert name in known, f"a style has no {name}: {path}"
        assert isinstance(value, str) == (known[name] is str), f"{name} is no {known[name]}: {path}"
    return Style(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
