// Parallel lines of a fast move. They break off before the face, so that it stays free.

fn lines(q: vec2<f32>, face: vec2<f32>, pitch: f32, heaviness: f32, share: f32, purpose: u32) -> f32 {
    let row = i32(floor(q.y / pitch));
    var inside = -1000.0;
    for (var step = -1; step <= 1; step++) {
        let cell = vec2<i32>(row + step, i32(purpose));
        if redrawn(cell, 1u) > share {
            continue;
        }
        let middle = (f32(row + step) + 0.5 + (redrawn(cell, 2u) - 0.5) * 0.9) * pitch;
        let weight = heaviness * (0.18 + 0.9 * redrawn(cell, 3u) * redrawn(cell, 4u));
        // The clearing around the face, ragged.
        let radius = 0.30 * min(fx.size.x, fx.size.y) / max(fx.strength, 0.2);
        let off = (middle - face.y) / (radius * 1.7);
        let clear = radius * 1.15 * sqrt(max(1.0 - off * off, 0.0)) * (0.85 + 0.9 * redrawn(cell, 5u));
        let beside = abs(q.x - face.x) - clear;
        var width = weight;
        if clear > 0.0 {
            // Pointed towards the face over a long way.
            let way = 60.0 + 260.0 * redrawn(cell, 6u);
            width *= clamp(beside / way, 0.0, 1.0);
        } else {
            // It swells from one side and runs out in a long point before the other.
            let side = select(-1.0, 1.0, redrawn(cell, 7u) > 0.5);
            let whole = 0.5 * (abs(cos(fx.angle)) * fx.size.x + abs(sin(fx.angle)) * fx.size.y);
            let end = whole * (1.5 * redrawn(cell, 8u) - 0.6);
            width *= clamp((end - side * q.x) / (whole * 0.9), 0.0, 1.0);
        }
        inside = max(inside, select(-1000.0, width - abs(q.y - middle), width > 0.02));
    }
    return inside;
}

fn draw(p: vec2<f32>) -> vec2<f32> {
    let q = turned(p - fx.size * 0.5, fx.angle);
    let face = turned(fx.face - fx.size * 0.5, fx.angle);
    let pitch = 15.0 * fx.scale / fx.density;
    let paper = lines(q, face, pitch * 1.6, 7.0 * fx.scale, 0.7, 21u);
    let heavy = lines(q, face, pitch * 2.1, 7.5 * fx.scale, 0.6, 22u);
    let fine = lines(q, face, pitch * 0.8, 1.9 * fx.scale, 0.62, 23u);
    let inks = vec2<f32>(0.0, covered(paper) * 0.94);
    return ink_over(inks, vec2<f32>(covered(max(heavy, fine)), 0.0));
}
