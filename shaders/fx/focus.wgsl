// Lines from all sides towards the face: wedges of ink and of paper, thick outside and pointed
// inside, none like the other.

// Wedges of one weight: `count` of them around, from `reach` outwards; how far inside one.
fn wedges(turn: f32, radius: f32, away: f32, count: f32, reach: f32, heaviness: f32, share: f32, purpose: u32) -> f32 {
    let slot = turn * count;
    var inside = -1000.0;
    // A wedge may reach into its neighbours' slots.
    for (var step = -1; step <= 1; step++) {
        let number = i32(floor(slot)) + step;
        let wrapped = (number + i32(count) * 4) % i32(count);
        let cell = vec2<i32>(wrapped, i32(purpose));
        if redrawn(cell, 1u) > share {
            continue;
        }
        let middle = f32(number) + 0.5 + (redrawn(cell, 2u) - 0.5) * 0.8;
        // Some are long, many are short.
        let late = redrawn(cell, 3u);
        let start = reach * (0.80 + 0.85 * late * late);
        let weight = heaviness * (0.25 + 1.1 * redrawn(cell, 4u));
        let across = abs(slot - middle) / count * TAU * away;
        // Slightly swollen, as a pen that is pressed and let go.
        let along = max(radius - start, 0.0);
        let width = weight * along / (1.0 + 0.0012 * along);
        inside = max(inside, min(width - across, (radius - start) * 0.5));
    }
    return inside;
}

fn draw(p: vec2<f32>) -> vec2<f32> {
    let q = p - fx.face;
    // An oval that follows the shape's proportions leaves the face free.
    let proportion = clamp(fx.size.x / max(fx.size.y, 1.0), 0.5, 2.0);
    let oval = vec2<f32>(pow(proportion, -0.35), pow(proportion, 0.35));
    let away = max(length(q), 0.001);
    let radius = length(q * oval);
    let turn = fract(atan2(q.y, q.x) / TAU + 1.0);
    let reach = 0.36 * min(fx.size.x * oval.x, fx.size.y * oval.y) / max(fx.strength, 0.2);
    let count = max(floor(92.0 * fx.density / fx.scale), 6.0);
    let paper = wedges(turn, radius, away, count, reach, 0.026 * fx.scale, 0.85, 11u);
    let heavy = wedges(turn, radius, away, count, reach * 1.10, 0.021 * fx.scale, 0.62, 12u);
    let fine = wedges(turn, radius, away, count * 2.0, reach * 0.92, 0.0062 * fx.scale, 0.55, 13u);
    var inks = vec2<f32>(0.0, covered(paper) * 0.94);
    inks = ink_over(inks, vec2<f32>(covered(max(heavy, fine)), 0.0));
    return inks;
}
