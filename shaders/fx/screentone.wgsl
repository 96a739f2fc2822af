// Dots in rows, as printed on the sheets of tone that are cut and pasted into shadows. A point of
// the pattern is inked where the picture is darker than what it says; the picture is taken in steps,
// so that all dots of a shadow are alike.

fn draw(p: vec2<f32>) -> vec2<f32> {
    let pitch = 6.0 * fx.scale / fx.density;
    let q = turned(p - fx.size * 0.5, fx.angle) / pitch;
    // Every second row is set between the dots of the first.
    let row = floor(q.y);
    let at = vec2<f32>(fract(q.x + 0.5 * (row - 2.0 * floor(row * 0.5))), fract(q.y)) - 0.5;
    // Of a round dot of that radius the share of the cell.
    return vec2<f32>(clamp(1.0 - 3.14159 * dot(at, at), 0.0, 1.0), 0.0);
}
