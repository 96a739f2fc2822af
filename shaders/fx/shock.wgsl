// A flash of the negative: all of it, then a jagged burst, then cracks from the edges.

// A ragged oval around the face: how far outside it.
fn outside_burst(q: vec2<f32>, radius: f32, teeth: f32, depth: f32, purpose: u32) -> f32 {
    let turn = fract(atan2(q.y, q.x) / TAU + 1.0) * teeth;
    let number = i32(floor(turn));
    let here = vec2<i32>(number % i32(teeth), i32(purpose));
    let next = vec2<i32>((number + 1) % i32(teeth), i32(purpose));
    // Pointed inwards, each tooth as deep as it likes.
    let t = abs(turn - floor(turn) - 0.5) * 2.0;
    let a = 0.35 + 0.65 * redrawn(here, 1u);
    let b = 0.35 + 0.65 * redrawn(next, 1u);
    let tooth = mix(a, b, step(0.5, fract(turn))) * pow(t, 1.6);
    return length(q) - radius * (1.0 + depth * (1.0 - tooth));
}

fn draw(p: vec2<f32>) -> vec2<f32> {
    let q = (p - fx.face) * vec2<f32>(1.0, clamp(fx.size.x / max(fx.size.y, 1.0), 0.6, 1.4));
    let short = min(fx.size.x, fx.size.y);
    let age = fx.drawing / max(fx.drawings - 1.0, 1.0);
    if fx.drawing < 0.5 || abs(fx.drawing - 2.0) < 0.1 {
        // The flash, twice: the second time the face is left out.
        let whole = fx.drawing < 0.5;
        let outside = outside_burst(q, short * 0.26, 23.0, 0.8, 71u);
        return vec2<f32>(select(covered(outside), 1.0, whole), 0.0);
    }
    let radius = short * (0.34 + 0.75 * age);
    let outside = outside_burst(q, radius, 31.0, 1.1, 72u);
    return vec2<f32>(covered(outside), 0.0) * clamp(fx.strength, 0.0, 1.0);
}
