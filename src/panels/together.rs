//! Groups that are half transparent or mixed as a whole, with something alive in them.
//!
//! A drawing program lays such a group together first. Here its layers are laid one by one: where
//! they lie over each other, one shows through the other. Elsewhere nobody sees a difference.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};

use super::Blend;

/// Such a group, as it was found.
pub(super) struct Together {
    /// What the artist knows it by.
    pub said: String,
    /// How it is mixed; `Normal` when it is half transparent.
    pub blend: Blend,
    /// What is alive in it: numbers of parts.
    pub alive: Vec<usize>,
    /// The rest of it, an SVG as large as the page.
    pub art: String,
}

/// Longest side of the pictures that are compared.
const SIDE: f32 = 256.0;
/// The most of what is alive in a group that is looked at.
const MOST: usize = 8;
/// What lies on a smaller share of a shape is no matter.
const LEAST: f32 = 0.02;
/// What lies no farther inside of a shape's edge is its border.
const BORDER: usize = 2;

impl Together {
    /// What the artist should know, when the group looks other than in a drawing program.
    /// `alive` is what is alive in it, as drawn or as shapes.
    pub fn warning(
        &self,
        alive: &[Arc<usvg::Tree>],
        art: Option<&usvg::Tree>,
        page: (f32, f32),
    ) -> Option<String> {
        let masks: Vec<Mask> = alive
            .iter()
            .take(MOST)
            .map(|tree| Mask::of(tree, page))
            .collect::<Option<_>>()?;
        let said = &self.said;
        let among = masks.iter().enumerate().any(|(at, a)| {
            masks[at + 1..]
                .iter()
                .any(|b| a.is_covered(b) || b.is_covered(a))
        });
        let with_art = || {
            let art = art.and_then(|art| Mask::of(art, page));
            art.is_some_and(|art| masks.iter().any(|mask| mask.is_covered(&art)))
        };
        let what = if among {
            "what is alive in it shows through each other"
        } else if with_art() {
            "what is drawn in it and what is alive in it show through each other"
        } else {
            return None;
        };
        Some(match self.blend {
            Blend::Normal => format!(
                "{said} is half transparent as a whole: {what}. Fade its objects one by one."
            ),
            blend => format!(
                "{said} is mixed as a whole ({}): {what}. Mix its objects one by one.",
                blend.name()
            ),
        })
    }
}

/// Where something is drawn.
struct Mask {
    inside: Vec<bool>,
    width: usize,
}

impl Mask {
    fn of(tree: &usvg::Tree, (width, height): (f32, f32)) -> Option<Self> {
        let scale = SIDE / width.max(height);
        let side = |units: f32| ((units * scale) as u32).max(1);
        let mut pixmap = Pixmap::new(side(width), side(height))?;
        resvg::render(
            tree,
            Transform::from_scale(scale, scale),
            &mut pixmap.as_mut(),
        );
        let alpha = pixmap.data().iter().skip(3).step_by(4);
        Some(Self {
            inside: alpha.map(|alpha| *alpha > 16).collect(),
            width: pixmap.width() as usize,
        })
    }

    /// Whether `other` lies on a part of it that is worth a word.
    fn is_covered(&self, other: &Self) -> bool {
        let inside = |at: usize| self.inside.get(at).copied().unwrap_or_default();
        let (mut all, mut common) = (0, 0);
        for (at, other) in other.inside.iter().enumerate() {
            let is_deep = inside(at)
                && [BORDER, BORDER * self.width]
                    .iter()
                    .all(|far| inside(at + far) && inside(at.wrapping_sub(*far)));
            all += u32::from(is_deep);
            common += u32::from(is_deep && *other);
        }
        common as f32 > LEAST * all as f32
    }
}
