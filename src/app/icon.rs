//! The window's icon, drawn in code: a panel with a lens in it.

use egui::IconData;

use crate::ui::theme;

const SIDE: u32 = 64;

/// 64x64 pixels, RGBA.
pub fn window_icon() -> IconData {
    let mut rgba = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            rgba.extend(pixel(x as f32 + 0.5, y as f32 + 0.5));
        }
    }
    IconData {
        rgba,
        width: SIDE,
        height: SIDE,
    }
}

fn pixel(x: f32, y: f32) -> [u8; 4] {
    let (from_x, from_y) = (x - 32.0, y - 32.0);
    // Distance to a square with round corners, and to the lens.
    let corner = |away: f32| (away.abs() - 16.0).max(0.0);
    let square = corner(from_x).hypot(corner(from_y)) - 14.0;
    let lens = (from_x.hypot(from_y) - 15.0).abs() - 3.5;
    let inside = |distance: f32| (0.5 - distance).clamp(0.0, 1.0);
    let ink = theme::ACCENT.lerp_to_gamma(theme::ON_ACCENT, inside(lens));
    let alpha = (inside(square) * 255.0) as u8;
    [ink.r(), ink.g(), ink.b(), alpha]
}
