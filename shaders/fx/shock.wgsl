// A flash of the negative: all of it, then a jagged burst, then cracks from the edges. How much of it is mixed
// in is said by its ink.

// A burst around the face, whose points are as long as they like: how far outside it.
fn outside_burst(q: vec2<f32>, radius: f32, points: f32, depth: f32, purpose: u32) -> f32 {
    let turn = fract(atan2(q.y, q.x) / TAU + 1.0) * points;
    let number = i32(floor(turn));
    let here = vec2<i32>(number % i32(points), i32(purpose));
    // Straight flanks, and a tip that does not stand in the middle.
    let tip = 0.3 + 0.4 * redrawn(here, 1u);
    let at = turn - floor(turn);
    let flank = select((1.0 - at) / (1.0 - tip), at / tip, at < tip);
    let long = redrawn(here, 2u);
    let edge = radius * (1.0 + depth * (0.25 + 0.75 * long * long) * flank * flank);
    return (length(q) - edge) * 0.5;
}

fn draw(p: vec2<f32>) -> vec2<f32> {
    let q = (p - fx.face) * vec2<f32>(1.0, clamp(fx.size.x / max(fx.size.y, 1.0), 0.6, 1.4));
    let short = min(fx.size.x, fx.size.y);
    // Sparse, it leaves more of the middle out, also of the first flash.
    let wide = 1.0 / max(fx.density, 0.05);
    let age = fx.drawing / max(fx.drawings - 1.0, 1.0);
    if fx.drawing < 0.5 || abs(fx.drawing - 2.0) < 0.1 {
        // The flash, twice: the second time the face is left out.
        let whole = fx.drawing < 0.5 && fx.density > 0.95;
        let outside = outside_burst(q, short * 0.28 * wide, 29.0, 0.7, 71u);
        return vec2<f32>(select(covered(outside), 1.0, whole), 0.0);
    }
    let radius = short * (0.30 + 0.62 * age) * wide;
    let outside = outside_burst(q, radius, 37.0, 1.0, 72u);
    return vec2<f32>(covered(outside), 0.0);
}
