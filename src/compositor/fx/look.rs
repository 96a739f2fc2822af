//! What each kind of effect is like, and what an artist may change about it.

use std::time::Duration;

use crate::panels::{Blend, EffectKind, Region};

/// How an effect is drawn and laid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::compositor) struct Look {
    /// How many drawings its loop has.
    pub drawings: u32,
    /// Drawings a second.
    pub rate: f32,
    /// From the beginning of a loop to the next; the effect rests in between.
    pub every: Option<Duration>,
    /// Side of a pixel of its drawings, in program pixels.
    pub pixel: u32,
    /// Whether its middle follows the face.
    pub follows: bool,
    /// How it is mixed with what is below it.
    pub mix: Mix,
    /// Its two inks, straight alpha.
    pub inks: [[u8; 4]; 2],
    /// Density of its strokes; 1 is usual.
    pub density: f32,
    /// Radians, clockwise.
    pub angle: f32,
    /// How strongly it is applied; 1 is usual.
    pub strength: f32,
    /// Size of its strokes; 1 is usual.
    pub scale: f32,
    /// Tells effects of one kind apart.
    pub seed: f32,
    /// Where it points, in the shape, 0..1; `None`: at the face.
    pub place: Option<(f32, f32)>,
}

/// How an effect is mixed with what is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compositor) enum Mix {
    /// Like any layer.
    Inks(Blend),
    /// Its first ink where the picture below is darker than its pattern.
    Tone(Tone),
}

/// How a picture's darkness becomes tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compositor) enum Tone {
    /// Dot for dot.
    Smooth,
    /// In steps: light, middle and dark.
    Stepped,
}

const INK: [u8; 4] = [23, 20, 31, 255];
const PAPER: [u8; 4] = [255, 255, 255, 255];

impl Look {
    /// The most bytes of one loop's drawings.
    const MOST_BYTES: u64 = 40 << 20;

    /// How the effect of a region is drawn.
    pub fn of(region: &Region) -> Self {
        use EffectKind::{
            Focus, Gloom, Halftone, Petals, Rain, Screentone, Shock, Sparkle, Speedlines,
        };
        let normal = Mix::Inks(Blend::Normal);
        // drawings, a second, size of a pixel, follows the face, mixed how, inks, angle in degrees
        let (drawings, rate, pixel, follows, mix, inks, angle) = match region.kind {
            Speedlines => (6, 12.0, 1, true, normal, [INK, PAPER], 0.0),
            Focus => (6, 12.0, 1, true, normal, [INK, PAPER], 0.0),
            Halftone => (1, 1.0, 1, false, Mix::Tone(Tone::Smooth), [INK; 2], 22.5),
            Screentone => (1, 1.0, 1, false, Mix::Tone(Tone::Stepped), [INK; 2], 45.0),
            Rain => (
                10,
                20.0,
                1,
                false,
                normal,
                [[255, 255, 255, 235], [38, 46, 84, 255]],
                12.0,
            ),
            Petals => (
                36,
                14.0,
                2,
                false,
                normal,
                [[255, 205, 219, 255], [222, 104, 138, 255]],
                18.0,
            ),
            Sparkle => (
                12,
                10.0,
                1,
                false,
                normal,
                [PAPER, [255, 196, 64, 255]],
                0.0,
            ),
            Shock => (
                6,
                12.0,
                1,
                true,
                Mix::Inks(Blend::Difference),
                [PAPER; 2],
                0.0,
            ),
            Gloom => (
                4,
                6.0,
                1,
                false,
                Mix::Inks(Blend::Multiply),
                [INK, [58, 52, 120, 255]],
                0.0,
            ),
        };
        let data = &region.data;
        let speed = data.number("speed", 0.1..=4.0).unwrap_or(1.0);
        let mut inks = inks;
        for (ink, name) in inks.iter_mut().zip(["colour", "colour2"]) {
            if let Some(colour) = data.colour(name) {
                *ink = colour;
            }
        }
        // One colour alone: white lines need dark edges.
        let light =
            |[r, g, b, _]: [u8; 4]| u32::from(r) * 2 + u32::from(g) * 5 + u32::from(b) > 1024;
        if matches!(region.kind, Speedlines | Focus)
            && data.colour("colour2").is_none()
            && light(inks[0])
        {
            inks[1] = INK;
        }
        let mix = match (mix, region.blend) {
            (Mix::Inks(_), blend) if blend != Blend::Normal => Mix::Inks(blend),
            (mix, _) => mix,
        };
        let every = (region.kind == Shock)
            .then(|| data.number("every", 0.5..=60.0).unwrap_or(3.0))
            .map(Duration::from_secs_f32);
        let place = match data.numbers("centre").as_slice() {
            [x, y, ..] => Some((x.clamp(-1.0, 2.0), y.clamp(-1.0, 2.0))),
            _ => None,
        };
        let mut look = Self {
            drawings,
            rate: rate * speed,
            every,
            pixel,
            follows,
            mix,
            inks,
            density: data.number("density", 0.1..=4.0).unwrap_or(1.0),
            angle: data
                .number("angle", -360.0..=360.0)
                .unwrap_or(angle)
                .to_radians(),
            strength: data.number("strength", 0.1..=3.0).unwrap_or(1.0),
            scale: data.number("scale", 0.25..=4.0).unwrap_or(1.0),
            seed: data.number("seed", 0.0..=999.0).unwrap_or_else(|| {
                let letters = region.name.bytes();
                f32::from(letters.fold(0u8, |sum, letter| sum.wrapping_mul(31) ^ letter))
            }),
            place,
        };
        if region.kind == Shock {
            look = look.flashing(look.strength);
        }
        // Large programs: coarser drawings, so that loops stay in bounds.
        let bytes = |pixel: u32| {
            let side = |side: u32| u64::from(side / pixel + 1);
            side(region.rect.width) * side(region.rect.height) * 2 * u64::from(drawings)
        };
        while bytes(look.pixel) > Self::MOST_BYTES && look.pixel < 8 {
            look.pixel += 1;
        }
        look
    }

    /// The same, `by` times as strong: what that means depends on the kind. Dots get darker,
    /// strokes get more, more of a flash is mixed in, the dark gets darker and its lines more.
    pub fn strengthened(self, kind: EffectKind, by: f32) -> Self {
        use EffectKind::{
            Focus, Gloom, Halftone, Petals, Rain, Screentone, Shock, Sparkle, Speedlines,
        };
        match kind {
            Halftone | Screentone => Self {
                strength: self.strength * by,
                ..self
            },
            Gloom => Self {
                strength: self.strength * by,
                density: (self.density * by).max(0.05),
                ..self
            },
            Speedlines | Focus | Rain | Petals | Sparkle => Self {
                density: (self.density * by).max(0.05),
                ..self
            },
            Shock => self.flashing(by),
        }
    }

    /// A flash of the negative, `by` times as strong: so much of the negative is mixed in, up to
    /// all of it; beyond that it leaves less of the middle out.
    fn flashing(self, by: f32) -> Self {
        let mixed = |part: u8| (f32::from(part) * by).round() as u8;
        Self {
            inks: self.inks.map(|[r, g, b, a]| [r, g, b, mixed(a)]),
            density: self.density * by.max(1.0),
            ..self
        }
    }

    /// The number of the drawing that is shown at a time; `None` while the effect rests.
    pub fn drawing(&self, time: Duration, started: Duration) -> Option<u32> {
        let mut since = time.saturating_sub(started);
        if let Some(every) = self.every {
            since = Duration::from_secs_f64(since.as_secs_f64() % every.as_secs_f64());
        }
        let number = (since.as_secs_f64() * f64::from(self.rate) + 1e-6) as u64;
        if self.every.is_some() && number >= u64::from(self.drawings) {
            return None;
        }
        Some((number % u64::from(self.drawings)) as u32)
    }

    /// How many program pixels around the shape are drawn, so that a middle that moves a little
    /// needs no new drawings.
    pub fn margin(&self, region: &Region) -> u32 {
        if self.follows {
            region.rect.width.max(region.rect.height) / 14
        } else {
            0
        }
    }
}

impl Tone {
    /// How much ink a picture of a luminance gets, 0..1.
    pub fn darkness(self, luminance: f32, strength: f32) -> f32 {
        match self {
            Self::Smooth => ((1.0 - luminance) * 0.95 * strength - 0.17).clamp(0.0, 0.86),
            Self::Stepped => {
                let dark = (1.0 - luminance) * strength;
                let step = |edge: f32| ((dark - edge) / 0.02 + 0.5).clamp(0.0, 1.0);
                0.20 * step(0.42) + 0.20 * step(0.60) + 0.28 * step(0.78)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::{Data, PixelRect};

    fn region(kind: EffectKind, side: u32) -> Region {
        Region {
            kind,
            name: String::new(),
            data: Data::default(),
            blend: Blend::Normal,
            rect: PixelRect::new(0, 0, side, side),
            alpha: Vec::new(),
            unit: 1.0,
        }
    }

    #[test]
    fn loops_go_round_and_a_shock_rests() {
        let look = Look::of(&region(EffectKind::Focus, 100));
        let at = |millis| look.drawing(Duration::from_millis(millis), Duration::ZERO);
        assert_eq!(
            [at(0), at(80), at(84), at(499), at(500)],
            [0, 0, 1, 5, 0].map(Some)
        );
        let look = Look::of(&region(EffectKind::Shock, 100));
        let at = |millis| look.drawing(Duration::from_millis(millis), Duration::ZERO);
        assert_eq!(
            [at(0), at(490), at(510), at(2990), at(3001)],
            [Some(0), Some(5), None, None, Some(0)]
        );
    }

    #[test]
    fn of_a_flash_as_much_is_mixed_in_as_it_is_strong() {
        let usual = Look::of(&region(EffectKind::Shock, 100));
        let at = |by| usual.strengthened(EffectKind::Shock, by);
        assert_eq!(at(1.0).inks, usual.inks);
        assert_eq!(at(0.5).inks[0], [255, 255, 255, 128]);
        assert_eq!((at(0.5).density, at(2.0).density), (1.0, 2.0));
        assert_eq!(at(2.0).inks[0], [255; 4]);
    }

    #[test]
    fn large_programs_have_coarser_drawings() {
        for kind in EffectKind::ALL {
            let region = region(kind, 3840);
            let look = Look::of(&region);
            let side = u64::from(3840 / look.pixel + 1);
            let bytes = side * side * 2 * u64::from(look.drawings);
            assert!(bytes <= Look::MOST_BYTES, "{kind:?}: {bytes}");
        }
    }

    #[test]
    fn tone_grows_with_darkness() {
        for tone in [Tone::Smooth, Tone::Stepped] {
            assert_eq!(tone.darkness(1.0, 1.0), 0.0);
            assert!(tone.darkness(0.0, 1.0) > 0.6);
            let mut before = 0.0;
            for step in 0..=100 {
                let now = tone.darkness(1.0 - step as f32 / 100.0, 1.0);
                assert!(now >= before);
                before = now;
            }
        }
    }
}
