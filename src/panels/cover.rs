//! Cover fit: which part of a picture fills a panel.

use crate::frame::Size;
use crate::people::{Focus, Head};

use super::{Crop, PixelRect};

/// What decides the part of a picture that a panel shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cover {
    /// Size of the picture, in pixels; only its aspect counts.
    pub picture: Size,
    /// The head in the picture, not mirrored, that is kept in view.
    pub focus: Head,
    /// How close.
    pub crop: Crop,
    /// Whether people see themselves as in a mirror.
    pub mirror: bool,
}

/// Where a panel's pixels lie in a picture: `u = origin.0 + step.0 * x`, `v = origin.1 + step.1 * y`
/// with x, y in program pixels and u, v from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uv {
    /// Of the program's upper left corner.
    pub origin: [f32; 2],
    /// For each program pixel. Negative in x when mirrored.
    pub step: [f32; 2],
}

impl Cover {
    /// A head and what surrounds it lies this far below a panel's upper edge, as a share of its
    /// height: eyes belong above the middle.
    const FOCUS_Y: f32 = 0.42;
    /// A mouth with its lips is this far below a face's middle, for what lies above that.
    const MOUTH: f32 = 0.85;

    /// The part of the picture that fills `rect` of the program. The whole of `rect` is covered;
    /// the focus is as near to its place as that allows.
    pub fn uv(&self, rect: PixelRect) -> Uv {
        let (width, height) = (rect.width.max(1) as f32, rect.height.max(1) as f32);
        let picture_aspect = self.picture.aspect().max(1e-3);
        let rect_aspect = width / height;
        let zoom = self.crop.zoom();
        // Share of the picture that is visible, each way.
        let (mut share_u, mut share_v) = if picture_aspect > rect_aspect {
            (rect_aspect / picture_aspect, 1.0)
        } else {
            (1.0, picture_aspect / rect_aspect)
        };
        share_u = (share_u / zoom).clamp(1e-4, 1.0);
        share_v = (share_v / zoom).clamp(1e-4, 1.0);
        let focus_u = if self.mirror {
            1.0 - self.focus.face.x
        } else {
            self.focus.face.x
        };
        let left = (focus_u - share_u * 0.5).clamp(0.0, 1.0 - share_u);
        let top = self.top(share_v).clamp(0.0, 1.0 - share_v);
        let step = [share_u / width, share_v / height];
        let origin = [
            left - step[0] * rect.x as f32,
            top - step[1] * rect.y as f32,
        ];
        if self.mirror {
            Uv {
                origin: [1.0 - origin[0], origin[1]],
                step: [-step[0], step[1]],
            }
        } else {
            Uv { origin, step }
        }
    }

    /// Where a view of this height begins. A wide one goes higher where it would cut the hair, as
    /// long as the mouth stays in it; a close one is for the eyes.
    fn top(&self, share: f32) -> f32 {
        let Head { face, top } = self.focus;
        let usual = face.y - share * Self::FOCUS_Y;
        if self.crop == Crop::Close {
            return usual;
        }
        // A head may move this far before the crop follows.
        let hair = top - Focus::DEAD_ZONE;
        let mouth = face.y + (face.y - top) * Self::MOUTH - share;
        usual.min(hair.max(mouth))
    }
}

impl Uv {
    /// Where the program's point `x`, `y` lies in the picture.
    pub fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (
            self.origin[0] + self.step[0] * x,
            self.origin[1] + self.step[1] * y,
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::people::Point;

    const MIDDLE: Head = Head::at(Point { x: 0.5, y: 0.5 });

    fn cover(picture: Size) -> Cover {
        Cover {
            picture,
            focus: MIDDLE,
            crop: Crop::Full,
            mirror: false,
        }
    }

    #[test]
    fn a_rect_of_the_pictures_aspect_shows_all_of_it() {
        let uv = cover(Size::new(640, 360)).uv(PixelRect::new(10, 20, 320, 180));
        let (near, far) = (uv.at(10.0, 20.0), uv.at(330.0, 200.0));
        assert!(near.0.abs() < 1e-5 && near.1.abs() < 1e-5, "{near:?}");
        assert!((far.0 - 1.0).abs() < 1e-5 && (far.1 - 1.0).abs() < 1e-5);
    }

    #[test]
    fn mirroring_swaps_left_and_right_and_keeps_the_face() {
        let rect = PixelRect::new(0, 0, 100, 100);
        let face = Head::at(Point { x: 0.3, y: 0.5 });
        let mut cover = Cover {
            focus: face,
            ..cover(Size::new(300, 100))
        };
        let (u, _) = cover.uv(rect).at(50.0, 50.0);
        assert!((u - 0.3).abs() < 1e-5);
        cover.mirror = true;
        let uv = cover.uv(rect);
        assert!((uv.at(50.0, 50.0).0 - 0.3).abs() < 1e-5);
        assert!(uv.step[0] < 0.0);
    }

    #[test]
    fn a_wide_panel_keeps_the_hair_of_who_is_near() {
        let view = |rect: PixelRect, top: f32, crop: Crop| {
            let uv = Cover {
                focus: Head {
                    face: Point { x: 0.5, y: 0.45 },
                    top,
                },
                crop,
                ..cover(Size::new(640, 360))
            }
            .uv(rect);
            (uv.at(0.0, 0.0).1, uv.at(0.0, rect.height as f32).1)
        };
        let wide = PixelRect::new(0, 0, 900, 300);
        let (top, bottom) = view(wide, 0.15, Crop::Full);
        assert!(top <= 0.13 && bottom > 0.6, "{top} {bottom}");
        // Larger than the panel: from the mouth upwards.
        let (top, bottom) = view(PixelRect::new(0, 0, 900, 240), 0.05, Crop::Full);
        assert!(
            top < 0.34 && (0.7..0.85).contains(&bottom),
            "{top} {bottom}"
        );
        // Far away, or close by wish: the face is in its place.
        for (top, crop) in [(0.35, Crop::Full), (0.45, Crop::Full), (0.15, Crop::Close)] {
            let (above, below) = view(wide, top, crop);
            let share = below - above;
            assert!((above + 0.42 * share - 0.45).abs() < 1e-3, "{top} {above}");
        }
    }

    proptest! {
        /// Whatever the shape and the focus, the picture covers the whole rect.
        #[test]
        fn the_rect_is_always_covered(
            w in 1u32..4000, h in 1u32..4000, x in 0i32..500, y in 0i32..500,
            rw in 1u32..4000, rh in 1u32..4000,
            fx in -1f32..2.0, fy in -1f32..2.0, top in -1f32..2.0, mirror: bool, close: bool,
        ) {
            let rect = PixelRect::new(x, y, rw, rh);
            let uv = Cover {
                picture: Size::new(w, h),
                focus: Head { face: Point { x: fx, y: fy }, top },
                crop: if close { Crop::Close } else { Crop::Full },
                mirror,
            }.uv(rect);
            for (px, py) in [(x as f32, y as f32), ((x + rw as i32) as f32, (y + rh as i32) as f32)] {
                let (u, v) = uv.at(px, py);
                prop_assert!((-2e-3..=1.002).contains(&u) && (-2e-3..=1.002).contains(&v), "{u} {v}");
            }
        }
    }
}
