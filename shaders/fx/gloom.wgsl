// Gloom: lines that hang down from above, of every length, in a dark that thickens upwards.

fn hanging(p: vec2<f32>, pitch: f32, heaviness: f32, longest: f32, share: f32, purpose: u32) -> f32 {
    let column = i32(floor(p.x / pitch));
    var inside = -1000.0;
    for (var step = -1; step <= 1; step++) {
        let cell = vec2<i32>(column + step, i32(purpose));
        if chance(cell, 1u) > share {
            continue;
        }
        // Drawn anew each time, a hair beside the last one.
        let tremble = (redrawn(cell, 2u) - 0.5) * 1.6;
        let bent = (waver(p.y / 130.0 + 9.0 * chance(cell, 3u), purpose + 60u) - 0.5) * 2.2;
        let middle = (f32(column + step) + 0.5 + (chance(cell, 4u) - 0.5) * 0.85) * pitch + tremble * 0.4 + bent;
        let long = longest * (0.28 + 0.9 * chance(cell, 5u) * chance(cell, 6u)) * (0.97 + 0.06 * redrawn(cell, 7u));
        let t = p.y / max(long, 1.0);
        let weight = heaviness * (0.45 + 0.8 * chance(cell, 8u));
        // A long, thin end.
        let width = weight * sqrt(max(1.0 - t, 0.0)) * (0.75 + 0.25 * (1.0 - t));
        inside = max(inside, select(-1000.0, width - abs(p.x - middle), width > 0.03));
    }
    return inside;
}

fn draw(p: vec2<f32>) -> vec2<f32> {
    let q = turned(p - vec2<f32>(fx.size.x * 0.5, 0.0), fx.angle) + vec2<f32>(fx.size.x * 0.5, 0.0);
    let deep = q.y / max(fx.size.y, 1.0);
    // The dark bulges down at the sides and leaves the face lighter.
    let side = abs(q.x / max(fx.size.x, 1.0) - fx.face.x / max(fx.size.x, 1.0)) * 1.5;
    let reach = 0.55 + 0.42 * smoothstep(0.1, 0.8, side);
    let dark = 0.80 * pow(clamp(1.0 - deep / (reach * 1.15), 0.0, 1.0), 1.25) * min(fx.strength, 1.2);
    let wide = fx.scale / fx.density;
    let fine = hanging(q, 7.5 * wide, 0.95 * fx.scale, fx.size.y * 0.62 * (0.30 + 1.1 * min(side, 0.9)), 0.8, 61u);
    let heavy = hanging(q, 23.0 * wide, 2.0 * fx.scale, fx.size.y * 0.85 * (0.22 + 1.15 * min(side, 0.9)), 0.62, 62u);
    return ink_over(vec2<f32>(0.0, dark), vec2<f32>(covered(max(fine, heavy)) * 0.9, 0.0));
}
