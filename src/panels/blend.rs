//! How a layer is mixed with what is below it.

/// How a layer is mixed with what is below it, as CSS (`mix-blend-mode`) and every drawing program
/// define it. The formulas are those of the W3C's Compositing and Blending Level 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Blend {
    /// It covers.
    #[default]
    Normal,
    /// It darkens, like ink on paper.
    Multiply,
    /// It lightens, like light on a wall.
    Screen,
    /// It darkens what is dark and lightens what is light.
    Overlay,
    /// The darker of both, each channel.
    Darken,
    /// The lighter of both, each channel.
    Lighten,
    /// How far both are apart: white turns a picture into its negative.
    Difference,
    /// Like [`Overlay`](Self::Overlay), the other way round.
    HardLight,
    /// A softer [`HardLight`](Self::HardLight).
    SoftLight,
    /// It brightens strongly, like a glow.
    Dodge,
}

impl Blend {
    /// All, with their names in CSS.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Normal, "normal"),
        (Self::Multiply, "multiply"),
        (Self::Screen, "screen"),
        (Self::Overlay, "overlay"),
        (Self::Darken, "darken"),
        (Self::Lighten, "lighten"),
        (Self::Difference, "difference"),
        (Self::HardLight, "hard-light"),
        (Self::SoftLight, "soft-light"),
        (Self::Dodge, "color-dodge"),
    ];

    /// By its name in CSS.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        let mut all = Self::ALL.into_iter();
        all.find_map(|(blend, known)| known.eq_ignore_ascii_case(name).then_some(blend))
    }

    /// Its name in CSS.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find_map(|(blend, name)| (blend == self).then_some(name))
            .unwrap_or("normal")
    }

    /// Whether layers that follow each other may be laid together first.
    pub(super) fn is_associative(self) -> bool {
        matches!(self, Self::Multiply | Self::Screen)
    }

    /// One channel of an opaque layer `above` on an opaque picture `below`, each 0..1.
    pub fn channel(self, below: f32, above: f32) -> f32 {
        match self {
            Self::Normal => above,
            Self::Multiply => below * above,
            Self::Screen => below + above - below * above,
            Self::Overlay => Self::HardLight.channel(above, below),
            Self::Darken => below.min(above),
            Self::Lighten => below.max(above),
            Self::Difference => (below - above).abs(),
            Self::HardLight if above <= 0.5 => below * 2.0 * above,
            Self::HardLight => Self::Screen.channel(below, 2.0 * above - 1.0),
            Self::SoftLight if above <= 0.5 => below - (1.0 - 2.0 * above) * below * (1.0 - below),
            Self::SoftLight => {
                let lit = if below <= 0.25 {
                    ((16.0 * below - 12.0) * below + 4.0) * below
                } else {
                    below.sqrt()
                };
                below + (2.0 * above - 1.0) * (lit - below)
            }
            Self::Dodge if below <= 0.0 => 0.0,
            Self::Dodge if above >= 1.0 => 1.0,
            Self::Dodge => (below / (1.0 - above)).min(1.0),
        }
    }

    /// A premultiplied pixel on another, channels 0..1.
    pub fn pixel(self, below: [f32; 4], above: [f32; 4]) -> [f32; 4] {
        let (under, over) = (below[3], above[3]);
        let straight = |value: f32, alpha: f32| {
            if alpha > 0.0 {
                (value / alpha).min(1.0)
            } else {
                0.0
            }
        };
        std::array::from_fn(|at| {
            if at == 3 {
                return over + under * (1.0 - over);
            }
            let mixed = if self == Self::Normal {
                above[at] * under
            } else {
                let both = self.channel(straight(below[at], under), straight(above[at], over));
                over * under * both
            };
            above[at] * (1.0 - under) + mixed + below[at] * (1.0 - over)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        for (blend, name) in Blend::ALL {
            assert_eq!(Blend::named(name), Some(blend));
            assert_eq!(blend.name(), name);
        }
        assert_eq!(Blend::named(" Multiply "), Some(Blend::Multiply));
        assert_eq!(Blend::named("hue"), None);
    }

    #[test]
    fn on_nothing_a_layer_is_itself_and_nothing_changes_nothing() {
        let (colour, nothing) = ([0.25, 0.5, 0.125, 0.5], [0.0; 4]);
        for (blend, name) in Blend::ALL {
            assert_eq!(blend.pixel(nothing, colour), colour, "{name}");
            assert_eq!(blend.pixel(colour, nothing), colour, "{name}");
        }
    }

    #[test]
    fn white_and_black_do_what_painters_expect() {
        let below = 0.4;
        assert_eq!(Blend::Multiply.channel(below, 1.0), below);
        assert_eq!(Blend::Screen.channel(below, 0.0), below);
        assert_eq!(Blend::Difference.channel(below, 1.0), 1.0 - below);
        assert_eq!(Blend::Dodge.channel(below, 0.0), below);
        assert!((Blend::Overlay.channel(below, 0.5) - below).abs() < 1e-6);
        assert!((Blend::SoftLight.channel(below, 0.5) - below).abs() < 1e-6);
    }
}
